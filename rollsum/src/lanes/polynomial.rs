//! Polynomials modulo 2^32 in lanes of 32 bits.

use fearless_simd::{Bytes, SimdBase, SimdIntWiden, SimdWiden};

use super::{Vectors, join_blocks};
use crate::polynomial::{KEY_MULTIPLIER, SEED, power};
use crate::sieve::HASH_MULTIPLIER;

/// Vectors of 32-bit lanes that one vector of bytes fills.
const PARTS: usize = 4;

/// Bytes in the widest vector.
const WIDEST: usize = 64;

/// Moves a window on by as many bytes as there are, which are whole vectors, and leaves
/// the hash of its key after every byte. `sum` is the polynomial without its seed,
/// before and after; `leaving` the weight `L` of a byte as it leaves the window.
///
/// The multiplier `M` is odd, so it can be divided by, and the recurrence
/// `s[i] = M * s[i-1] + in[i] - L * out[i]` becomes a running sum:
///
/// ```text
/// s[i] = M^(i+1) * (s + t[0] + ... + t[i])        t[i] = in[i] / M^(i+1) - out[i] * L / M^(i+1)
/// ```
///
/// The key is `s[i] + L`, and the hash a multiple of it, so one multiplication by
/// `M^(i+1)` times the hash's multiplier makes it.
#[inline(always)]
pub(crate) fn roll<V: Vectors>(
    vectors: V,
    sum: &mut u32,
    leaving: u32,
    (outgoing, incoming): (&[u8], &[u8]),
    hashes: &mut [u32],
) {
    const INVERSES: [u32; WIDEST] = powers(inverse(KEY_MULTIPLIER), inverse(KEY_MULTIPLIER));
    const GROWTH: [u32; WIDEST] = powers(KEY_MULTIPLIER.wrapping_mul(HASH_MULTIPLIER), KEY_MULTIPLIER);

    let simd = vectors.level();
    let lanes = V::U32::LEN;
    let part = |table: &[u32; WIDEST], part: usize| V::U32::from_slice(simd, &table[part * lanes..][..lanes]);
    let weights = |at: usize| Weights::<V>::new(part(&INVERSES, at), leaving);
    let weights = [weights(0), weights(1), weights(2), weights(3)];
    let growth = [part(&GROWTH, 0), part(&GROWTH, 1), part(&GROWTH, 2), part(&GROWTH, 3)];
    let step = power(KEY_MULTIPLIER, PARTS * lanes);
    let seed = V::U32::splat(simd, leaving.wrapping_mul(SEED).wrapping_mul(HASH_MULTIPLIER));
    let mut before = V::U32::splat(simd, *sum);

    let steps = outgoing.chunks_exact(PARTS * lanes).zip(incoming.chunks_exact(PARTS * lanes));
    for ((outgoing, incoming), hashes) in steps.zip(hashes.chunks_exact_mut(PARTS * lanes)) {
        let outgoing = V::U8::from_slice(simd, outgoing);
        let (low, high) = V::U8::from_slice(simd, incoming).interleave(outgoing);
        let ((pairs0, pairs1), (pairs2, pairs3)) = (low.widen(), high.widen());
        let mut total = V::U32::splat(simd, 0);
        let parts = [pairs0, pairs1, pairs2, pairs3].into_iter().zip(&weights).zip(&growth);
        for (((pairs, weights), &growth), hashes) in parts.zip(hashes.chunks_exact_mut(lanes)) {
            let (running, part_total) = running_sum(vectors, weights.terms(pairs));
            ((running + (total + before)) * growth + seed).store_slice(hashes);
            total += part_total;
        }
        before = (before + total) * step;
    }
    *sum = before[0];
}

/// What pairs of a byte that comes in and one that goes out are multiplied with.
///
/// Processors multiply pairs of 16 bits and add the two products, faster than they
/// multiply 32 bits. The weights have 32, so there is one such product with their low
/// halves and one with their high halves.
struct Weights<V: Vectors> {
    low: V::I16,
    high: V::I16,
}

