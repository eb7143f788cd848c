//! What the sums of each format are.

use gosync_chunks::WeakHasher;
use gosync_rollsum::RollingSum;

use crate::Format;

/// A kind of rolling sum, as signatures are made with.
pub(crate) struct Weak(pub(crate) RollingSum);

impl WeakHasher for Weak {
    fn sum(&self, block: &[u8]) -> u32 {
        self.0.key(block)
    }

    fn sum_blocks(&self, data: &[u8], block_size: usize, sums: &mut [u32]) {
        self.0.sum_blocks(data, block_size, sums);
    }
}

impl Format {
    /// What the weak sums of this format are called.
    pub fn weak_sum_name(self) -> &'static str {
        match self {
            Self::Layered => "Rabin-Karp",
            Self::GoSync => "rsync's sum",
        }
    }

    /// What the strong sums of this format are called.
    pub fn strong_sum_name(self) -> &'static str {
        match self {
            Self::Layered => "XXH3-128, salted",
            Self::GoSync => "MD5",
        }
    }
}
