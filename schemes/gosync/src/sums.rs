//! What the sums of each format are.

use gosync_chunks::{WeakHasher, WeakSum};
use gosync_rollsum::Kind;

use crate::Format;

/// A kind of rolling sum, as signatures are made with.
pub(crate) struct Weak(pub(crate) Kind);

impl WeakHasher for Weak {
    fn is_wide(&self) -> bool {
        self.0.is_wide()
    }

    fn sum(&self, block: &[u8]) -> WeakSum {
        WeakSum { key: self.0.key(block), check: self.0.check(block) }
    }

    fn sum_blocks(&self, data: &[u8], block_size: usize, keys: &mut [u32], checks: &mut [u32]) {
        self.0.sum_blocks(data, block_size, keys, checks);
    }
}

impl Format {
    /// What the weak sums of this format are called.
    pub fn weak_sum_name(self) -> &'static str {
        match self {
            Self::Gosync => "Rabin-Karp",
            Self::GoSync => "rsync's sum",
        }
    }

    /// What the strong sums of this format are called.
    pub fn strong_sum_name(self) -> &'static str {
        match self {
            Self::Gosync => "XXH3-128, salted",
            Self::GoSync => "MD5",
        }
    }
}
