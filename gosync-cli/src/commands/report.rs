//! The page of `gosync diff --report`.

use std::fs;
use std::path::Path;

use gosync::report::{Origin, ReportData, ReportLayer, ReportSeed, ReportSpan, render};
use gosync::{ByteRange, Error, LocalFile, OpenedIndex, Plan, ReadAt, Seeds, Step};

/// Writes what `plan` does to `path`.
pub(super) fn write(path: &Path, opened: &OpenedIndex, seeds: &Seeds, plan: &Plan) -> Result<(), Error> {
    let page = render(&data(opened, seeds.files(), plan));
    fs::write(path, page).map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn data(opened: &OpenedIndex, seeds: &[LocalFile], plan: &Plan) -> ReportData {
    let layout = plan.layout();
    let named = opened.index.target_name().map(|name| name.as_str().to_owned());
    let asked = layout.block_count().into();
    let missing: u64 = plan.fetch_ranges().iter().map(|range| range.len().div_ceil(layout.block_size().into())).sum();
    ReportData {
        target_name: named.unwrap_or_else(|| opened.location.to_string()),
        target_bytes: layout.length(),
        seeds: seeds.iter().map(seed).collect(),
        spans: plan.steps().iter().map(|step| span(step, plan)).collect(),
        layers: vec![ReportLayer {
            block_size: layout.block_size(),
            asked,
            matched: asked - missing,
            index_bytes: opened.index.encoded_len(),
        }],
        index_bytes: opened.transfer.bytes,
        payload_bytes: None,
        requests: None,
    }
}

fn seed(file: &LocalFile) -> ReportSeed {
    ReportSeed { name: file.path().display().to_string(), bytes: file.size() }
}

fn span(step: &Step, plan: &Plan) -> ReportSpan {
    let layout = plan.layout();
    let (range, origin): (ByteRange, Origin) = match *step {
        Step::Copy { target, seed, offset } => (target, Origin::Copy { seed: seed.0.into(), offset }),
        Step::Fetch { blocks } => (layout.bytes(blocks), Origin::Fetch),
        Step::Repeat { blocks, of } => (layout.bytes(blocks), Origin::Repeat { of: layout.range(of).start }),
    };
    ReportSpan { range, origin, layer: 0 }
}
