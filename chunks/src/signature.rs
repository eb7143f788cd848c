//! The sums of all blocks of a target.

use std::fmt;
use std::sync::Arc;

use crate::block::{BlockId, BlockLayout};
use crate::cut::Cut;
use crate::strong::{StrongHasher, StrongSum};
use crate::weak::WeakHasher;

/// A weak and a strong sum of every block of a target, which is cut evenly.
///
/// Kept in columns, so that it takes no more memory than its sums take on disk.
#[derive(Clone)]
pub struct Signature {
    layout: BlockLayout,
    weak: Vec<u32>,
    sums: BlockSums,
    /// The weak sum of a probe, where it is known what makes them.
    probe: Option<u32>,
}

/// Bytes that two kinds of weak sums do not have one sum for.
const PROBE: &[u8] = b"A search rolls one sum over the seeds: the blocks must have it.";

/// A strong sum of every block of a target: what tells whether bytes are that block.
#[derive(Clone)]
pub struct BlockSums {
    cut: Cut,
    strong: Vec<u8>,
    hasher: Arc<dyn StrongHasher>,
}

/// A column of a signature has not one sum for every block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{actual} bytes of {column} sums, where {expected} are one for each block")]
pub struct ColumnError {
    /// Which column: weak or strong.
    pub column: &'static str,
    /// Bytes of one sum for each block.
    pub expected: usize,
    /// Bytes that there are.
    pub actual: usize,
}

impl ColumnError {
    fn check(column: &'static str, blocks: u32, sum_len: usize, actual: usize) -> Result<(), Self> {
        let expected = (blocks as usize).saturating_mul(sum_len);
        if actual == expected { Ok(()) } else { Err(Self { column, expected, actual }) }
    }
}

/// A block is not what the signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("block {block} does not have the sum that the index gives")]
pub struct Mismatch {
    /// The block.
    pub block: BlockId,
}

/// A block whose bytes have the strong sum that its target gives. Only
/// [`BlockSums::verify`] makes one, so a function that takes one need not ask.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedBlock<'a> {
    id: BlockId,
    data: &'a [u8],
}

impl<'a> VerifiedBlock<'a> {
    /// Which block it is.
    pub fn id(self) -> BlockId {
        self.id
    }

    /// Its bytes.
    pub fn data(self) -> &'a [u8] {
        self.data
    }
}

impl BlockSums {
    /// The sums of the blocks of `cut`, one after another in `strong`.
    ///
    /// # Errors
    ///
    /// When `strong` has not one sum for every block.
    pub fn new(cut: impl Into<Cut>, strong: Vec<u8>, hasher: Arc<dyn StrongHasher>) -> Result<Self, ColumnError> {
        let cut = cut.into();
        ColumnError::check("strong", cut.block_count(), hasher.sum_len(), strong.len())?;
        Ok(Self { cut, strong, hasher })
    }

    /// How the target is cut into blocks.
    pub fn cut(&self) -> &Cut {
        &self.cut
    }

    /// What makes the sums.
    pub fn hasher(&self) -> &dyn StrongHasher {
        &*self.hasher
    }

    /// The sums, one after another.
    pub fn strong_column(&self) -> &[u8] {
        &self.strong
    }

    /// The sum of `block`.
    pub fn strong(&self, block: BlockId) -> &[u8] {
        let len = self.hasher.sum_len();
        &self.strong[block.index() * len..][..len]
    }

    /// Whether `strong` is the sum of `block`.
    pub fn has_strong(&self, block: BlockId, strong: &StrongSum) -> bool {
        self.strong(block) == strong.as_bytes()
    }

    /// Checks that `data` is `block`, by length and strong sum.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn verify<'a>(&self, block: BlockId, data: &'a [u8]) -> Result<VerifiedBlock<'a>, Mismatch> {
        if data.len() == self.cut.block_len(block) && self.has_strong(block, &self.hasher.sum(data)) {
            Ok(VerifiedBlock { id: block, data })
        } else {
            Err(Mismatch { block })
        }
    }
}

impl Signature {
    /// Puts columns of sums together.
    ///
    /// # Errors
    ///
    /// When a column has not one sum for every block of `layout`.
    pub fn new(
        layout: BlockLayout,
        weak: Vec<u32>,
        strong: Vec<u8>,
        hasher: Arc<dyn StrongHasher>,
    ) -> Result<Self, ColumnError> {
        ColumnError::check("weak", layout.block_count(), size_of::<u32>(), weak.len() * size_of::<u32>())?;
        Ok(Self { layout, weak, sums: BlockSums::new(layout, strong, hasher)?, probe: None })
    }

