//! Strong sums: what decides whether two blocks are equal.

use std::fmt;

use blake2::digest::consts::U32;
use md5::Digest;

use crate::{Tier, lanes};

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

macro_rules! strong_hasher {
    ($(#[$doc:meta])* $name:ident, $full:literal, $lanes:ty, $block:ident => $digest:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            len: u8,
            tier: Tier,
        }

        impl $name {
            /// Bytes in the whole digest.
            pub const FULL_LEN: usize = $full;

            /// Keeps the whole digest.
            pub fn full() -> Self {
                Self { len: $full, tier: Tier::detect() }
            }

            /// Keeps the first `len` bytes of the digest, or `None` where it has no
            /// such number of bytes.
            pub fn truncated(len: usize) -> Option<Self> {
                (1..=$full).contains(&len).then(|| Self { len: len as u8, ..Self::full() })
            }

            /// Sums many blocks with the instructions of `tier`. The sums are the same.
            ///
            /// # Panics
            ///
            /// When this machine does not run the tier.
            #[must_use]
            pub fn on(self, tier: Tier) -> Self {
                assert!(tier.is_available(), "this machine does not run {tier}");
                Self { tier, ..self }
            }
        }

        impl StrongHasher for $name {
            fn sum_len(&self) -> usize {
                self.len.into()
            }

            fn sum(&self, $block: &[u8]) -> StrongSum {
                StrongSum::truncate(($digest).as_ref(), self.len.into())
            }

            fn sum_many(&self, blocks: &[&[u8]], sums: &mut [u8]) {
                assert_eq!(sums.len(), blocks.len() * self.sum_len());
                let level = self.tier.level().expect("the tier was available");
                let of_one_length = blocks.iter().all(|block| block.len() == blocks[0].len());
                let done = if of_one_length { lanes::sum_many::<$lanes>(level, blocks, None, sums) } else { 0 };
                let sums = sums.chunks_exact_mut(self.sum_len());
                for (block, sum) in blocks.iter().zip(sums).skip(done) {
                    sum.copy_from_slice(self.sum(block).as_bytes());
                }
            }
        }
    };
}

strong_hasher!(
    /// MD4 (RFC 1320), as in zsync and librsync. Broken: equal sums can be made at will.
    Md4, 16, lanes::Md4Lanes, block => md4::Md4::digest(block)
);
strong_hasher!(
    /// MD5 (RFC 1321), as in go-sync. Broken: equal sums can be made at will.
    Md5, 16, lanes::Md5Lanes, block => md5::Md5::digest(block)
);
strong_hasher!(
    /// BLAKE2b with a digest of 32 bytes (RFC 7693), unkeyed, as in librsync.
    Blake2b256, 32, lanes::Blake2bLanes, block => blake2::Blake2b::<U32>::digest(block)
);

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(sum: StrongSum) -> String {
        format!("{sum:?}")
    }

    /// RFC 1320, RFC 1321 and RFC 7693 (with 32 bytes: the BLAKE2 reference's vectors).
    #[test]
    fn known_answers() {
        assert_eq!(hex(Md4::full().sum(b"abc")), "a448017aaf21d8525fc10ae87aa6729d");
        assert_eq!(hex(Md5::full().sum(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            hex(Blake2b256::full().sum(b"")),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
        );
    }

    #[test]
    fn truncation_keeps_the_leading_bytes() {
        assert_eq!(hex(Md5::truncated(3).unwrap().sum(b"abc")), "900150");
        assert_eq!(Md5::truncated(0), None);
        assert_eq!(Md5::truncated(17), None);
        assert_eq!(Blake2b256::truncated(32), Some(Blake2b256::full()));
    }

    fn one_by_one(hasher: &dyn StrongHasher, blocks: &[&[u8]]) -> Vec<u8> {
        blocks.iter().flat_map(|block| hasher.sum(block).as_bytes().to_vec()).collect()
    }

    fn on(tier: Tier) -> [Box<dyn StrongHasher>; 3] {
        [
            Box::new(Md4::full().on(tier)),
            Box::new(Md5::truncated(3).unwrap().on(tier)),
            Box::new(Blake2b256::truncated(29).unwrap().on(tier)),
        ]
    }

    #[test]
    fn sums_of_consecutive_blocks() {
        let data: Vec<u8> = (0..220_000u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        for hasher in crate::tier::tested().into_iter().flat_map(on) {
            for block_size in [1, 10, 1000] {
                // Batches end at 96 and 192 blocks.
                for count in [0, 1, 2, 95, 96, 97, 192, 193, 200] {
                    for short in [0, 1, block_size - 1] {
                        let data = &data[..count * block_size + short];
                        let blocks: Vec<_> = data.chunks(block_size).collect();
                        let mut sums = vec![0; blocks.len() * hasher.sum_len()];
                        hasher.sum_blocks(data, block_size, &mut sums);
                        assert!(sums == one_by_one(&*hasher, &blocks), "{hasher:?}: {count} of {block_size} + {short}");
                    }
                }
            }
        }
    }

    #[test]
    fn sums_of_blocks_of_different_lengths() {
        let data: Vec<u8> = (0..=255).collect();
        let blocks: Vec<_> = (0..50).map(|at| &data[at..100 + 3 * at]).collect();
        for hasher in crate::tier::tested().into_iter().flat_map(on) {
            let mut sums = vec![0; blocks.len() * hasher.sum_len()];
            hasher.sum_many(&blocks, &mut sums);
            assert!(sums == one_by_one(&*hasher, &blocks), "{hasher:?}");
        }
    }
}
