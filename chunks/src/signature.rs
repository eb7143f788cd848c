//! The sums of all blocks of a target.

use std::fmt;
use std::sync::Arc;

use crate::{BlockId, BlockLayout, StrongHasher, StrongSum, WeakSum};

/// The weak sums of all blocks, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeakColumn {
    /// The part of each sum that rolls.
    pub keys: Vec<u32>,
    /// The other half of each sum; empty when the sums have 32 bits.
    pub checks: Vec<u32>,
}

/// A weak and a strong sum of every block of a target.
///
/// Kept in columns, so that it takes no more memory than its sums take on disk.
#[derive(Clone)]
pub struct Signature {
    layout: BlockLayout,
    weak: WeakColumn,
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

/// A block whose bytes have the strong sum that the signature gives. Only
/// [`Signature::verify`] makes one, so whoever takes one need not ask.
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

impl Signature {
    /// Puts columns of sums together.
    ///
    /// # Panics
    ///
    /// When a column has not one sum for every block of `layout`. Whoever reads sums
    /// from a file checks their number first.
    pub fn new(layout: BlockLayout, weak: WeakColumn, strong: Vec<u8>, hasher: Arc<dyn StrongHasher>) -> Self {
        let count = layout.block_count() as usize;
        assert_eq!(weak.keys.len(), count, "weak sums");
        assert!(weak.checks.is_empty() || weak.checks.len() == count, "checks of the weak sums");
        assert_eq!(strong.len(), count * hasher.sum_len(), "strong sums");
        Self { layout, weak, strong, hasher }
    }

    /// How the target is cut into blocks.
    pub fn layout(&self) -> BlockLayout {
        self.layout
    }

    /// What makes the strong sums.
    pub fn hasher(&self) -> &dyn StrongHasher {
        &*self.hasher
    }

    /// The weak sums, one after another.
    pub fn weak_column(&self) -> &WeakColumn {
        &self.weak
    }

    /// The strong sums, one after another.
    pub fn strong_column(&self) -> &[u8] {
        &self.strong
    }

    /// The weak sum of `block`.
    pub fn weak(&self, block: BlockId) -> WeakSum {
        WeakSum { key: self.weak.keys[block.index()], check: self.weak.checks.get(block.index()).copied().unwrap_or(0) }
    }

    /// The strong sum of `block`.
    pub fn strong(&self, block: BlockId) -> &[u8] {
        let len = self.hasher.sum_len();
        &self.strong[block.index() * len..][..len]
    }

    /// Whether `strong` is the strong sum of `block`.
    pub fn has_strong(&self, block: BlockId, strong: &StrongSum) -> bool {
        self.strong(block) == strong.as_bytes()
    }

    /// Checks that `data` is `block`, by length and strong sum.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn verify<'a>(&self, block: BlockId, data: &'a [u8]) -> Result<VerifiedBlock<'a>, Mismatch> {
        if data.len() == self.layout.block_len(block) && self.has_strong(block, &self.hasher.sum(data)) {
            Ok(VerifiedBlock { id: block, data })
        } else {
            Err(Mismatch { block })
        }
    }

    /// Bytes of memory in use.
    pub fn memory(&self) -> usize {
        size_of::<u32>() * (self.weak.keys.capacity() + self.weak.checks.capacity()) + self.strong.capacity()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signature")
            .field("layout", &self.layout)
            .field("hasher", &self.hasher)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.layout == other.layout && self.weak == other.weak && self.strong == other.strong
    }
}
