//! Strong sums: what decides whether two blocks are equal.

use std::fmt;

use blake2::digest::consts::U32;
use md5::Digest;

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

    /// Writes the sums of `blocks`, all of one length, to `sums`, one after another.
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
        for (block, sum) in data.chunks(block_size).zip(sums.chunks_exact_mut(self.sum_len())) {
            sum.copy_from_slice(self.sum(block).as_bytes());
        }
    }
}

macro_rules! strong_hasher {
    ($(#[$doc:meta])* $name:ident, $full:literal, $block:ident => $digest:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            len: u8,
        }

        impl $name {
            /// Bytes in the whole digest.
            pub const FULL_LEN: usize = $full;

            /// Keeps the whole digest.
            pub fn full() -> Self {
                Self { len: $full }
            }

            /// Keeps the first `len` bytes of the digest, or `None` where it has no
            /// such number of bytes.
            pub fn truncated(len: usize) -> Option<Self> {
                (1..=$full).contains(&len).then_some(Self { len: len as u8 })
            }
        }

        impl StrongHasher for $name {
            fn sum_len(&self) -> usize {
                self.len.into()
            }

            fn sum(&self, $block: &[u8]) -> StrongSum {
                StrongSum::truncate(($digest).as_ref(), self.len.into())
            }
        }
    };
}

strong_hasher!(
    /// MD4 (RFC 1320), as in zsync and librsync. Broken: equal sums can be made at will.
    Md4, 16, block => md4::Md4::digest(block)
);
strong_hasher!(
    /// MD5 (RFC 1321), as in go-sync. Broken: equal sums can be made at will.
    Md5, 16, block => md5::Md5::digest(block)
);
strong_hasher!(
    /// BLAKE2b with a digest of 32 bytes (RFC 7693), unkeyed, as in librsync.
    Blake2b256, 32, block => blake2::Blake2b::<U32>::digest(block)
);
strong_hasher!(
    /// BLAKE3 with a digest of 32 bytes, as in our own format.
    Blake3, 32, block => blake3::hash(block).as_bytes()
);

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(sum: StrongSum) -> String {
        format!("{sum:?}")
    }

    /// RFC 1320, RFC 1321, RFC 7693 (with 32 bytes: the BLAKE2 reference's vectors) and BLAKE3's vectors.
    #[test]
    fn known_answers() {
        assert_eq!(hex(Md4::full().sum(b"abc")), "a448017aaf21d8525fc10ae87aa6729d");
        assert_eq!(hex(Md5::full().sum(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            hex(Blake2b256::full().sum(b"")),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
        );
        assert_eq!(hex(Blake3::full().sum(b"")), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }

    #[test]
    fn truncation_keeps_the_leading_bytes() {
        assert_eq!(hex(Md5::truncated(3).unwrap().sum(b"abc")), "900150");
        assert_eq!(Md5::truncated(0), None);
        assert_eq!(Md5::truncated(17), None);
        assert_eq!(Blake3::truncated(32), Some(Blake3::full()));
    }

    #[test]
    fn sums_of_consecutive_blocks() {
        let hasher = Blake3::truncated(5).unwrap();
        let data: Vec<u8> = (0..25).collect();
        let mut sums = [0; 15];
        hasher.sum_blocks(&data, 10, &mut sums);
        let one_by_one: Vec<u8> = data.chunks(10).flat_map(|block| hasher.sum(block).as_bytes().to_vec()).collect();
        assert_eq!(sums.as_slice(), one_by_one);
    }
}
