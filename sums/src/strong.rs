//! The strong sums that formats of other programs have, of many blocks at once.

use blake2::digest::consts::U32;
use fearless_simd::Level;
use gosync_chunks::{StrongHasher, StrongSum};
use gosync_rollsum::Tier;
use md5::Digest;

use crate::lanes;

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
                let level = level(self.tier);
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

/// The vectors of `tier`, which this machine runs. Hashers of one message are scalar code, so
/// the portable tier too has vectors here: those that every processor of the target has.
pub(crate) fn level(tier: Tier) -> Level {
    tier.level().unwrap_or_else(Level::baseline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::tiers;

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
        for hasher in tiers::tested().into_iter().flat_map(on) {
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
        for hasher in tiers::tested().into_iter().flat_map(on) {
            let mut sums = vec![0; blocks.len() * hasher.sum_len()];
            hasher.sum_many(&blocks, &mut sums);
            assert!(sums == one_by_one(&*hasher, &blocks), "{hasher:?}");
        }
    }
}
