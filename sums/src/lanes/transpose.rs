//! From messages side by side to vectors that hold one word of each.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use fearless_simd::Level;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, SimdBase};

use super::kernel::MOST_LANES;

/// Words of a message that one call transposes.
pub(super) const WORDS: usize = 16;

/// Messages of one length side by side, in chunks of [`WORDS`] words. Behind the last message
/// it comes again, for the lanes that are left.
pub(super) struct Rows<'a, const CHUNK: usize>([&'a [[u8; CHUNK]]; MOST_LANES]);

impl<'a, const CHUNK: usize> Rows<'a, CHUNK> {
    /// No messages.
    pub(super) const EMPTY: Self = Self([&[]; MOST_LANES]);

    /// The whole chunks of `messages`, of which there is one at least.
    #[inline(always)]
    pub(super) fn new(messages: &[&'a [u8]]) -> Self {
        let mut rows = [messages[messages.len() - 1].as_chunks().0; MOST_LANES];
        for (row, message) in rows.iter_mut().zip(messages) {
            *row = message.as_chunks().0;
        }
        Self(rows)
    }

    /// One chunk of each lane.
    #[inline(always)]
    pub(super) fn of_chunks(chunks: &'a [[u8; CHUNK]; MOST_LANES]) -> Self {
        let mut rows = Self::EMPTY;
        for (row, chunk) in rows.0.iter_mut().zip(chunks) {
            *row = std::slice::from_ref(chunk);
        }
        rows
    }

    /// Chunk `index` of the first lanes.
    #[inline(always)]
    fn chunk<const LANES: usize>(&self, index: usize) -> [&'a [u8; CHUNK]; LANES] {
        // Not by a closure, which would be a call.
        let mut chunks = [&[0; CHUNK]; LANES];
        for (chunk, row) in chunks.iter_mut().zip(&self.0) {
            *chunk = &row[index];
        }
        chunks
    }
}

/// The sixteen little-endian words of chunk `index` of each message: vector `i` has word `i`,
/// with message `lane` in lane `lane`.
#[inline(always)]
pub(super) fn transpose_u32<S: Simd>(simd: S, rows: &Rows<'_, 64>, index: usize) -> [S::u32s; WORDS] {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    match simd.level() {
        Level::Avx2(avx2) => return vectors(simd, avx2::transpose_u32(avx2, &rows.chunk(index))),
        Level::Avx512(avx512) => return vectors(simd, avx512::transpose_u32(avx512, &rows.chunk(index))),
        _ => {}
    }
    transpose(simd, rows, index)
}

/// As [`transpose_u32`], in words of 64 bits.
#[inline(always)]
pub(super) fn transpose_u64<S: Simd>(simd: S, rows: &Rows<'_, 128>, index: usize) -> [S::u64s; WORDS] {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Level::Avx512(avx512) = simd.level() {
        return vectors(simd, avx512::transpose_u64(avx512, &rows.chunk(index)));
    }
    transpose(simd, rows, index)
}

/// The same vectors under another name.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[inline(always)]
fn vectors<S: Simd, T: Simd, V: SimdBase<S, ByteVector = S::u8s>, U: SimdBase<T>>(
    simd: S,
    words: [U; WORDS],
) -> [V; WORDS]
where
    U::ByteVector: Bytes<Bytes = U::ByteVector>,
{
    let mut vectors = [V::splat(simd, V::Element::default()); WORDS];
    for (vector, word) in vectors.iter_mut().zip(words) {
        *vector = S::u8s::from_slice(simd, word.to_bytes().as_slice()).bitcast();
    }
    vectors
}

