//! zsync's sums of blocks: cut short, and over zeros where the last block is short.

use std::sync::Arc;

use gosync_chunks::{StrongHasher, StrongSum, WeakHasher};
use gosync_rollsum::RollingSum;
use gosync_sums::{Md4, Md5};
use sha2::{Digest, Sha224};

/// The rolling sum of control files.
pub(crate) const ROLLING_SUM: RollingSum = RollingSum::Rsync;

/// The hash that the strong sums of blocks are cut from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StrongKind {
    /// What all clients know.
    #[default]
    Md4,
    /// Since zsync 0.8.
    Md5,
    /// Since zsync 0.8.
    Sha224,
}

impl StrongKind {
    /// As control files name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md4 => "MD4",
            Self::Md5 => "MD5",
            Self::Sha224 => "SHA-224",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Md4, Self::Md5, Self::Sha224].into_iter().find(|kind| kind.name() == name)
    }

    /// The sums of blocks of `block_size`, of which `len` bytes are kept, if the hash has
    /// so many.
    pub(crate) fn hasher(self, len: u8, block_size: u32) -> Option<Arc<dyn StrongHasher>> {
        let len = usize::from(len);
        let inner: Arc<dyn StrongHasher> = match self {
            Self::Md4 => Arc::new(Md4::truncated(len)?),
            Self::Md5 => Arc::new(Md5::truncated(len)?),
            Self::Sha224 => Arc::new(Sha224Sums((1..=28).contains(&len).then_some(len)?)),
        };
        Some(Arc::new(Padded { inner, block_size: block_size as usize }))
    }
}

/// The bits of a key that are in a weak sum of so many bytes: of `a` and `b`, each with
/// its high byte first, the last bytes are kept.
pub(crate) fn key_mask(weak_len: u8) -> u32 {
    match weak_len {
        1 => 0x00ff_0000,
        2 => 0xffff_0000,
        3 => 0xffff_00ff,
        _ => u32::MAX,
    }
}

/// The key, `b << 16 | a`, from the last bytes of `a` and `b`.
pub(crate) fn read_key(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(byte)).rotate_left(16)
}

/// `a` and `b` of a key.
pub(crate) fn write_key(key: u32) -> [u8; 4] {
    key.rotate_left(16).to_be_bytes()
}

/// Makes the weak sums of blocks.
pub(crate) struct Weak {
    pub(crate) mask: u32,
    pub(crate) block_size: u32,
}

impl WeakHasher for Weak {
    fn sum(&self, block: &[u8]) -> u32 {
        let zeros = self.block_size as usize - block.len();
        ROLLING_SUM.with_zeros(ROLLING_SUM.key(block), zeros) & self.mask
    }

    fn sum_blocks(&self, data: &[u8], block_size: usize, sums: &mut [u32]) {
        ROLLING_SUM.sum_blocks(data, block_size, sums);
        if let Some(last) = sums.last_mut()
            && !data.len().is_multiple_of(block_size)
        {
            *last = ROLLING_SUM.with_zeros(*last, block_size - data.len() % block_size);
        }
        sums.iter_mut().for_each(|sum| *sum &= self.mask);
    }
}

/// Sums blocks that are shorter than the others as if zeros followed.
#[derive(Debug)]
struct Padded {
    inner: Arc<dyn StrongHasher>,
    block_size: usize,
}

impl StrongHasher for Padded {
    fn sum_len(&self) -> usize {
        self.inner.sum_len()
    }

    fn sum(&self, block: &[u8]) -> StrongSum {
        if block.len() >= self.block_size {
            return self.inner.sum(block);
        }
        let mut padded = block.to_vec();
        padded.resize(self.block_size, 0);
        self.inner.sum(&padded)
    }

    fn sum_many(&self, blocks: &[&[u8]], sums: &mut [u8]) {
        if blocks.iter().all(|block| block.len() >= self.block_size) {
            return self.inner.sum_many(blocks, sums);
        }
        assert_eq!(sums.len(), blocks.len() * self.sum_len());
        for (block, sum) in blocks.iter().zip(sums.chunks_exact_mut(self.sum_len())) {
            sum.copy_from_slice(self.sum(block).as_bytes());
        }
    }
}

#[derive(Debug)]
struct Sha224Sums(usize);

impl StrongHasher for Sha224Sums {
    fn sum_len(&self) -> usize {
        self.0
    }

    fn sum(&self, block: &[u8]) -> StrongSum {
        StrongSum::truncate(&Sha224::digest(block), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_as_the_mask_says() {
        let key = 0xb1b2_a1a2;
        let bytes = write_key(key);
        assert_eq!(bytes, [0xa1, 0xa2, 0xb1, 0xb2]);
        for len in 1..=4 {
            assert_eq!(read_key(&bytes[4 - len..]), key & key_mask(len as u8), "{len}");
        }
    }

    #[test]
    fn short_blocks_are_summed_with_zeros() {
        let data: Vec<u8> = (0..10_000u32).map(|at| ((at * at) >> 5) as u8).collect();
        for (length, block_size) in [(10_000, 2048), (8192, 2048), (5, 16), (1, 4096)] {
            let data = &data[..length];
            let mut padded = data.to_vec();
            padded.resize(length.next_multiple_of(block_size), 0);
            let weak = Weak { mask: key_mask(3), block_size: block_size as u32 };
            let mut keys = vec![0; data.len().div_ceil(block_size)];
            weak.sum_blocks(data, block_size, &mut keys);
            for (block, (key, whole)) in data.chunks(block_size).zip(keys.iter().zip(padded.chunks(block_size))) {
                assert_eq!(
                    (weak.sum(block), *key),
                    (ROLLING_SUM.key(whole) & key_mask(3), ROLLING_SUM.key(whole) & key_mask(3))
                );
            }
            for kind in [StrongKind::Md4, StrongKind::Md5, StrongKind::Sha224] {
                let hasher = kind.hasher(7, block_size as u32).unwrap();
                let mut sums = vec![0; keys.len() * 7];
                hasher.sum_blocks(data, block_size, &mut sums);
                for (sum, whole) in sums.chunks(7).zip(padded.chunks(block_size)) {
                    assert_eq!(hasher.sum(whole).as_bytes(), sum, "{kind:?}, {length} in {block_size}");
                }
                assert_eq!(StrongKind::from_name(kind.name()), Some(kind));
            }
        }
        assert!(StrongKind::Md4.hasher(17, 2048).is_none() && StrongKind::Sha224.hasher(28, 2048).is_some());
    }
}
