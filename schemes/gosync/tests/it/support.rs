//! The API in the few words that most tests need.

use std::path::Path;

use gosync::publish::{BuildOptions, Publisher};
use gosync::sources::{Source, SourceOptions};
use gosync::update::{self, Comparison, FileOptions, Seeds, Update, UpdateReport, Verdict};
use gosync::{Error, Format, Index, Progress};

pub(crate) fn options(block_sizes: &[u32], compress: Option<i32>) -> BuildOptions {
    BuildOptions { block_sizes: block_sizes.to_vec(), compress }
}

/// Has `publish` do something with a publisher.
pub(crate) fn with_publisher<T>(
    format: Format,
    options: &BuildOptions,
    publish: impl FnOnce(&Publisher<'_>) -> T,
) -> T {
    publish(&Publisher { format, options, sources: &SourceOptions::default(), progress: &() })
}

/// The index of the file at `path`, without a payload.
pub(crate) fn build(path: &Path, format: Format, sizes: &[u32]) -> Result<Index, Error> {
    with_publisher(format, &options(sizes, None), |publisher| publisher.build(path, None))
}

pub(crate) fn open_seeds<P: AsRef<Path>>(index: &Index, paths: impl IntoIterator<Item = P>) -> Seeds {
    Seeds::open(paths, &*index.target(), &()).unwrap()
}

pub(crate) fn compare(index: &Index, seeds: &Seeds) -> Comparison {
    update::compare(&*index.target(), seeds, &()).unwrap()
}

/// Brings the target of `index` about as a file.
pub(crate) fn patch(
    index: &Index,
    seeds: &Seeds,
    source: &dyn Source,
    out: &Path,
    progress: &dyn Progress,
) -> Result<UpdateReport, update::Error> {
    let target = index.target();
    Update { target: &*target, seeds, source, progress }.to_file(out, &FileOptions::default())
}

pub(crate) fn verify(index: &Index, path: &Path) -> Verdict {
    let verified = update::verify(&*index.target(), path, &()).unwrap();
    assert!(verified.wrong_whole.is_none(), "there is no hash but those of the verdict");
    verified.verdict
}