    /// Notes that `hasher` made the weak sums, so that a search by another sum is refused instead
    /// of finding nothing.
    #[must_use]
    pub fn with_weak_hasher(mut self, hasher: &dyn WeakHasher) -> Self {
        self.probe = Some(hasher.sum(self.probe()));
        self
    }

    /// Whether `sum` makes the weak sums of blocks; also where it is not known what made them. It
    /// is asked for that of a block which may be shorter than the others.
    pub fn has_weak_sums_of(&self, sum: impl FnOnce(&[u8]) -> u32) -> bool {
        self.probe.is_none_or(|probe| sum(self.probe()) == probe)
    }

    fn probe(&self) -> &'static [u8] {
        &PROBE[..PROBE.len().min(self.layout.block_size() as usize)]
    }

    /// How the target is cut into blocks.
    pub fn layout(&self) -> BlockLayout {
        self.layout
    }

    /// The strong sums of the blocks, for callers that need not find blocks.
    pub fn sums(&self) -> &BlockSums {
        &self.sums
    }

    /// The strong sums of the blocks, once nothing is searched for any more.
    pub fn into_sums(self) -> BlockSums {
        self.sums
    }

    /// What makes the strong sums.
    pub fn hasher(&self) -> &dyn StrongHasher {
        self.sums.hasher()
    }

    /// The weak sums, one after another.
    pub fn weak_column(&self) -> &[u32] {
        &self.weak
    }

    /// The strong sums, one after another.
    pub fn strong_column(&self) -> &[u8] {
        self.sums.strong_column()
    }

    /// The weak sum of `block`.
    pub fn weak(&self, block: BlockId) -> u32 {
        self.weak[block.index()]
    }

    /// The strong sum of `block`.
    pub fn strong(&self, block: BlockId) -> &[u8] {
        self.sums.strong(block)
    }

    /// Whether `strong` is the strong sum of `block`.
    pub fn has_strong(&self, block: BlockId, strong: &StrongSum) -> bool {
        self.sums.has_strong(block, strong)
    }

    /// Checks that `data` is `block`, by length and strong sum.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn verify<'a>(&self, block: BlockId, data: &'a [u8]) -> Result<VerifiedBlock<'a>, Mismatch> {
        self.sums.verify(block, data)
    }

    /// Bytes of memory in use.
    pub fn memory(&self) -> usize {
        size_of::<u32>() * self.weak.capacity() + self.sums.strong.capacity()
    }
}

impl fmt::Debug for BlockSums {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlockSums")
            .field("cut", &self.cut)
            .field("hasher", &self.hasher)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signature")
            .field("layout", &self.layout)
            .field("hasher", &self.sums.hasher)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.layout == other.layout && self.weak == other.weak && self.strong_column() == other.strong_column()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Last;

    impl StrongHasher for Last {
        fn sum_len(&self) -> usize {
            1
        }

        fn sum(&self, block: &[u8]) -> StrongSum {
            StrongSum::truncate(&[block.last().copied().unwrap_or(0)], 1)
        }
    }

    struct First;

    impl WeakHasher for First {
        fn sum(&self, block: &[u8]) -> u32 {
            block.first().copied().unwrap_or(0).into()
        }
    }

    fn signature(weak: usize, strong: usize) -> Result<Signature, ColumnError> {
        Signature::new(BlockLayout::new(10, 4).unwrap(), vec![0; weak], vec![0; strong], Arc::new(Last))
    }

    #[test]
    fn columns_have_one_sum_for_every_block() {
        assert!(signature(3, 3).is_ok());
        assert_eq!(signature(2, 3).unwrap_err(), ColumnError { column: "weak", expected: 12, actual: 8 });
        assert_eq!(signature(4, 3).unwrap_err(), ColumnError { column: "weak", expected: 12, actual: 16 });
        for strong in [0, 2, 4] {
            assert_eq!(
                signature(3, strong).unwrap_err(),
                ColumnError { column: "strong", expected: 3, actual: strong }
            );
        }
    }

    #[test]
    fn another_weak_sum_is_noticed() {
        let unknown = signature(3, 3).unwrap();
        assert!(unknown.has_weak_sums_of(|_| 7));
        let known = unknown.with_weak_hasher(&First);
        assert!(known.has_weak_sums_of(|block| First.sum(block)) && !known.has_weak_sums_of(|_| 7));
    }
}
