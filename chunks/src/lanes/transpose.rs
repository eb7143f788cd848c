//! From messages side by side to vectors that hold one word of each.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, SimdBase};

/// Words of a message that one call transposes.
pub(super) const WORDS: usize = 16;

/// The sixteen little-endian words from byte `at` on of each message: vector `i` has
/// word `i`, with message `lane` in lane `lane`. Missing messages are the last again.
///
/// A square of rows is transposed by interleaving the upper half of the rows with the
/// lower, once for each bit of a row's number: each pass moves the top bit of the row
/// to the bottom of the column.
#[inline(always)]
pub(super) fn transpose<S: Simd, V: SimdBase<S, ByteVector = S::u8s>>(
    simd: S,
    messages: &[&[u8]],
    at: usize,
) -> [V; WORDS] {
    let last = messages.len() - 1;
    let mut words = [V::splat(simd, V::Element::default()); WORDS];
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let fearless_simd::Level::Avx2(avx2) = simd.level()
        && V::LEN == 8
    {
        let mut rows = [[0; 64]; 8];
        for (lane, row) in rows.iter_mut().enumerate() {
            row.copy_from_slice(&messages[lane.min(last)][at..][..64]);
        }
        for (word, vector) in words.iter_mut().zip(avx2::transpose(avx2, &rows)) {
            *word = S::u8s::from_slice(simd, vector.to_bytes().as_slice()).bitcast();
        }
        return words;
    }
    let width = S::u8s::LEN;
    for square in 0..WORDS / V::LEN {
        let mut rows = words;
        for lane in 0..V::LEN {
            let row = &messages[lane.min(last)][at + square * width..][..width];
            rows[lane] = S::u8s::from_slice(simd, row).bitcast();
        }
        let mut half = 1;
        while half < V::LEN {
            let before = rows;
            for row in 0..V::LEN / 2 {
                (rows[2 * row], rows[2 * row + 1]) = before[row].interleave(before[row + V::LEN / 2]);
            }
            half *= 2;
        }
        words[square * V::LEN..][..V::LEN].copy_from_slice(&rows[..V::LEN]);
    }
    words
}

/// AVX2 interleaves within halves of a vector, and the generic way pays for each time that
/// it puts that right. Here rows meet in halves when they are loaded, so that nothing is
/// left to put right: MD4 is a half faster for it, and MD5 a third.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx2 {
    use fearless_simd::prelude::*;
    use fearless_simd::x86::Avx2;
    use fearless_simd::{u8x16, u32x8};

    fearless_simd::kernel!(
        #[inline(always)]
        pub(super) fn transpose(avx2: Avx2, rows: &[[u8; 64]; 8]) -> [u32x8<Avx2>; 16] {
            #[cfg(target_arch = "x86")]
            use std::arch::x86::*;
            #[cfg(target_arch = "x86_64")]
            use std::arch::x86_64::*;

            let mut words = [u32x8::splat(avx2, 0); 16];
            for quad in 0..4 {
                let mut halves = [_mm256_setzero_si256(); 4];
                for (lane, half) in halves.iter_mut().enumerate() {
                    let low: __m128i = u8x16::from_slice(avx2, &rows[lane][16 * quad..][..16]).into();
                    let high: __m128i = u8x16::from_slice(avx2, &rows[lane + 4][16 * quad..][..16]).into();
                    *half = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high);
                }
                let [r0, r1, r2, r3] = halves;
                let (a, b) = (_mm256_unpacklo_epi32(r0, r1), _mm256_unpackhi_epi32(r0, r1));
                let (c, d) = (_mm256_unpacklo_epi32(r2, r3), _mm256_unpackhi_epi32(r2, r3));
                words[4 * quad] = _mm256_unpacklo_epi64(a, c).simd_into(avx2);
                words[4 * quad + 1] = _mm256_unpackhi_epi64(a, c).simd_into(avx2);
                words[4 * quad + 2] = _mm256_unpacklo_epi64(b, d).simd_into(avx2);
                words[4 * quad + 3] = _mm256_unpackhi_epi64(b, d).simd_into(avx2);
            }
            words
        }
    );
}
