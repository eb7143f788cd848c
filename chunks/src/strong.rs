//! Strong sums: what decides whether two blocks are equal.

use std::fmt;

/// The first bytes of a cryptographic hash of a block, up to 32 of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrongSum {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl StrongSum {
    /// The most bytes a sum can have.
    pub const MAX_LEN: usize = 32;

    /// The first `len` bytes of `digest`.
    ///
    /// # Panics
    ///
    /// When `len` is more than [`Self::MAX_LEN`] or than `digest` has.
    pub fn truncate(digest: &[u8], len: usize) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..len].copy_from_slice(&digest[..len]);
        Self { bytes, len: len as u8 }
    }

    /// The bytes of the sum.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for StrongSum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Makes strong sums, all of one length. A scheme chooses which.
pub trait StrongHasher: fmt::Debug + Send + Sync {
    /// Bytes in a sum, 1 to [`StrongSum::MAX_LEN`].
    fn sum_len(&self) -> usize;

    /// The strong sum of one block of any length.
    fn sum(&self, block: &[u8]) -> StrongSum;

    /// Writes the sums of `blocks` to `sums`, one after another. Blocks of one length
    /// may be summed together, which is many times faster than one by one.
    ///
    /// # Panics
    ///
    /// When `sums` is not exactly as long as the sums of those blocks.
    fn sum_many(&self, blocks: &[&[u8]], sums: &mut [u8]) {
        assert_eq!(sums.len(), blocks.len() * self.sum_len());
        for (block, sum) in blocks.iter().zip(sums.chunks_exact_mut(self.sum_len())) {
            sum.copy_from_slice(self.sum(block).as_bytes());
        }
    }

    /// Writes the sums of the consecutive blocks in `data` to `sums`, one after
    /// another. The last block may be short.
    ///
    /// # Panics
    ///
    /// When `sums` is not exactly as long as the sums of those blocks.
    fn sum_blocks(&self, data: &[u8], block_size: usize, sums: &mut [u8]) {
        assert_eq!(sums.len(), data.len().div_ceil(block_size) * self.sum_len());
        let mut blocks = data.chunks_exact(block_size);
        let mut batch = [[].as_slice(); BATCH];
        for sums in sums.chunks_mut(BATCH * self.sum_len()) {
            let mut count = 0;
            for (place, block) in batch.iter_mut().zip(&mut blocks) {
                *place = block;
                count += 1;
            }
            let (whole, short) = sums.split_at_mut(count * self.sum_len());
            self.sum_many(&batch[..count], whole);
            if !short.is_empty() {
                short.copy_from_slice(self.sum(blocks.remainder()).as_bytes());
            }
        }
    }
}

/// Blocks that [`StrongHasher::sum_blocks`] hands on together: a multiple of what three
/// vectors of any width hold.
const BATCH: usize = 96;
