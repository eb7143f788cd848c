//! Probing a sieve with a vector of hashes at a time.

use fearless_simd::{SimdBase, SimdMask};

use super::vectors::Vectors;
use crate::sieve::View;
use crate::tile::GROUP;

/// Sets bit `i` of each mask for the hash `i` of its 64 that may be in the sieve.
///
/// Every mask goes to an address that is known beforehand, so nothing waits for anything.
#[inline(always)]
pub(crate) fn probe<V: Vectors>(vectors: V, sieve: View<'_>, hashes: &[[u32; GROUP]], masks: &mut [u64]) {
    let simd = vectors.level();
    let lanes = V::U32::LEN;
    let (_, bit_shift) = sieve.shifts();
    let mut loaded = [0; GROUP];
    for (hashes, mask) in hashes.iter().zip(masks) {
        sieve.load(hashes, &mut loaded);
        *mask = 0;
        let vectors = hashes.chunks_exact(lanes).zip(loaded.chunks_exact(lanes));
        for (at, (hashes, words)) in vectors.enumerate() {
            let hash = V::U32::from_slice(simd, hashes);
            let word = V::U32::from_slice(simd, words);
            let both = (word >> (hash & 31)) & (word >> ((hash >> bit_shift) & 31)) & 1;
            *mask |= both.simd_eq(1).to_bitmask() << (at * lanes);
        }
    }
}
