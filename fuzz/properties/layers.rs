//! What holds for any two files: an index of the one brings the other to it, whatever
//! its layers.

use std::fs;

use gosync::publish::{BuildOptions, Publisher};
use gosync::sources::SourceOptions;
use gosync::update::{Seeds, Update};
use gosync::{Format, Index, ReadOptions};
use gosync_blocksources::MemorySource;

/// The first bytes choose the layers and how much is the seed; the others are the seed
/// and the target.
pub(crate) fn layers(data: &[u8]) {
    let [choices, split, data @ ..] = data else { return };
    let sizes = [2048, 1024, 512, 256, 128].into_iter().enumerate();
    let sizes = sizes.filter(|(at, _)| choices >> at & 1 == 1).map(|(_, size)| size).chain([64]).collect();
    let (seed, target) = data.split_at(data.len() * usize::from(*split) / 255);

    let directory = tempfile::tempdir().expect("a place for files");
    let at = |name: &str| directory.path().join(name);
    fs::write(at("new"), target).expect("room for files");
    fs::write(at("old"), seed).expect("room for files");
    let options = BuildOptions { block_sizes: sizes, compress: None };
    let sources = SourceOptions::default();
    let publisher = Publisher { format: Format::Layered, options: &options, sources: &sources, progress: &() };
    let built = publisher.build(&at("new"), None).expect("the layers are sound");
    let mut bytes = Vec::new();
    built.write(&mut bytes).expect("a vector takes everything");
    let index = Index::read(bytes.as_slice(), &ReadOptions::default()).expect("just written");
    assert_eq!(index, built);

    let described = index.target();
    let seeds = Seeds::open([at("old")], &*described, &()).expect("just written");
    let source = MemorySource::new(target.to_vec());
    let update = Update { target: &*described, seeds: &seeds, source: &source, progress: &() };
    let found = update.compare().expect("one seed");
    let mut out = Vec::new();
    let report = update.to_stream(&mut out).expect("the source has the target");
    assert_eq!(out, target);
    assert_eq!(report.report.refetched_blocks, 0, "what was found is there");
    assert_eq!(report.comparison.plan.fetched_bytes(), found.plan.fetched_bytes());
    if seed == target {
        assert_eq!((found.plan.fetched_bytes(), found.layers.len()), (0, usize::from(!target.is_empty())));
    }
}
