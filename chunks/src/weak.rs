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

    /// Writes the weak sums of the consecutive blocks in `data` to `keys` and, where the
    /// sums are wide, to `checks`. The last block may be short.
    ///
    /// # Panics
    ///
    /// When a column has not one place for each block; `checks` may be empty where the
    /// sums are not wide.
    fn sum_blocks(&self, data: &[u8], block_size: usize, keys: &mut [u32], checks: &mut [u32]) {
        assert_eq!(keys.len(), data.len().div_ceil(block_size));
        assert!(checks.len() == keys.len() || checks.is_empty() && !self.is_wide());
        for (at, block) in data.chunks(block_size).enumerate() {
            let sum = self.sum(block);
            keys[at] = sum.key;
            if let Some(check) = checks.get_mut(at) {
                *check = sum.check;
            }
        }
    }
}
