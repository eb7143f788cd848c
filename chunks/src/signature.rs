//! The sums of all blocks of a target.

use std::fmt;
use std::sync::Arc;

use crate::block::{BlockId, BlockLayout};
use crate::cut::Cut;
use crate::strong::{StrongHasher, StrongSum};

/// A weak and a strong sum of every block of a target, which is cut evenly.
///
/// Kept in columns, so that it takes no more memory than its sums take on disk.
#[derive(Clone)]
pub struct Signature {
    layout: BlockLayout,
    weak: Vec<u32>,
    sums: BlockSums,
}

/// A strong sum of every block of a target: what tells whether bytes are that block.
#[derive(Clone)]
pub struct BlockSums {
    cut: Cut,
    strong: Vec<u8>,
    hasher: Arc<dyn StrongHasher>,
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
    /// # Panics
    ///
    /// When `strong` has not one sum for every block.
    pub fn new(cut: impl Into<Cut>, strong: Vec<u8>, hasher: Arc<dyn StrongHasher>) -> Self {
        let cut = cut.into();
        assert_eq!(strong.len(), cut.block_count() as usize * hasher.sum_len(), "strong sums");
        Self { cut, strong, hasher }
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
    /// # Panics
    ///
    /// When a column has not one sum for every block of `layout`. A caller that reads sums
    /// from a file checks their number first.
    pub fn new(layout: BlockLayout, weak: Vec<u32>, strong: Vec<u8>, hasher: Arc<dyn StrongHasher>) -> Self {
        assert_eq!(weak.len(), layout.block_count() as usize, "weak sums");
        Self { layout, weak, sums: BlockSums::new(layout, strong, hasher) }
    }

    /// How the target is cut into blocks.
    pub fn layout(&self) -> BlockLayout {
        self.layout
    }

    /// The strong sums of the blocks, for callers that need not find blocks.
    pub fn sums(&self) -> &BlockSums {
        &self.sums
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
