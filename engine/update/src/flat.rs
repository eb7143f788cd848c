//! The target of one set of block sums.

use std::path::Path;

use gosync_chunks::{Progress, ReadAt, Signature, Step};
use gosync_comparer::{CompareOptions, compare, compare_again};
use gosync_index::BlockIndex;
use gosync_layers::descent::LayerReport;
use gosync_patcher::TargetId;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::target::{Target, Verified};

/// A target that is known by the sums of its blocks, all of one size, and by nothing else: what
/// an index of one layer is good for.
#[derive(Clone, Copy, Debug)]
pub struct FlatTarget<'a> {
    signature: &'a Signature,
    options: CompareOptions,
    index_bytes: u64,
}

impl<'a> FlatTarget<'a> {
    /// The target with these sums, which took `index_bytes` in their file, and are searched for
    /// as `options` say.
    pub fn new(signature: &'a Signature, options: CompareOptions, index_bytes: u64) -> Self {
        Self { signature, options, index_bytes }
    }
}

impl Target for FlatTarget<'_> {
    fn id(&self) -> TargetId {
        TargetId::of(self.signature.sums(), None)
    }

    fn length(&self) -> u64 {
        self.signature.layout().length()
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error> {
        let Self { signature, options, index_bytes } = *self;
        let lookup = BlockIndex::build(signature);
        let found = compare(signature, &lookup, seeds, &options, progress)?;
        drop(lookup);
        let parts = found.unused();
        let options = CompareOptions { overlapping: true, ..options };
        let lookup = |missing: &[bool]| BlockIndex::build_of(signature, |block| missing[block.index()]);
        let found = compare_again(found, signature, lookup, seeds, &parts, &options, progress)?;
        let fetched = found.plan.steps().iter().map(|step| match step {
            Step::Fetch { blocks } => blocks.len() as u64,
            _ => 0,
        });
        let asked = u64::from(signature.layout().block_count());
        let layer = LayerReport {
            block_size: signature.layout().block_size(),
            asked,
            index_bytes,
            matched: asked - fetched.sum::<u64>(),
            searched: true,
        };
        Ok(Comparison { layers: vec![layer], ..Comparison::flat(found, signature.sums()) })
    }

    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, Error> {
        let verdict = gosync_patcher::verify(data, self.signature.sums(), None, progress);
        Ok(verdict.map_err(|error| Error::of_verify(path, error))?.into())
    }
}