impl<V: Vectors> Weights<V> {
    #[inline(always)]
    fn new(incoming: V::U32, leaving: u32) -> Self {
        let outgoing = incoming * leaving.wrapping_neg();
        let low = (incoming & 0xffff) | (outgoing << 16);
        // A low half counts from -2^15 to 2^15 - 1. Where it is negative, the high half
        // makes up for it with one more.
        let high = ((incoming + 0x8000) >> 16) | ((outgoing + 0x8000) & 0xffff_0000);
        Self { low: low.bitcast(), high: high.bitcast() }
    }

    #[inline(always)]
    fn terms(&self, pairs: V::U16) -> V::U32 {
        let pairs: V::I16 = pairs.bitcast();
        let low: V::U32 = pairs.pairwise_dot_product(self.low).bitcast();
        let high: V::U32 = pairs.pairwise_dot_product(self.high).bitcast();
        low + (high << 16)
    }
}

/// The running sum of the lanes, and its last lane in all lanes.
#[inline(always)]
fn running_sum<V: Vectors>(vectors: V, vector: V::U32) -> (V::U32, V::U32) {
    let simd = vectors.level();
    let zero = V::U32::splat(simd, 0);
    let vector = vector + zero.slide_within_blocks::<3>(vector);
    let vector = vector + zero.slide_within_blocks::<2>(vector);
    let last = V::U8::from_fn(simd, |byte| 12 + byte as u8 % 4);
    let sum = join_blocks(vector, vector.swizzle_dyn_within_blocks(last), zero);
    (sum, V::U32::splat(simd, sum[V::U32::LEN - 1]))
}

/// The polynomial of `block`, which is whole vectors, with its seed.
///
/// Each lane has a polynomial of its own, of every 16th, 32nd or 64th byte.
#[inline(always)]
pub(crate) fn sum<V: Vectors, const MULTIPLIER: u32>(vectors: V, block: &[u8]) -> u32 {
    let simd = vectors.level();
    let last = V::U32::LEN - 1;
    let zero = V::U32::splat(simd, 0);
    // The seed is like a byte before the first.
    let seed = V::U32::from_fn(simd, |lane| if lane == last { SEED } else { 0 });
    let mut sums = [zero, zero, zero, seed];
    let growth = power(MULTIPLIER, V::U8::LEN);
    for vector in block.chunks_exact(V::U8::LEN) {
        let (low, high) = V::U8::from_slice(simd, vector).widen();
        let ((part0, part1), (part2, part3)) = (low.widen(), high.widen());
        for (sum, part) in sums.iter_mut().zip([part0, part1, part2, part3]) {
            *sum = *sum * growth + part;
        }
    }
    // The last byte of a vector has weight 1.
    let weights: &[u32; WIDEST] = const { &falling_powers(MULTIPLIER) };
    let weights = &weights[WIDEST - V::U8::LEN..];
    let mut total = zero;
    for (sum, weights) in sums.into_iter().zip(weights.chunks_exact(V::U32::LEN)) {
        total += sum * V::U32::from_slice(simd, weights);
    }
    total.reduce_sum()
}

/// `first`, `first * base`, `first * base^2` and so on.
const fn powers(first: u32, base: u32) -> [u32; WIDEST] {
    let mut powers = [first; WIDEST];
    let mut at = 1;
    while at < WIDEST {
        powers[at] = powers[at - 1].wrapping_mul(base);
        at += 1;
    }
    powers
}

/// The powers of `base` down to 1.
const fn falling_powers(base: u32) -> [u32; WIDEST] {
    let mut powers = [1u32; WIDEST];
    let mut at = WIDEST - 1;
    while at > 0 {
        at -= 1;
        powers[at] = powers[at + 1].wrapping_mul(base);
    }
    powers
}

/// The number whose product with the odd `number` is 1 modulo 2^32.
const fn inverse(number: u32) -> u32 {
    // The 2^30th power of every odd number is 1.
    power(number, (1 << 30) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses() {
        for number in [1, 3, KEY_MULTIPLIER, HASH_MULTIPLIER, u32::MAX] {
            assert_eq!(inverse(number).wrapping_mul(number), 1);
        }
    }
}
