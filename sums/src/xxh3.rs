//! XXH3-128 with a salt: the strong sum where something else has the last word.

use std::fmt;
use std::sync::Arc;

use gosync_chunks::{StrongHasher, StrongSum};
use twox_hash::XxHash3_128;

/// XXH3-128 with a salt for its seed, as in our own format.
///
/// Several times as fast as a cryptographic hash and as good against chance, but an attacker
/// who knows the salt can make equal sums at will. It tells which blocks are worth
/// copying; whether the result is right has to be decided by a hash of the whole.
#[derive(Clone)]
pub struct Xxh3 {
    len: u8,
    salt: u64,
    /// What XXH3 derives from its seed for long input, which takes as long as a short block.
    secret: Arc<[u8]>,
}

impl Xxh3 {
    /// Bytes in the whole digest.
    pub const FULL_LEN: usize = 16;

    /// Keeps the first `len` bytes of the digest in its canonical form, which is
    /// big-endian, or `None` where it has no such number of bytes.
    pub fn truncated(len: usize, salt: u64) -> Option<Self> {
        let secret = || XxHash3_128::with_seed(salt).into_secret().into();
        (1..=Self::FULL_LEN).contains(&len).then(|| Self { len: len as u8, salt, secret: secret() })
    }
}

impl StrongHasher for Xxh3 {
    fn sum_len(&self) -> usize {
        self.len.into()
    }

    fn sum(&self, block: &[u8]) -> StrongSum {
        let digest = XxHash3_128::oneshot_with_seed_and_secret(self.salt, &self.secret, block)
            .unwrap_or_else(|_| XxHash3_128::oneshot_with_seed(self.salt, block));
        StrongSum::truncate(&digest.to_be_bytes(), self.len.into())
    }
}

impl fmt::Debug for Xxh3 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Xxh3 {{ len: {}, salt: {:#x} }}", self.len, self.salt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation, xxHash 0.8: `XXH128("", 0)`, and seed 0 at "abc".
    #[test]
    fn known_answers() {
        let hasher = Xxh3::truncated(16, 0).unwrap();
        assert_eq!(format!("{:?}", hasher.sum(b"")), "99aa06d3014798d86001c324468d497f");
        assert_eq!(format!("{:?}", hasher.sum(b"abc")), "06b05ab6733a618578af5f94892f3950");
        assert_eq!(format!("{:?}", Xxh3::truncated(3, 0).unwrap().sum(b"abc")), "06b05a");
        assert!(Xxh3::truncated(0, 0).is_none() && Xxh3::truncated(17, 0).is_none());
    }

    #[test]
    fn the_kept_secret_is_that_of_the_salt() {
        let data: Vec<u8> = (0..5000u32).map(|i| ((i * 31) >> 3) as u8).collect();
        for salt in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let hasher = Xxh3::truncated(16, salt).unwrap();
            for len in [0, 1, 8, 16, 128, 240, 241, 256, 1024, 1025, 5000] {
                let expected = XxHash3_128::oneshot_with_seed(salt, &data[..len]).to_be_bytes();
                assert_eq!(hasher.sum(&data[..len]).as_bytes(), expected, "{len}");
            }
        }
    }
}
