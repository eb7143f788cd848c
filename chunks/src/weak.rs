//! Weak sums: cheap to roll, wrong now and then.

/// A weak sum of a block: a 32-bit key, and for wide sums a 32-bit check beside it.
///
/// The key is what a scan rolls and an index is keyed by. The check is computed only
/// where a key hits, and turns away nearly all that the key let pass by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WeakSum {
    /// The part that rolls.
    pub key: u32,
    /// The other half of a wide sum; 0 for sums of 32 bits.
    pub check: u32,
}

impl WeakSum {
    /// A sum of 32 bits or fewer.
    pub fn narrow(key: u32) -> Self {
        Self { key, check: 0 }
    }
}

/// Makes the weak sums of a signature. A scheme chooses which.
pub trait WeakHasher: Send + Sync {
    /// Whether the sums have a check beside the key.
    fn is_wide(&self) -> bool;

    /// The weak sum of one block of any length.
    fn sum(&self, block: &[u8]) -> WeakSum;
}