/// In vectors of any width. A square of rows is transposed by interleaving the upper half of
/// the rows with the lower, once for each bit of a row's number: each pass moves the top bit
/// of the row to the bottom of the column.
#[inline(always)]
fn transpose<S: Simd, V: SimdBase<S, ByteVector = S::u8s>, const CHUNK: usize>(
    simd: S,
    rows: &Rows<'_, CHUNK>,
    index: usize,
) -> [V; WORDS] {
    let mut words = [V::splat(simd, V::Element::default()); WORDS];
    let (width, chunks) = (S::u8s::LEN, rows.chunk::<MOST_LANES>(index));
    for square in 0..WORDS / V::LEN {
        let mut rows = words;
        for (row, chunk) in rows[..V::LEN].iter_mut().zip(&chunks) {
            *row = S::u8s::from_slice(simd, &chunk[square * width..][..width]).bitcast();
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
        pub(super) fn transpose_u32(avx2: Avx2, rows: &[&[u8; 64]; 8]) -> [u32x8<Avx2>; 16] {
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

/// With AVX-512 as with AVX2, and halves of vectors are shuffled in the end.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx512 {
    use fearless_simd::prelude::*;
    use fearless_simd::x86::Avx512;
    use fearless_simd::{u8x32, u32x16, u64x8};
    #[cfg(target_arch = "x86")]
    use std::arch::x86::*;
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::*;

    fearless_simd::kernel!(
        #[inline(always)]
        pub(super) fn transpose_u32(avx512: Avx512, rows: &[&[u8; 64]; 16]) -> [u32x16<Avx512>; 16] {
            let mut words = [u32x16::splat(avx512, 0); 16];
            for half in 0..2 {
                // Of each eight rows, those with four words of the first four and the last four.
                let mut quads = [[_mm512_setzero_si512(); 4]; 2];
                for (eight, quads) in quads.iter_mut().enumerate() {
                    let (r0, r1) = (both(avx512, rows, 8 * eight, half), both(avx512, rows, 8 * eight + 1, half));
                    let (r2, r3) = (both(avx512, rows, 8 * eight + 2, half), both(avx512, rows, 8 * eight + 3, half));
                    let (a, b) = (_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
                    let (c, d) = (_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
                    *quads = [
                        _mm512_unpacklo_epi64(a, c),
                        _mm512_unpackhi_epi64(a, c),
                        _mm512_unpacklo_epi64(b, d),
                        _mm512_unpackhi_epi64(b, d),
                    ];
                }
                let [first, last] = quads;
                for (at, (first, last)) in first.into_iter().zip(last).enumerate() {
                    words[8 * half + at] = _mm512_shuffle_i32x4::<0b10_00_10_00>(first, last).simd_into(avx512);
                    words[8 * half + 4 + at] = _mm512_shuffle_i32x4::<0b11_01_11_01>(first, last).simd_into(avx512);
                }
            }
            words
        }
    );

    fearless_simd::kernel!(
        /// Half of row `row` and of the one four behind it.
        #[inline(always)]
        fn both(avx512: Avx512, rows: &[&[u8; 64]; 16], row: usize, half: usize) -> __m512i {
            let low: __m256i = u8x32::from_slice(avx512, &rows[row][32 * half..][..32]).into();
            let high: __m256i = u8x32::from_slice(avx512, &rows[row + 4][32 * half..][..32]).into();
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
        }
    );

    fearless_simd::kernel!(
        #[inline(always)]
        pub(super) fn transpose_u64(avx512: Avx512, rows: &[&[u8; 128]; 8]) -> [u64x8<Avx512>; 16] {
            let mut words = [u64x8::splat(avx512, 0); 16];
            for quarter in 0..4 {
                let (r0, r1) = (two_apart(avx512, rows, 0, quarter), two_apart(avx512, rows, 1, quarter));
                let (r4, r5) = (two_apart(avx512, rows, 4, quarter), two_apart(avx512, rows, 5, quarter));
                let (a, b) = (_mm512_unpacklo_epi64(r0, r1), _mm512_unpackhi_epi64(r0, r1));
                let (c, d) = (_mm512_unpacklo_epi64(r4, r5), _mm512_unpackhi_epi64(r4, r5));
                words[4 * quarter] = _mm512_shuffle_i64x2::<0b10_00_10_00>(a, c).simd_into(avx512);
                words[4 * quarter + 1] = _mm512_shuffle_i64x2::<0b10_00_10_00>(b, d).simd_into(avx512);
                words[4 * quarter + 2] = _mm512_shuffle_i64x2::<0b11_01_11_01>(a, c).simd_into(avx512);
                words[4 * quarter + 3] = _mm512_shuffle_i64x2::<0b11_01_11_01>(b, d).simd_into(avx512);
            }
            words
        }
    );

    fearless_simd::kernel!(
        /// A quarter of row `row` and of the one two behind it.
        #[inline(always)]
        fn two_apart(avx512: Avx512, rows: &[&[u8; 128]; 8], row: usize, quarter: usize) -> __m512i {
            let low: __m256i = u8x32::from_slice(avx512, &rows[row][32 * quarter..][..32]).into();
            let high: __m256i = u8x32::from_slice(avx512, &rows[row + 2][32 * quarter..][..32]).into();
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
        }
    );
}
