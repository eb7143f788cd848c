//! What a comparison found.

use gosync_chunks::{BlockSums, Plan, Transfer};
use gosync_comparer::{Statistics, UnreadableSeed};
use gosync_layers::descent::{Descent, Frames, LayerReport};

/// What seeds have of a target, and how to get the rest.
#[derive(Debug)]
pub struct Comparison {
    /// How to get the target. A target may have seeds of its own after those given: a layered
    /// one has one that stands for zeros.
    pub plan: Plan,
    /// The sums of the blocks of the plan.
    pub sums: BlockSums,
    /// What it took to find out.
    pub statistics: Statistics,
    /// Seeds that could not be read everywhere. What was found in the rest of them is
    /// in the plan all the same.
    pub unreadable: Vec<UnreadableSeed>,
    /// What came of each layer of the index that was asked, where it has layers.
    pub layers: Vec<LayerReport>,
    /// What reading sums took, after the index was opened.
    pub index_transfer: Transfer,
    /// Where what is missing lies, if the payload is compressed.
    pub frames: Option<Frames>,
}

impl Comparison {
    /// What a comparison with one set of block sums found.
    pub fn flat(found: gosync_comparer::Comparison, sums: &BlockSums) -> Self {
        Self {
            plan: found.plan,
            sums: sums.clone(),
            statistics: found.statistics,
            unreadable: found.unreadable,
            layers: Vec::new(),
            index_transfer: Transfer::default(),
            frames: None,
        }
    }
}

impl From<Descent> for Comparison {
    fn from(found: Descent) -> Self {
        let Descent { plan, sums, statistics, unreadable, layers, transfer, frames } = found;
        Self { plan, sums, statistics, unreadable, layers, index_transfer: transfer, frames }
    }
}
