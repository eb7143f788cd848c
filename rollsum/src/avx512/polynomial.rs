//! Polynomials in groups.

use fearless_simd::prelude::*;
use fearless_simd::x86::Avx512;

use super::groups::{Bytes, Groups, Words, before_each, dot};
use crate::polynomial::{MULTIPLIER as M, inverse, power};
use crate::sieve::HASH_MULTIPLIER;

/// A window that moves on by groups, as the hash of its key, which is a multiple of it. With
/// `e[i] = in[i] - L * (out[i] + M - 1)` for the bytes of four positions, `L` the weight of a
/// byte as it leaves, and the key of the position before them:
///
/// ```text
/// key[k] = M^(k+1) * key + (M^k * e[0] + ... + e[k])
/// ```
///
/// For every fourth position that is a recurrence of its own, with `M^4` in place of `M`;
/// `M` is odd, so it can be divided by, and the recurrence becomes a running sum.
#[derive(Clone, Copy)]
pub(crate) struct PolynomialGroups {
    /// In the last lane, the hash before.
    hash: Words,
    leaving: u32,
}

impl PolynomialGroups {
    #[inline(always)]
    pub(crate) fn new(avx512: Avx512, hash: u32, leaving: u32) -> Self {
        Self { hash: Words::splat(avx512, hash), leaving }
    }

    /// The hash after the last position.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u32 {
        self.hash[15]
    }

    /// `e` of position `k` of four, times what makes a hash of a key.
    #[inline(always)]
    fn added(&self, avx512: Avx512, outgoing: Bytes, incoming: Bytes, k: usize) -> Words {
        let zero = Words::splat(avx512, 0);
        let constant = Words::splat(avx512, self.leaving.wrapping_mul(M - 1).wrapping_neg());
        let leaving = self.leaving.wrapping_mul(HASH_MULTIPLIER);
        byte(avx512, constant, incoming, k) * HASH_MULTIPLIER - byte(avx512, zero, outgoing, k) * leaving
    }
}

impl Groups for PolynomialGroups {
    /// For each of four positions, what the bytes up to there add.
    type Begun = [Words; 4];

    #[inline(always)]
    fn begin(&mut self, avx512: Avx512, outgoing: Bytes, incoming: Bytes) -> [Words; 4] {
        let sum0 = self.added(avx512, outgoing, incoming, 0);
        let sum1 = sum0 * M + self.added(avx512, outgoing, incoming, 1);
        let sum2 = sum1 * M + self.added(avx512, outgoing, incoming, 2);
        let sum3 = sum2 * M + self.added(avx512, outgoing, incoming, 3);
        [sum0, sum1, sum2, sum3]
    }

    #[inline(always)]
    fn finish(&mut self, avx512: Avx512, [sum0, sum1, sum2, sum3]: [Words; 4]) -> [Words; 4] {
        const GROWTH: [u32; 16] = powers(1, power(M, 4));
        const SHRINKAGE: [u32; 16] = powers(power(inverse(M), 4), power(inverse(M), 4));

        let shrunk = sum3 * Words::from_slice(avx512, &SHRINKAGE);
        let before = before_each(avx512, self.hash, shrunk) * Words::from_slice(avx512, &GROWTH);
        self.hash = before * const { power(M, 4) } + sum3;
        [before * M + sum0, before * const { power(M, 2) } + sum1, before * const { power(M, 3) } + sum2, self.hash]
    }
}

/// `plus` and, to each lane, byte `k` of its four.
#[inline(always)]
fn byte(avx512: Avx512, plus: Words, bytes: Bytes, k: usize) -> Words {
    dot(avx512, plus.into(), bytes.into(), Words::splat(avx512, 1 << (8 * k)).into()).simd_into(avx512)
}

/// `first`, `first * base`, `first * base^2` and so on.
const fn powers(first: u32, base: u32) -> [u32; 16] {
    let mut powers = [first; 16];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1].wrapping_mul(base);
        at += 1;
    }
    powers
}
