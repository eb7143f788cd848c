//! Weak sums: cheap to roll, wrong now and then.

/// Makes the weak sums of a signature, of 32 bits each: the keys that an index finds
/// blocks by. A scheme chooses which.
pub trait WeakHasher: Send + Sync {
    /// The weak sum of one block of any length.
    fn sum(&self, block: &[u8]) -> u32;

    /// Writes the weak sums of the consecutive blocks in `data` to `sums`. The last block
    /// may be short.
    ///
    /// # Panics
    ///
    /// When `sums` has not one place for each block.
    fn sum_blocks(&self, data: &[u8], block_size: usize, sums: &mut [u32]) {
        assert_eq!(sums.len(), data.len().div_ceil(block_size));
        sums.iter_mut().zip(data.chunks(block_size)).for_each(|(sum, block)| *sum = self.sum(block));
    }
}
