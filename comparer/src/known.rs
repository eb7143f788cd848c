//! Blocks that were found already, of which more places are of no use.
//!
//! Where matches may overlap, data near a run has some blocks at a great many places, each of
//! which would be looked up, summed and reported.

use gosync_chunks::BlockId;

/// Blocks known at a time.
const KNOWN: usize = 1 << 12;

/// Some of the blocks that were found: of those whose numbers end alike, the last.
#[derive(Default)]
pub(crate) struct KnownBlocks {
    /// Empty until one is found.
    last: Vec<Option<BlockId>>,
}

impl KnownBlocks {
    pub(crate) fn add(&mut self, block: BlockId) {
        self.last.resize(KNOWN, None);
        self.last[block.index() % KNOWN] = Some(block);
    }

    /// Whether `block` was found. May not know of it.
    pub(crate) fn has(&self, block: BlockId) -> bool {
        self.last.get(block.index() % KNOWN) == Some(&Some(block))
    }
}

/// The one of `blocks`, if there is just one, and how many there are.
pub(crate) fn only(mut blocks: impl Iterator<Item = BlockId>) -> (Option<BlockId>, u64) {
    let Some(first) = blocks.next() else { return (None, 0) };
    let others = blocks.count() as u64;
    ((others == 0).then_some(first), 1 + others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_found_is_known() {
        let mut known = KnownBlocks::default();
        assert!(!known.has(BlockId(0)));
        known.add(BlockId(7));
        assert!(known.has(BlockId(7)) && !known.has(BlockId(0)) && !known.has(BlockId(7 + KNOWN as u32)));
        known.add(BlockId(7 + KNOWN as u32));
        assert!(!known.has(BlockId(7)), "it was forgotten");
    }

    #[test]
    fn the_only_one() {
        let blocks = |count: u32| (5..5 + count).map(BlockId);
        assert_eq!(only(blocks(0)), (None, 0));
        assert_eq!(only(blocks(1)), (Some(BlockId(5)), 1));
        assert_eq!(only(blocks(3)), (None, 3));
    }
}
