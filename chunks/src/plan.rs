//! What to do to get the target: the seam between comparing and patching.

use std::fmt;

use crate::block::{BlockId, BlockRange, ByteRange};
use crate::brief::Brief;
use crate::cut::Cut;
use crate::ranges;

/// The number of a seed in the list given to a comparison, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeedId(pub u16);

/// Where the next bytes of the target come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// From a seed.
    Copy {
        /// Where the bytes go.
        target: ByteRange,
        /// The seed that has them.
        seed: SeedId,
        /// Where they begin in the seed.
        offset: u64,
    },
    /// From the source.
    Fetch {
        /// The blocks that no seed has.
        blocks: BlockRange,
    },
    /// From a block that is fetched, and stands earlier in the target.
    Repeat {
        /// The blocks to fill, all equal.
        blocks: BlockRange,
        /// The fetched block that they equal.
        of: BlockId,
    },
}

/// Steps that make up the target, in its order. Blocks without a step are left as they are: they
/// stand there already, or are not wanted.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    cut: Cut,
    steps: Vec<Step>,
    copied: u64,
    fetched: u64,
    repeated: u64,
}

impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cut, steps, copied, fetched, repeated } = self;
        let mut shown = formatter.debug_struct("Plan");
        shown.field("cut", cut).field("steps", &Brief(steps));
        shown.field("copied", copied).field("fetched", fetched).field("repeated", repeated).finish()
    }
}

impl Plan {
    /// A plan without steps, to be filled block by block.
    pub fn new(cut: impl Into<Cut>) -> Self {
        Self { cut: cut.into(), steps: Vec::new(), copied: 0, fetched: 0, repeated: 0 }
    }

    /// The plan that fetches everything.
    pub fn fetch_all(cut: impl Into<Cut>) -> Self {
        let mut plan = Self::new(cut);
        if plan.cut.block_count() > 0 {
            plan.steps.push(Step::Fetch { blocks: plan.cut.blocks() });
            plan.fetched = plan.cut.length();
        }
        plan
    }

    /// The next block is in `seed` at `offset`.
    pub fn copy(&mut self, block: BlockId, from: SeedId, at: u64) {
        let range = self.cut.range(block);
        self.copied += range.len();
        if let Some(Step::Copy { target, seed, offset }) = self.steps.last_mut()
            && *seed == from
            && target.end == range.start
            && *offset + target.len() == at
        {
            target.end = range.end;
        } else {
            self.steps.push(Step::Copy { target: range, seed: from, offset: at });
        }
    }

    /// The next block has to be fetched.
    pub fn fetch(&mut self, block: BlockId) {
        self.fetched += self.cut.range(block).len();
        if let Some(Step::Fetch { blocks }) = self.steps.last_mut()
            && blocks.end == block
        {
            blocks.end = block.next();
        } else {
            self.steps.push(Step::Fetch { blocks: BlockRange { start: block, end: block.next() } });
        }
    }

    /// The next block equals `first`, an earlier one that is fetched.
    pub fn repeat(&mut self, block: BlockId, first: BlockId) {
        self.repeated += self.cut.range(block).len();
        if let Some(Step::Repeat { blocks, of }) = self.steps.last_mut()
            && *of == first
            && blocks.end == block
        {
            blocks.end = block.next();
        } else {
            self.steps.push(Step::Repeat { blocks: BlockRange { start: block, end: block.next() }, of: first });
        }
    }

    /// How the target is cut into blocks.
    pub fn cut(&self) -> &Cut {
        &self.cut
    }

    /// The steps in the target's order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Bytes that come from seeds.
    pub fn copied_bytes(&self) -> u64 {
        self.copied
    }

    /// Bytes that have to be fetched.
    pub fn fetched_bytes(&self) -> u64 {
        self.fetched
    }

    /// Bytes that equal fetched ones and are written again.
    pub fn repeated_bytes(&self) -> u64 {
        self.repeated
    }

    /// Bytes that need not be fetched: copied or repeated.
    pub fn matched_bytes(&self) -> u64 {
        self.copied + self.repeated
    }

    /// Bytes that there are steps for.
    pub fn wanted_bytes(&self) -> u64 {
        self.copied + self.fetched + self.repeated
    }

    /// The blocks that there are steps for, ascending; no two ranges touch.
    pub fn blocks(&self) -> Vec<BlockRange> {
        let mut all: Vec<BlockRange> = Vec::new();
        for step in &self.steps {
            let blocks = match *step {
                Step::Copy { target, .. } => self.cut.within(target),
                Step::Fetch { blocks } | Step::Repeat { blocks, .. } => blocks,
            };
            match all.last_mut() {
                Some(last) if last.end == blocks.start => last.end = blocks.end,
                _ => all.push(blocks),
            }
        }
        all
    }

    /// For each of `seeds` seeds the ranges that are copied, ascending; no two touch.
    pub fn copied_ranges(&self, seeds: usize) -> Vec<Vec<ByteRange>> {
        let mut copied = vec![Vec::new(); seeds];
        for step in &self.steps {
            if let Step::Copy { target, seed, offset } = *step {
                copied[usize::from(seed.0)].push(ByteRange::at(offset, target.len()));
            }
        }
        copied.into_iter().map(ranges::merged).collect()
    }

    /// The ranges of the target to fetch, ascending; no two touch.
    pub fn fetch_ranges(&self) -> Vec<ByteRange> {
        let fetched = || {
            self.steps.iter().filter_map(|step| match step {
                Step::Fetch { blocks } => Some(*blocks),
                _ => None,
            })
        };
        let mut ranges = Vec::with_capacity(fetched().count());
        ranges.extend(fetched().map(|blocks| self.cut.bytes(blocks)));
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::BlockLayout;

    #[test]
    fn a_long_plan_is_shown_in_short() {
        let mut plan = Plan::new(Cut::at((0..=100_000).collect::<Vec<u64>>()));
        (0..100_000).for_each(|block| plan.copy(BlockId(block), SeedId((block % 2) as u16), 0));
        let shown = format!("{plan:?}");
        assert!(shown.contains("[100000 of them]") && shown.len() < 200, "{shown}");
    }

    #[test]
    fn joins_what_touches() {
        let mut plan = Plan::new(BlockLayout::new(75, 10).unwrap());
        plan.copy(BlockId(0), SeedId(0), 100);
        plan.copy(BlockId(1), SeedId(0), 110);
        plan.copy(BlockId(2), SeedId(1), 120);
        plan.fetch(BlockId(3));
        plan.fetch(BlockId(4));
        plan.repeat(BlockId(5), BlockId(3));
        plan.repeat(BlockId(6), BlockId(3));
        plan.fetch(BlockId(7));
        assert_eq!(plan.steps().len(), 5);
        assert_eq!(plan.fetch_ranges(), [ByteRange::at(30, 20), ByteRange::at(70, 5)]);
        let copied = [vec![ByteRange::at(100, 20)], vec![ByteRange::at(120, 10)], vec![]];
        assert_eq!(plan.copied_ranges(3), copied);
        assert_eq!((plan.copied_bytes(), plan.fetched_bytes(), plan.repeated_bytes()), (30, 25, 20));
    }

    #[test]
    fn fetching_all_of_nothing_is_no_step() {
        assert!(Plan::fetch_all(BlockLayout::new(0, 10).unwrap()).steps().is_empty());
        assert_eq!(Plan::fetch_all(BlockLayout::new(11, 10).unwrap()).fetched_bytes(), 11);
    }
}
