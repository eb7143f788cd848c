//! Which fetched blocks a stream keeps, since it cannot be read back.

use std::collections::BTreeMap;

use gosync_chunks::{BlockId, BlockRange, Plan, Step};

/// The blocks to keep, with how many steps repeat each.
///
/// Decided before anything is fetched: first come, first kept, as far as there is room;
/// the repeats of other blocks are fetched like any block, joined with what is fetched around them.
#[derive(Clone)]
pub(crate) struct Kept {
    steps: BTreeMap<BlockId, u32>,
}

impl Kept {
    /// Never more than `room` bytes of blocks at once.
    pub(crate) fn new(plan: &Plan, room: usize) -> Self {
        let mut wanted: BTreeMap<BlockId, u32> = BTreeMap::new();
        for step in plan.steps() {
            if let Step::Repeat { of, .. } = step {
                *wanted.entry(*of).or_default() += 1;
            }
        }
        let mut kept = BTreeMap::new();
        let mut live: BTreeMap<BlockId, u32> = BTreeMap::new();
        let most = room / plan.cut().largest_block() as usize;
        for step in plan.steps() {
            match step {
                Step::Fetch { blocks } => {
                    let free = most.saturating_sub(live.len());
                    for (&block, &steps) in wanted.range(blocks.start..blocks.end).take(free) {
                        kept.insert(block, steps);
                        live.insert(block, steps);
                    }
                }
                Step::Repeat { of, .. } => {
                    if let Some(steps) = live.get_mut(of) {
                        *steps -= 1;
                        if *steps == 0 {
                            live.remove(of);
                        }
                    }
                }
                Step::Copy { .. } => {}
            }
        }
        Self { steps: kept }
    }

    /// The blocks to keep among `blocks`, and how many steps repeat each.
    pub(crate) fn among(&self, blocks: BlockRange) -> impl Iterator<Item = (BlockId, u32)> {
        self.steps.range(blocks.start..blocks.end).map(|(&block, &steps)| (block, steps))
    }

    /// The blocks that `step` needs from the source.
    pub(crate) fn fetched(&self, step: &Step) -> Option<BlockRange> {
        match step {
            Step::Fetch { blocks } => Some(*blocks),
            Step::Repeat { blocks, of } => (!self.steps.contains_key(of)).then_some(*blocks),
            Step::Copy { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::BlockLayout;

    #[test]
    fn keeps_what_fits() {
        let mut plan = Plan::new(BlockLayout::new(90, 10).unwrap());
        (0..3).for_each(|block| plan.fetch(BlockId(block)));
        plan.repeat(BlockId(3), BlockId(2));
        plan.repeat(BlockId(4), BlockId(0));
        plan.repeat(BlockId(5), BlockId(1));
        plan.fetch(BlockId(6));
        plan.repeat(BlockId(7), BlockId(6));
        plan.repeat(BlockId(8), BlockId(0));

        let kept = |room| Kept::new(&plan, room).among(plan.cut().blocks()).map(|(id, steps)| (id.0, steps)).collect();
        let all: Vec<_> = kept(1000);
        assert_eq!(all, [(0, 2), (1, 1), (2, 1), (6, 1)]);
        assert_eq!(kept(20), [(0, 2), (1, 1), (6, 1)], "block 1 makes room for block 6");
        assert_eq!(kept(19), [(0, 2)]);
        assert_eq!(kept(9), []);

        let fetched = |room| {
            let kept = Kept::new(&plan, room);
            plan.steps().iter().filter_map(|step| kept.fetched(step)).map(|blocks| blocks.start.0).collect::<Vec<_>>()
        };
        assert_eq!(fetched(1000), [0, 6]);
        assert_eq!(fetched(20), [0, 3, 6]);
        assert_eq!(fetched(9), [0, 3, 4, 5, 6, 7, 8]);
    }
}
