//! The four kinds of signature.

use std::sync::Arc;

use gosync_chunks::StrongHasher;
use gosync_rollsum::RollingSum;
use gosync_sums::{Blake2b256, Md4};

/// The most bytes that a block has: librsync's numbers have a sign.
pub const MAX_BLOCK_LEN: u32 = i32::MAX as u32;

/// Which sums a signature has. A delta says nothing of it, and is the same for all four
/// but for collisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignatureKind {
    /// MD4 and rollsum: what all of librsync's versions read, and the only one that
    /// `fast_rsync` does. MD4 is broken: do not use it where someone may gain by a collision.
    Md4Rollsum,
    /// BLAKE2b and rollsum, since librsync 1.0; the only one that librsync.net reads.
    Blake2Rollsum,
    /// MD4 and RabinKarp, since librsync 2.2.
    Md4RabinKarp,
    /// BLAKE2b and RabinKarp, since librsync 2.2: the default.
    #[default]
    Blake2RabinKarp,
}

impl SignatureKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Md4Rollsum, Self::Blake2Rollsum, Self::Md4RabinKarp, Self::Blake2RabinKarp];

    /// The number that such a signature begins with.
    pub fn magic(self) -> u32 {
        match self {
            Self::Md4Rollsum => 0x7273_0136,
            Self::Blake2Rollsum => 0x7273_0137,
            Self::Md4RabinKarp => 0x7273_0146,
            Self::Blake2RabinKarp => 0x7273_0147,
        }
    }

    /// The kind of signature that begins with `magic`.
    pub fn of_magic(magic: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.magic() == magic)
    }

    /// The most bytes that its strong sums have: 16 for MD4, 32 for BLAKE2b.
    pub fn max_strong_len(self) -> u32 {
        match self {
            Self::Md4Rollsum | Self::Md4RabinKarp => Md4::FULL_LEN as u32,
            Self::Blake2Rollsum | Self::Blake2RabinKarp => Blake2b256::FULL_LEN as u32,
        }
    }

    pub(crate) fn rolling(self) -> RollingSum {
        match self {
            Self::Md4Rollsum | Self::Blake2Rollsum => RollingSum::Librsync,
            Self::Md4RabinKarp | Self::Blake2RabinKarp => RollingSum::RabinKarp,
        }
    }

    /// What makes strong sums of `len` bytes, if there are such.
    pub(crate) fn strong_hasher(self, len: u32) -> Option<Arc<dyn StrongHasher>> {
        match self {
            Self::Md4Rollsum | Self::Md4RabinKarp => Some(Arc::new(Md4::truncated(len as usize)?)),
            Self::Blake2Rollsum | Self::Blake2RabinKarp => Some(Arc::new(Blake2b256::truncated(len as usize)?)),
        }
    }
}
