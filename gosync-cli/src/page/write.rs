//! The page of `gosync diff --report`.

use std::path::Path;

use gosync::update::{Estimate, LayerReport, Plan, Seed, Seeds, Step};

use super::data::{Origin, ReportData, ReportLayer, ReportSeed, ReportSpan};
use super::render::render;
use crate::console::Console;
use crate::forecast::Forecast;
use crate::publication::index::write_file;

/// Writes what was found, and what fetching the rest will cost, to `path`.
pub(crate) fn write(
    path: &Path,
    forecast: &Forecast,
    cost: Option<&Estimate>,
    seeds: &Seeds,
    console: &Console,
) -> anyhow::Result<()> {
    let Forecast { target, plan, layers, index, .. } = forecast;
    let page = render(&ReportData {
        target_name: target.clone(),
        target_bytes: plan.cut().length(),
        seeds: seeds.all().iter().map(seed).collect(),
        spans: plan.steps().iter().flat_map(|step| spans(step, plan, layers)).collect(),
        layers: layers.iter().map(layer).collect(),
        index_bytes: index.bytes,
        payload_bytes: cost.map(|cost| cost.bytes),
        requests: cost.map(|cost| cost.requests + index.requests),
    });
    write_file(path, page.as_bytes(), console)
}

fn seed(seed: &Seed) -> ReportSeed {
    ReportSeed { name: seed.path().display().to_string(), bytes: seed.data().size() }
}

fn layer(layer: &LayerReport) -> ReportLayer {
    let LayerReport { block_size, asked, matched, index_bytes, .. } = *layer;
    ReportLayer { block_size, asked, matched, index_bytes }
}

/// What a step brings, layer by layer: the blocks of a run can have been found in several.
fn spans(step: &Step, plan: &Plan, layers: &[LayerReport]) -> Vec<ReportSpan> {
    let cut = plan.cut();
    let finest = layers.len().saturating_sub(1);
    let (target, origin) = match *step {
        Step::Copy { target, seed, offset } => (target, Origin::Copy { seed: seed.0.into(), offset }),
        Step::Repeat { blocks, of } => (cut.bytes(blocks), Origin::Repeat { of: cut.range(of).start }),
        Step::Fetch { blocks } => {
            return vec![ReportSpan { range: cut.bytes(blocks), origin: Origin::Fetch, layer: finest }];
        }
    };
    let mut spans: Vec<ReportSpan> = Vec::new();
    for block in cut.covering(target).iter() {
        let range = cut.range(block);
        // The finest whose blocks are as long; the target's last one may be shorter than they are.
        let layer = layers.iter().rposition(|layer| u64::from(layer.block_size) >= range.len()).unwrap_or(0);
        let skipped = range.start - target.start;
        match spans.last_mut() {
            Some(last) if last.layer == layer => last.range.end = range.end,
            _ => spans.push(ReportSpan { range, origin: origin.after(skipped), layer }),
        }
    }
    spans
}
