//! All that is needed to make a target, and where it came from.

use gosync_chunks::{BlockSums, FileHash, Plan, Progress, ReadAt, Source, Step, Transfer};

/// Everything needed to make a target.
///
/// Progress is told of [`Copy`](gosync_chunks::Phase::Copy) (copied and repeated bytes),
/// [`Fetch`](gosync_chunks::Phase::Fetch) and [`Verify`](gosync_chunks::Phase::Verify); a phase
/// begins anew when something has to be repaired.
#[derive(Clone, Copy)]
pub struct Patch<'a> {
    /// What to do.
    pub plan: &'a Plan,
    /// What comes out, block by block.
    pub sums: &'a BlockSums,
    /// The hash of what comes out, where it is known and the plan leaves nothing out but what
    /// stands there.
    pub file_hash: Option<FileHash>,
    /// What the plan copies from, by [`SeedId`](gosync_chunks::SeedId).
    pub seeds: &'a [&'a dyn ReadAt],
    /// What the plan fetches from.
    pub source: &'a dyn Source,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

/// Where a target came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Bytes that came from seeds.
    pub copied: u64,
    /// Of these, bytes that share their place on disk with a seed.
    pub reflinked: u64,
    /// Bytes written again from a block that was fetched.
    pub repeated: u64,
    /// Bytes of blocks that came from the source.
    pub fetched: u64,
    /// What fetching cost.
    pub transfer: Transfer,
    /// Bytes that stood in the staged file already, from a run that was interrupted.
    pub kept: u64,
    /// Blocks that were wrong at first, from a seed or from the source, and were fetched (again).
    pub refetched_blocks: u64,
}

impl Report {
    /// Counts what was fetched `again`, in place of what `plan` had otherwise: what was not
    /// fetched before is no match any more.
    pub fn add_refetched(&mut self, again: Self, plan: &Plan) {
        self.transfer += again.transfer;
        self.refetched_blocks += again.refetched_blocks;
        let all = plan.wanted_bytes();
        self.fetched = (self.fetched + again.fetched).min(all);
        let mut matched = all - self.fetched;
        for part in [&mut self.kept, &mut self.repeated, &mut self.copied] {
            *part = matched.min(*part);
            matched -= *part;
        }
    }
}

impl Patch<'_> {
    /// Panics when the plan is for other blocks than the sums, or copies from a seed that is
    /// not there.
    pub(crate) fn check_parts(&self) {
        assert_eq!(self.plan.cut(), self.sums.cut(), "the plan is for these blocks");
        let has_seed = |step: &Step| match step {
            Step::Copy { seed, .. } => usize::from(seed.0) < self.seeds.len(),
            _ => true,
        };
        assert!(self.plan.steps().iter().all(has_seed), "every seed of the plan is there");
    }
}
