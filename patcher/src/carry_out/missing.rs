//! Which blocks are still to come.

use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{BlockId, BlockRange};

/// A set of blocks that shrinks, a bit for each; shared by all who deliver.
pub(crate) struct Missing {
    /// The block of the lowest bit.
    first: BlockId,
    words: Vec<AtomicU64>,
}

impl Missing {
    /// All of `blocks`, which ascend.
    pub(crate) fn new(blocks: &[BlockRange]) -> Self {
        let first = blocks.first().map_or(BlockId(0), |range| range.start);
        let end = blocks.last().map_or(first, |range| range.end);
        let mut words = vec![0u64; ((end.0 - first.0) as usize).div_ceil(64)];
        for block in blocks.iter().flat_map(|range| range.iter()) {
            let bit = (block.0 - first.0) as usize;
            words[bit / 64] |= 1 << (bit % 64);
        }
        Self { first, words: words.into_iter().map(AtomicU64::new).collect() }
    }

    pub(crate) fn contains(&self, block: BlockId) -> bool {
        self.bit(block).is_some_and(|(word, mask)| word.load(Ordering::Relaxed) & mask != 0)
    }

    /// Takes `block` out, and says whether it was there: of all who try, one is told so.
    pub(crate) fn remove(&self, block: BlockId) -> bool {
        self.bit(block).is_some_and(|(word, mask)| word.fetch_and(!mask, Ordering::Relaxed) & mask != 0)
    }

    /// What is left, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = BlockId> {
        let first = self.first.0;
        self.words.iter().enumerate().flat_map(move |(at, word)| {
            let word = word.load(Ordering::Relaxed);
            let bits = (0..64).filter(move |bit| word >> bit & 1 != 0);
            bits.map(move |bit| BlockId(first + at as u32 * 64 + bit))
        })
    }

    fn bit(&self, block: BlockId) -> Option<(&AtomicU64, u64)> {
        let bit = block.0.checked_sub(self.first.0)? as usize;
        Some((self.words.get(bit / 64)?, 1 << (bit % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinks_to_nothing() {
        let range = |start, end| BlockRange { start: BlockId(start), end: BlockId(end) };
        let missing = Missing::new(&[range(70, 72), range(100, 101), range(133, 135)]);
        let blocks = [70, 71, 100, 133, 134].map(BlockId);
        assert_eq!(missing.iter().collect::<Vec<_>>(), blocks);
        for absent in [0, 69, 72, 99, 101, 132, 135, 5_000_000].map(BlockId) {
            assert!(!missing.contains(absent) && !missing.remove(absent), "{absent}");
        }
        for block in blocks {
            assert!(missing.contains(block) && missing.remove(block) && !missing.remove(block));
        }
        assert_eq!(missing.iter().count(), 0);
        assert_eq!(Missing::new(&[]).iter().count(), 0);
    }
}
