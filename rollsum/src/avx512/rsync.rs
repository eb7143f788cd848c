//! rsync's sum in groups.

use fearless_simd::prelude::*;
use fearless_simd::x86::Avx512;

use super::groups::{Bytes, Groups, Words, before_each, dot};
use crate::sieve::HASH_MULTIPLIER;

/// The bytes up to each, one time.
const ONCE: [u32; 4] = [0x01, 0x0101, 0x01_0101, 0x0101_0101];

/// The bytes up to each, as often as there are of them from there on.
const WEIGHTED: [u32; 4] = [0x01, 0x0102, 0x01_0203, 0x0102_0304];

/// The same, to be subtracted.
const SUBTRACTED: [u32; 4] = [0xff, 0xfffe, 0xff_fefd, 0xfffe_fdfc];

/// A window that moves on by groups. With `d[i] = in[i] - out[i]` for the bytes of four
/// positions, and `a` and `b` of the position before them:
///
/// ```text
/// a[k] = a + d[0] + ... + d[k]
/// b[k] = b + (k + 1) * (a - n * offset) + ((k + 1) * d[0] + ... + d[k]) - n * (out[0] + ... + out[k])
/// ```
///
/// All of it in lanes of 32 bits, of which the low 16 count.
#[derive(Clone, Copy)]
pub(crate) struct RsyncGroups {
    /// In the last lane, the halves of the key before.
    a: Words,
    b: Words,
    window: u32,
    /// What the offset of each byte that leaves takes from `b`.
    drift: u32,
    /// The bits of a key that are wanted, if not all are.
    mask: Option<u32>,
}

impl RsyncGroups {
    #[inline(always)]
    pub(crate) fn new(avx512: Avx512, (a, b): (u32, u32), (window, offset): (u32, u32), mask: Option<u32>) -> Self {
        let [a, b] = [a, b].map(|half| Words::splat(avx512, half));
        Self { a, b, window, drift: window.wrapping_mul(offset), mask }
    }

    /// The halves of the key after the last position.
    #[inline(always)]
    pub(crate) fn halves(&self) -> (u32, u32) {
        (self.a[15], self.b[15])
    }
}

/// `sums` and, to each lane, its four `bytes` by their weights.
#[inline(always)]
fn sum(avx512: Avx512, sums: Words, bytes: Bytes, weights: u32) -> Words {
    dot(avx512, sums.into(), bytes.into(), Words::splat(avx512, weights).into()).simd_into(avx512)
}

impl RsyncGroups {
    /// `b` at position `k` of four. Given is what it would be without the bytes up to there.
    #[inline(always)]
    fn weighted(&self, avx512: Avx512, b: Words, (outgoing, incoming): (Bytes, Bytes), gone: Words, k: usize) -> Words {
        let b = sum(avx512, b, incoming, WEIGHTED[k]);
        sum(avx512, b, outgoing, SUBTRACTED[k]) - gone * self.window
    }

    #[inline(always)]
    fn key_hash(&self, a: Words, b: Words) -> Words {
        let key = (b << 16) | (a & 0xffff);
        match self.mask {
            Some(mask) => (key & mask) * HASH_MULTIPLIER,
            None => key * HASH_MULTIPLIER,
        }
    }
}

/// A group of which one half of the keys is known.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    outgoing: Bytes,
    incoming: Bytes,
    /// What the bytes that leave add up to.
    gone: [Words; 4],
    /// What `a` is before each four positions, and what these add to it.
    a: Words,
    a_step: Words,
}

impl Groups for RsyncGroups {
    type Begun = Begun;

    #[inline(always)]
    fn begin(&mut self, avx512: Avx512, outgoing: Bytes, incoming: Bytes) -> Begun {
        let zero = Words::splat(avx512, 0);
        let gone = [
            sum(avx512, zero, outgoing, ONCE[0]),
            sum(avx512, zero, outgoing, ONCE[1]),
            sum(avx512, zero, outgoing, ONCE[2]),
            sum(avx512, zero, outgoing, ONCE[3]),
        ];
        let a_step = sum(avx512, zero, incoming, ONCE[3]) - gone[3];
        let a = before_each(avx512, self.a, a_step);
        self.a = a + a_step;
        Begun { outgoing, incoming, gone, a, a_step }
    }

    #[inline(always)]
    fn finish(&mut self, avx512: Avx512, begun: Begun) -> [Words; 4] {
        let Begun { outgoing, incoming, gone: [gone0, gone1, gone2, gone3], a, a_step } = begun;
        let bytes = (outgoing, incoming);
        let slope = a - self.drift;
        let b_step = self.weighted(avx512, slope << 2, bytes, gone3, 3);
        let b = before_each(avx512, self.b, b_step);
        self.b = b + b_step;

        let a0 = sum(avx512, a, incoming, ONCE[0]) - gone0;
        let a1 = sum(avx512, a, incoming, ONCE[1]) - gone1;
        let a2 = sum(avx512, a, incoming, ONCE[2]) - gone2;
        let b0 = b + slope;
        let b1 = b0 + slope;
        let b2 = b1 + slope;
        [
            self.key_hash(a0, self.weighted(avx512, b0, bytes, gone0, 0)),
            self.key_hash(a1, self.weighted(avx512, b1, bytes, gone1, 1)),
            self.key_hash(a2, self.weighted(avx512, b2, bytes, gone2, 2)),
            self.key_hash(a + a_step, self.b),
        ]
    }
}
