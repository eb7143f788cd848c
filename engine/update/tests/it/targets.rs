//! The targets of some bytes, and how they are brought about.

use std::path::Path;
use std::sync::Arc;

use gosync_chunks::{ErrorKind, Progress, Signature, Source};
use gosync_comparer::CompareOptions;
use gosync_layers::format::LayeredIndex;
use gosync_publish::{Build, BuildOptions};
use gosync_rollsum::RollingSum;
use gosync_sums::{Md5, Rolling, SumOptions, sum_target};
use gosync_update::{Error, FileOptions, FlatTarget, LayeredTarget, Seed, Seeds, Target, Update, UpdateReport};

/// Bytes of a block of a flat target, and of the finest layer.
pub(crate) const BLOCK: usize = 512;

/// The sums of the blocks of some bytes, flat and in layers.
pub(crate) struct Described {
    signature: Signature,
    index: LayeredIndex,
}

impl Described {
    pub(crate) fn new(data: &[u8]) -> Self {
        let options = SumOptions { block_size: BLOCK as u32, file_hash: false };
        let hasher = Arc::new(Md5::full());
        let summed = sum_target(data, &options, &Rolling(RollingSum::Rsync), hasher, &()).unwrap();
        let build = Build {
            target: &data.to_vec(),
            called: "the target",
            name: None,
            sections: Vec::new(),
            options: &BuildOptions { block_sizes: vec![16_384, 2048, BLOCK as u32], compress: None },
            progress: &(),
        };
        Self { signature: summed.signature, index: build.index(None).unwrap() }
    }

    pub(crate) fn flat(&self) -> FlatTarget<'_> {
        FlatTarget::new(&self.signature, CompareOptions::new(RollingSum::Rsync), 1000)
    }

    /// Each target, with what it is called.
    pub(crate) fn all(&self) -> [(&'static str, Box<dyn Target + '_>); 2] {
        [("flat", Box::new(self.flat())), ("layered", Box::new(LayeredTarget::new(&self.index)))]
    }
}

#[test]
fn another_rolling_sum_is_an_error_and_not_a_target_without_matches() {
    let described = Described::new(&[1; 3 * BLOCK]);
    for sum in [RollingSum::Librsync, RollingSum::RabinKarp] {
        let target = FlatTarget::new(&described.signature, CompareOptions::new(sum), 0);
        let error = target.compare(&[&vec![1; BLOCK]], &()).unwrap_err();
        assert!(error.to_string() == "cannot compare" && error.kind() == ErrorKind::Usage, "{error:?}");
    }
    assert!(described.flat().compare(&[&vec![1; BLOCK]], &()).is_ok());
}

/// Seeds that are no files.
pub(crate) fn seeds(data: &[&[u8]]) -> Seeds {
    Seeds::of(data.iter().map(|data| Seed::opened(Path::new("seed"), data.to_vec(), None)).collect())
}

pub(crate) fn make_file(
    target: &dyn Target,
    data: &[&[u8]],
    source: &dyn Source,
    out: &Path,
    progress: &dyn Progress,
) -> Result<UpdateReport, Error> {
    let seeds = seeds(data);
    Update { target, seeds: &seeds, source, progress }.to_file(out, &FileOptions::default())
}
