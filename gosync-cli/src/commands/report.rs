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
    let cut = plan.cut();
    let named = opened.index.target_name().map(|name| name.as_str().to_owned());
    let asked = u64::from(cut.block_count());
    let missing: u64 = plan.steps().iter().map(fetched_blocks).sum();
    ReportData {
        target_name: named.unwrap_or_else(|| opened.location.to_string()),
        target_bytes: cut.length(),
        seeds: seeds.iter().map(seed).collect(),
        spans: plan.steps().iter().map(|step| span(step, plan)).collect(),
        layers: vec![ReportLayer {
            block_size: cut.largest_block(),
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
    let cut = plan.cut();
    let (range, origin): (ByteRange, Origin) = match *step {
        Step::Copy { target, seed, offset } => (target, Origin::Copy { seed: seed.0.into(), offset }),
        Step::Fetch { blocks } => (cut.bytes(blocks), Origin::Fetch),
        Step::Repeat { blocks, of } => (cut.bytes(blocks), Origin::Repeat { of: cut.range(of).start }),
    };
    ReportSpan { range, origin, layer: 0 }
}

fn fetched_blocks(step: &Step) -> u64 {
    match step {
        Step::Fetch { blocks } => blocks.len() as u64,
        _ => 0,
    }
}
