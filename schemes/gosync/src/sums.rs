//! Which sums each format has.

use std::sync::Arc;

use gosync_chunks::{Blake3, Md5, StrongHasher, WeakHasher, WeakSum};
use gosync_rollsum::Kind;

use crate::Format;
use crate::format::DEFAULT_STRONG_LEN;

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
    /// The rolling sum of this format.
    pub(crate) fn weak(self) -> Weak {
        Weak(match self {
            Self::Gosync => Kind::Wide,
            Self::GoSync => Kind::Rsync,
        })
    }

    /// The strong sum of this format.
    pub(crate) fn strong(self) -> Arc<dyn StrongHasher> {
        match self {
            Self::Gosync => Arc::new(Blake3::truncated(DEFAULT_STRONG_LEN).expect("no more than BLAKE3 has")),
            Self::GoSync => Arc::new(Md5::full()),
        }
    }

    /// What the weak sums of this format are called.
    pub fn weak_sum_name(self) -> &'static str {
        match self {
            Self::Gosync => "two Rabin-Karp sums",
            Self::GoSync => "rsync's sum",
        }
    }

    /// What the strong sums of this format are called.
    pub fn strong_sum_name(self) -> &'static str {
        match self {
            Self::Gosync => "BLAKE3",
            Self::GoSync => "MD5",
        }
    }

    /// Whether an index in this format holds the hash of the whole target.
    pub(crate) fn has_file_hash(self) -> bool {
        self == Self::Gosync
    }

    /// The block size for a target of `length` bytes, when none is asked for.
    ///
    /// go-sync's is fixed. In our own format the sums grow with the number of blocks,
    /// and what one change costs with their size; the best compromise grows with the
    /// square root of the length (Tridgell, 1999, section 3.4).
    pub(crate) fn default_block_size(self, length: u64) -> u32 {
        match self {
            Self::GoSync => 8192,
            Self::Gosync => {
                let half_root = (length.isqrt() / 2).clamp(1 << 10, 1 << 16);
                1 << half_root.ilog2()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_grow_with_the_root_of_the_length() {
        let size = |length| Format::Gosync.default_block_size(length);
        assert_eq!([size(0), size(1 << 20), size(32 << 20), size(120 << 20)], [1024, 1024, 2048, 4096]);
        assert_eq!([size(1 << 30), size(u64::MAX)], [16384, 65536]);
        assert_eq!(Format::GoSync.default_block_size(1 << 40), 8192);
    }
}
