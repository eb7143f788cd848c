//! How a target is cut into blocks that need not have one size.

use std::fmt;
use std::sync::Arc;

use crate::block::{BlockId, BlockLayout, BlockRange, ByteRange, MAX_BLOCK_SIZE};
use crate::brief::Brief;

/// The cut of a target into consecutive blocks, of one size or of several.
///
/// What is compared is cut evenly, since a window of one size rolls over the seeds. What
/// comes of several such comparisons, with blocks of several sizes, is cut as it comes.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut(Shape);

#[derive(Clone, PartialEq, Eq)]
enum Shape {
    Even(BlockLayout),
    Uneven {
        /// Where each block begins, and where the last one ends.
        bounds: Arc<[u64]>,
        largest: u32,
    },
}

impl fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Even(layout) => layout.fmt(formatter),
            Self::Uneven { bounds, largest } => {
                formatter.debug_struct("Uneven").field("bounds", &Brief(bounds)).field("largest", largest).finish()
            }
        }
    }
}

impl Cut {
    /// The cut at `bounds`: where each block begins, and where the last one ends.
    ///
    /// # Panics
    ///
    /// When `bounds` does not begin with 0 or does not ascend, or a block is longer than
    /// [`MAX_BLOCK_SIZE`], or there are 2^32 blocks or more.
    pub fn at(bounds: impl Into<Arc<[u64]>>) -> Self {
        let bounds = bounds.into();
        assert_eq!(bounds.first(), Some(&0), "the first block begins with the target");
        assert!(u32::try_from(bounds.len()).is_ok(), "fewer than 2^32 blocks");
        let lengths = bounds.windows(2).map(|pair| {
            let ascends = pair[0] < pair[1] && pair[1] - pair[0] <= MAX_BLOCK_SIZE.into();
            assert!(ascends, "blocks of 1 to {MAX_BLOCK_SIZE} bytes");
            (pair[1] - pair[0]) as u32
        });
        let largest = lengths.max().unwrap_or(1);
        Self(Shape::Uneven { bounds, largest })
    }

    /// Length of the target in bytes.
    pub fn length(&self) -> u64 {
        match &self.0 {
            Shape::Even(layout) => layout.length(),
            Shape::Uneven { bounds, .. } => bounds[bounds.len() - 1],
        }
    }

    /// How many blocks there are.
    pub fn block_count(&self) -> u32 {
        match &self.0 {
            Shape::Even(layout) => layout.block_count(),
            Shape::Uneven { bounds, .. } => bounds.len() as u32 - 1,
        }
    }

    /// Every block.
    pub fn blocks(&self) -> BlockRange {
        BlockRange { start: BlockId(0), end: BlockId(self.block_count()) }
    }

    /// No block is longer, in bytes; at least 1.
    pub fn largest_block(&self) -> u32 {
        match &self.0 {
            Shape::Even(layout) => layout.block_size(),
            Shape::Uneven { largest, .. } => *largest,
        }
    }

    /// The bytes of the target that make up `block`.
    pub fn range(&self, block: BlockId) -> ByteRange {
        self.bytes(BlockRange { start: block, end: block.next() })
    }

    /// The bytes of the target that make up `blocks`.
    pub fn bytes(&self, blocks: BlockRange) -> ByteRange {
        match &self.0 {
            Shape::Even(layout) => layout.bytes(blocks),
            Shape::Uneven { bounds, .. } => {
                ByteRange { start: bounds[blocks.start.index()], end: bounds[blocks.end.index()] }
            }
        }
    }

    /// Length of `block` in bytes.
    pub fn block_len(&self, block: BlockId) -> usize {
        self.range(block).len() as usize
    }

    /// The block that has the byte at `offset`, or the end of all where nothing is there.
    pub fn block_at(&self, offset: u64) -> BlockId {
        if offset >= self.length() {
            return self.blocks().end;
        }
        match &self.0 {
            Shape::Even(layout) => BlockId((offset / u64::from(layout.block_size())) as u32),
            Shape::Uneven { bounds, .. } => BlockId(bounds.partition_point(|&bound| bound <= offset) as u32 - 1),
        }
    }

    /// The blocks that have bytes of `range`, which is not empty.
    pub fn covering(&self, range: ByteRange) -> BlockRange {
        let last = self.block_at(range.end.saturating_sub(1));
        BlockRange { start: self.block_at(range.start), end: self.blocks().end.min(BlockId(last.0.saturating_add(1))) }
    }

    /// The blocks that lie whole in `range`, wherever that begins and ends.
    pub fn within(&self, range: ByteRange) -> BlockRange {
        let first = self.block_at(range.start);
        let begins = first == self.blocks().end || self.range(first).start == range.start;
        let start = if begins { first } else { first.next() };
        BlockRange { start, end: self.block_at(range.end).max(start) }
    }
}

impl From<BlockLayout> for Cut {
    fn from(layout: BlockLayout) -> Self {
        Self(Shape::Even(layout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_or_not_the_answers_are_the_same() {
        let layout = BlockLayout::new(35, 10).unwrap();
        let even = Cut::from(layout);
        let uneven = Cut::at([0, 10, 20, 30, 35]);
        for cut in [&even, &uneven] {
            assert_eq!((cut.length(), cut.block_count(), cut.largest_block()), (35, 4, 10));
            for offset in 0..40 {
                let block = if offset < 35 { offset as u32 / 10 } else { 4 };
                assert_eq!(cut.block_at(offset).0, block, "{offset}");
            }
            for block in layout.blocks().iter() {
                assert_eq!(cut.range(block), layout.range(block));
            }
            for start in 0..35 {
                for end in start + 1..=35 {
                    let covering = cut.covering(ByteRange { start, end });
                    assert_eq!((covering.start.0, covering.end.0), (start as u32 / 10, (end as u32 - 1) / 10 + 1));
                    let within = cut.within(ByteRange { start, end });
                    let ends = if end == 35 { 4 } else { end as u32 / 10 };
                    let starts = (start as u32).div_ceil(10);
                    assert_eq!((within.start.0, within.end.0), (starts, ends.max(starts)), "{start}..{end}");
                }
            }
        }
    }

    #[test]
    fn sizes_may_differ() {
        let cut = Cut::at([0, 64, 65, 67, 100]);
        let sizes: Vec<_> = cut.blocks().iter().map(|block| cut.block_len(block)).collect();
        assert_eq!((sizes, cut.largest_block()), (vec![64, 1, 2, 33], 64));
        assert_eq!(cut.covering(ByteRange { start: 64, end: 66 }), BlockRange { start: BlockId(1), end: BlockId(3) });
        assert_eq!(Cut::at([0]).block_count(), 0);
        assert_eq!(Cut::at([0]).blocks(), Cut::at([0]).within(ByteRange::default()));
    }
}
