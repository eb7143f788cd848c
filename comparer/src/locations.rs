//! Where each block of the target was found.

use gosync_chunks::{BlockId, BlockLayout, EqualBlocks, Plan, SeedId, Step};

/// A place in a seed, so encoded that the better of two is the smaller number: places
/// at the block's own offset come first, then those in earlier seeds, then those
/// further to the front. Taking the minimum gives the same result in whatever order
/// the threads come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64);

const OFFSET_BITS: u32 = 48;
const MOVED: u64 = 1 << 63;

impl Place {
    const NOWHERE: Self = Self(u64::MAX);

    fn new(seed: SeedId, offset: u64, moved: bool) -> Self {
        let moved = if moved { MOVED } else { 0 };
        Self(moved | u64::from(seed.0) << OFFSET_BITS | offset)
    }

    fn seed(self) -> SeedId {
        SeedId(((self.0 & !MOVED) >> OFFSET_BITS) as u16)
    }

    fn offset(self) -> u64 {
        self.0 & ((1 << OFFSET_BITS) - 1)
    }
}

/// Where the bytes of a block come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From this offset of a seed.
    Seed(SeedId, u64),
    /// From the source: no seed has it, nor what equals it.
    Source,
    /// From that block, which is equal, stands before it and comes from the source.
    Block(BlockId),
}

/// The most seeds whose number fits into a place.
pub(crate) const MAX_SEEDS: usize = (1 << (63 - OFFSET_BITS)) - 1;

/// The longest seed whose offsets fit into a place, in bytes.
pub(crate) const MAX_SEED_SIZE: u64 = 1 << OFFSET_BITS;

/// The best place of every block.
pub(crate) struct Locations {
    pub(crate) layout: BlockLayout,
    places: Vec<Place>,
}

impl Locations {
    pub(crate) fn new(layout: BlockLayout) -> Self {
        Self { layout, places: vec![Place::NOWHERE; layout.block_count() as usize] }
    }

    /// Where each block's bytes come from, ascending by block, as far as something was found of it
    /// or of an equal one.
    pub(crate) fn origins(&mut self, equal: &EqualBlocks) -> impl Iterator<Item = (BlockId, Origin)> {
        // A place of any block of a group will do for the first, and so for all.
        for (block, first) in equal.iter() {
            if self.places[first.index()] == Place::NOWHERE {
                self.places[first.index()] = self.places[block.index()];
            }
        }
        let mut equal = equal.iter().peekable();
        self.layout.blocks().iter().map(move |block| {
            let first = equal.next_if(|&(later, _)| later == block).map_or(block, |(_, first)| first);
            let own = self.places[block.index()];
            let place = if own == Place::NOWHERE { self.places[first.index()] } else { own };
            let origin = match place {
                Place::NOWHERE if first == block => Origin::Source,
                Place::NOWHERE => Origin::Block(first),
                place => Origin::Seed(place.seed(), place.offset()),
            };
            (block, origin)
        })
    }

    /// Those that `plan` copies from.
    pub(crate) fn of(layout: BlockLayout, plan: &Plan) -> Self {
        let mut locations = Self::new(layout);
        for step in plan.steps() {
            if let Step::Copy { target, seed, offset } = *step {
                for block in plan.cut().covering(target).iter() {
                    locations.add(block, seed, offset + (layout.range(block).start - target.start));
                }
            }
        }
        locations
    }

    /// `block` is in `seed` at `offset`.
    pub(crate) fn add(&mut self, block: BlockId, seed: SeedId, offset: u64) {
        let moved = self.layout.range(block).start != offset;
        let place = &mut self.places[block.index()];
        *place = (*place).min(Place::new(seed, offset, moved));
    }

    /// Copies what was found, wherever an equal block was; fetches the rest, of equal
    /// blocks only the first.
    pub(crate) fn plan(mut self, equal: &EqualBlocks) -> Plan {
        let mut plan = Plan::new(self.layout);
        for (block, origin) in self.origins(equal) {
            match origin {
                Origin::Seed(seed, offset) => plan.copy(block, seed, offset),
                Origin::Source => plan.fetch(block),
                Origin::Block(first) => plan.repeat(block, first),
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::{BlockRange, ByteRange, Step};

    fn copy(block: u64, seed: u16, offset: u64) -> Step {
        Step::Copy { target: ByteRange::at(block * 10, 10), seed: SeedId(seed), offset }
    }

    #[test]
    fn the_best_place_wins_in_any_order() {
        let mut places = [(SeedId(0), 7), (SeedId(1), 3), (SeedId(2), 10), (SeedId(0), 900), (SeedId(0), 4)];
        let best = [copy(1, 2, 10), copy(1, 0, 4), copy(1, 0, 7)];
        for _ in 0..places.len() {
            places.rotate_left(1);
            let mut locations = Locations::new(BlockLayout::new(20, 10).unwrap());
            places.iter().for_each(|&(seed, offset)| locations.add(BlockId(1), seed, offset));
            assert_eq!(locations.plan(&EqualBlocks::default()).steps()[1], best[0], "at its own offset");
        }
        let mut locations = Locations::new(BlockLayout::new(20, 10).unwrap());
        locations.add(BlockId(1), SeedId(1), 3);
        locations.add(BlockId(1), SeedId(0), 7);
        locations.add(BlockId(1), SeedId(0), 4);
        assert_eq!(locations.plan(&EqualBlocks::default()).steps()[1], best[1], "in the first seed, at the front");
    }

    #[test]
    fn equal_blocks_share_a_place_or_one_fetch() {
        let equal =
            EqualBlocks::new(vec![(BlockId(2), BlockId(0)), (BlockId(4), BlockId(0)), (BlockId(5), BlockId(3))]);
        let mut locations = Locations::new(BlockLayout::new(60, 10).unwrap());
        locations.add(BlockId(4), SeedId(0), 5);
        assert_eq!(
            locations.plan(&equal).steps(),
            [
                copy(0, 0, 5),
                Step::Fetch { blocks: BlockRange { start: BlockId(1), end: BlockId(2) } },
                copy(2, 0, 5),
                Step::Fetch { blocks: BlockRange { start: BlockId(3), end: BlockId(4) } },
                copy(4, 0, 5),
                Step::Repeat { blocks: BlockRange { start: BlockId(5), end: BlockId(6) }, of: BlockId(3) },
            ]
        );
    }
}
