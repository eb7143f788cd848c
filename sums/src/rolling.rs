//! Rolling sums as the weak sums of a signature.

use gosync_chunks::WeakHasher;
use gosync_rollsum::RollingSum;

/// Makes weak sums that a scan finds again: the keys of a rolling sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rolling(pub RollingSum);

impl WeakHasher for Rolling {
    fn sum(&self, block: &[u8]) -> u32 {
        self.0.key(block)
    }

    fn sum_blocks(&self, data: &[u8], block_size: usize, sums: &mut [u32]) {
        self.0.sum_blocks(data, block_size, sums);
    }
}
