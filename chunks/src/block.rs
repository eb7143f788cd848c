//! How a target is cut into blocks.

use std::fmt;
use std::ops::Range;

/// The largest block size, in bytes, that a [`BlockLayout`] accepts.
///
/// Every thread that sums or compares holds a few blocks in memory, so the limit is
/// what keeps a hostile index from asking for all of it.
pub const MAX_BLOCK_SIZE: u32 = 16 << 20;

/// The number of a block in its target, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u32);

impl BlockId {
    /// The block after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The block's number as an index into columns.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Consecutive blocks: `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRange {
    /// The first block.
    pub start: BlockId,
    /// The block after the last.
    pub end: BlockId,
}

impl BlockRange {
    /// How many blocks there are.
    pub fn len(self) -> usize {
        (self.end.0 - self.start.0) as usize
    }

    /// Whether there is no block.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The blocks in ascending order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = BlockId> {
        (self.start.0..self.end.0).map(BlockId)
    }
}

/// Bytes `start` up to, not including, `end`, counted from the start of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

impl ByteRange {
    /// The range of `len` bytes from `start` on.
    pub fn at(start: u64, len: u64) -> Self {
        Self { start, end: start + len }
    }

    /// How many bytes there are.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether there is no byte.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Whether all of `other` lies in this range.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

impl From<Range<u64>> for ByteRange {
    fn from(range: Range<u64>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.start, self.end)
    }
}

/// The cut of a target of some length into blocks of one size; the last may be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLayout {
    length: u64,
    block_size: u32,
}

/// Why a length and a block size make no layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The block size is 0 or above [`MAX_BLOCK_SIZE`].
    #[error("block size {0} is not between 1 and {MAX_BLOCK_SIZE}")]
    BlockSize(u64),
    /// The target would have 2^32 blocks or more.
    #[error("{length} bytes in blocks of {block_size} make more than 2^32 - 1 blocks; choose larger blocks")]
    TooManyBlocks {
        /// Length of the target in bytes.
        length: u64,
        /// Size of a block in bytes.
        block_size: u32,
    },
}

impl BlockLayout {
    /// Cuts `length` bytes into blocks of `block_size` bytes.
    ///
    /// # Errors
    ///
    /// When the block size is 0 or above [`MAX_BLOCK_SIZE`], or there would be 2^32
    /// blocks or more.
    pub fn new(length: u64, block_size: u32) -> Result<Self, LayoutError> {
        if block_size > MAX_BLOCK_SIZE {
            return Err(LayoutError::BlockSize(block_size.into()));
        }
        Self::of_large_blocks(length, block_size)
    }

    /// As [`Self::new`], for formats whose blocks can be larger than [`MAX_BLOCK_SIZE`].
    ///
    /// # Errors
    ///
    /// When the block size is 0, or there would be 2^32 blocks or more.
    pub fn of_large_blocks(length: u64, block_size: u32) -> Result<Self, LayoutError> {
        if block_size == 0 {
            return Err(LayoutError::BlockSize(0));
        }
        if length.div_ceil(block_size.into()) > u32::MAX.into() {
            return Err(LayoutError::TooManyBlocks { length, block_size });
        }
        Ok(Self { length, block_size })
    }

    /// Length of the target in bytes.
    pub fn length(self) -> u64 {
        self.length
    }

    /// Size of every block but the last, in bytes.
    pub fn block_size(self) -> u32 {
        self.block_size
    }

    /// How many blocks there are, a short last one included.
    pub fn block_count(self) -> u32 {
        // Bounded by `new`.
        self.length.div_ceil(self.block_size.into()) as u32
    }

    /// Every block.
    pub fn blocks(self) -> BlockRange {
        BlockRange { start: BlockId(0), end: BlockId(self.block_count()) }
    }

    /// The bytes of the target that make up `block`.
    pub fn range(self, block: BlockId) -> ByteRange {
        self.bytes(BlockRange { start: block, end: block.next() })
    }

    /// The bytes of the target that make up `blocks`.
    pub fn bytes(self, blocks: BlockRange) -> ByteRange {
        let offset = |block: BlockId| (u64::from(block.0) * u64::from(self.block_size)).min(self.length);
        ByteRange { start: offset(blocks.start), end: offset(blocks.end) }
    }

    /// Length of `block` in bytes: the block size, or less for the last.
    pub fn block_len(self, block: BlockId) -> usize {
        self.range(block).len() as usize
    }

    /// The last block, when it is shorter than the others.
    pub fn short_block(self) -> Option<BlockId> {
        (!self.length.is_multiple_of(self.block_size.into())).then(|| BlockId(self.block_count() - 1))
    }

    /// The block that begins at `offset`, when one of full size does.
    pub fn full_block_at(self, offset: u64) -> Option<BlockId> {
        let size = u64::from(self.block_size);
        (offset.is_multiple_of(size) && offset < self.length && self.length - offset >= size)
            .then(|| BlockId((offset / size) as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_every_boundary() {
        for (length, count, last) in [(0, 0, 0), (1, 1, 1), (7, 1, 7), (8, 1, 8), (9, 2, 1), (16, 2, 8), (17, 3, 1)] {
            let layout = BlockLayout::new(length, 8).unwrap();
            assert_eq!(layout.block_count(), count, "{length}");
            assert_eq!(layout.blocks().iter().map(|block| layout.range(block).len()).sum::<u64>(), length);
            if count > 0 {
                assert_eq!(layout.block_len(BlockId(count - 1)), last, "{length}");
            }
            assert_eq!(layout.short_block().is_some(), length % 8 != 0);
        }
    }

    #[test]
    fn knows_which_full_block_begins_where() {
        let layout = BlockLayout::new(20, 8).unwrap();
        assert_eq!(layout.full_block_at(0), Some(BlockId(0)));
        assert_eq!(layout.full_block_at(8), Some(BlockId(1)));
        assert_eq!(layout.full_block_at(16), None, "the last block is short");
        assert_eq!(layout.full_block_at(4), None);
        assert_eq!(layout.full_block_at(24), None);
    }

    #[test]
    fn refuses_absurd_layouts() {
        assert_eq!(BlockLayout::new(1, 0), Err(LayoutError::BlockSize(0)));
        assert_eq!(BlockLayout::new(1, 1 << 31), Err(LayoutError::BlockSize(1 << 31)));
        assert!(matches!(BlockLayout::new(1 << 60, 8192), Err(LayoutError::TooManyBlocks { .. })));
        assert!(BlockLayout::new(u64::from(u32::MAX), 1).is_ok());
        assert!(BlockLayout::new(1 << 32, 1).is_err());
    }
}
