//! What moves on by groups of 64 positions.

use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::x86::Avx512;
use fearless_simd::{u8x64, u32x16};

/// The bytes that a group loses or gains.
pub(super) type Bytes = u8x64<Avx512>;

/// A word for each fourth position of a group.
pub(super) type Words = u32x16<Avx512>;

/// A sum that moves on by groups, in two parts. Each is a long chain, so one group is begun
/// while the one before it is finished.
pub(crate) trait Groups: Copy {
    /// A group that was begun.
    type Begun: Copy;

    /// Moves the window on by 64 bytes.
    fn begin(&mut self, avx512: Avx512, outgoing: Bytes, incoming: Bytes) -> Self::Begun;

    /// The hashes of the key after each of them.
    fn finish(&mut self, avx512: Avx512, begun: Self::Begun) -> [Words; 4];
}

/// Given `values` of the lanes, and in the last lane of `before` what was summed up before
/// them: what is summed up before each lane.
#[inline(always)]
pub(super) fn before_each(avx512: Avx512, before: Words, values: Words) -> Words {
    let zero = Words::splat(avx512, 0);
    let sums = before.slide::<15>(values);
    let sums = sums + zero.slide::<15>(sums);
    let sums = sums + zero.slide::<14>(sums);
    let sums = sums + zero.slide::<12>(sums);
    sums + zero.slide::<8>(sums)
}

fearless_simd::kernel!(
    /// `sums` and, to each lane, the products of its four `bytes` with its four `weights`,
    /// which have signs.
    #[inline(always)]
    pub(super) fn dot(avx512: Avx512, sums: __m512i, bytes: __m512i, weights: __m512i) -> __m512i {
        _mm512_dpbusd_epi32(sums, bytes, weights)
    }
);
