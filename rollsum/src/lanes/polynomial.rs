//! Polynomials modulo 2^32 in lanes of 32 bits.

use fearless_simd::{Bytes, SimdBase, SimdIntWiden, SimdWiden};

use super::vectors::{Vectors, join_blocks};
use crate::polynomial::{MULTIPLIER, SEED, inverse, power};
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
    const INVERSES: [u32; WIDEST] = powers(inverse(MULTIPLIER), inverse(MULTIPLIER));
    const GROWTH: [u32; WIDEST] = powers(MULTIPLIER.wrapping_mul(HASH_MULTIPLIER), MULTIPLIER);

    let simd = vectors.level();
    let lanes = V::U32::LEN;
    let part = |table: &[u32; WIDEST], part: usize| V::U32::from_slice(simd, &table[part * lanes..][..lanes]);
    let weights = |at: usize| {
        let incoming = part(&INVERSES, at);
        Weights::<V>::new(incoming, incoming * leaving.wrapping_neg())
    };
    let weights = [weights(0), weights(1), weights(2), weights(3)];
    let growth = [part(&GROWTH, 0), part(&GROWTH, 1), part(&GROWTH, 2), part(&GROWTH, 3)];
    let step = power(MULTIPLIER, PARTS * lanes);
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

/// What pairs of bytes are multiplied with.
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
    fn new(first: V::U32, second: V::U32) -> Self {
        let low = (first & 0xffff) | (second << 16);
        // A low half counts from -2^15 to 2^15 - 1. Where it is negative, the high half
        // makes up for it with one more.
        let high = ((first + 0x8000) >> 16) | ((second + 0x8000) & 0xffff_0000);
        Self { low: low.bitcast(), high: high.bitcast() }
    }

    /// The sums of the products, in parts that [`join_parts`] joins.
    #[inline(always)]
    fn parts(&self, pairs: V::U16) -> (V::U32, V::U32) {
        let pairs: V::I16 = pairs.bitcast();
        (pairs.pairwise_dot_product(self.low).bitcast(), pairs.pairwise_dot_product(self.high).bitcast())
    }

    #[inline(always)]
    fn terms(&self, pairs: V::U16) -> V::U32 {
        join_parts::<V>(self.parts(pairs))
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
/// Bytes are weighted by their place in two vectors, of which each lane adds up four
/// bytes; the lanes then have polynomials of their own, one term for two vectors.
#[inline(always)]
pub(crate) fn sum<V: Vectors>(vectors: V, block: &[u8]) -> u32 {
    let simd = vectors.level();
    let width = V::U8::LEN;
    let far = PairWeights::<V>::new(vectors, 2 * width);
    let near = PairWeights::<V>::new(vectors, width);
    let (single, pairs) = block.split_at(block.len() % (2 * width));

    // The seed is like a byte before the first.
    let mut sums = V::U32::from_fn(simd, |lane| if lane == 0 { SEED } else { 0 });
    if !single.is_empty() {
        let parts = near.parts(V::U8::from_slice(simd, single));
        sums = sums * power(MULTIPLIER, width) + join_parts::<V>(parts);
    }
    let growth = power(MULTIPLIER, 2 * width);
    for pair in pairs.chunks_exact(2 * width) {
        let (low0, high0) = far.parts(V::U8::from_slice(simd, &pair[..width]));
        let (low1, high1) = near.parts(V::U8::from_slice(simd, &pair[width..]));
        sums = sums * growth + join_parts::<V>((low0 + low1, high0 + high1));
    }
    sums.reduce_sum()
}

/// What two parts are together, of which the second counts 2^16 times.
///
/// That changes high halves only, so halves may be added as well as whole lanes. The
/// compiler does not see through it: of a plain sum it would add each term by itself to
/// the polynomial that is carried on, and each step would wait for all of them.
#[inline(always)]
fn join_parts<V: Vectors>((low, high): (V::U32, V::U32)) -> V::U32 {
    (low.bitcast::<V::U16>() + (high << 16).bitcast::<V::U16>()).bitcast()
}

/// What the bytes of a vector are multiplied with, those at even places and those at odd.
struct PairWeights<V: Vectors> {
    even: Weights<V>,
    odd: Weights<V>,
}

impl<V: Vectors> PairWeights<V> {
    /// Of the vector that begins `before_end` bytes before the end.
    #[inline(always)]
    fn new(vectors: V, before_end: usize) -> Self {
        let powers = const { &falling_powers(MULTIPLIER) };
        let powers = &powers[powers.len() - before_end..];
        Self {
            even: Weights::new(every_fourth(vectors, powers, 0), every_fourth(vectors, powers, 2)),
            odd: Weights::new(every_fourth(vectors, powers, 1), every_fourth(vectors, powers, 3)),
        }
    }

    /// The sums of the products, in parts that [`join_parts`] joins.
    #[inline(always)]
    fn parts(&self, bytes: V::U8) -> (V::U32, V::U32) {
        let words: V::U16 = bytes.bitcast();
        let (even_low, even_high) = self.even.parts(words & 0xff);
        let (odd_low, odd_high) = self.odd.parts(words >> 8);
        (even_low + odd_low, even_high + odd_high)
    }
}

/// Every fourth of `powers`, from the `first` on.
#[inline(always)]
fn every_fourth<V: Vectors>(vectors: V, powers: &[u32], first: usize) -> V::U32 {
    let mut lanes = [0; WIDEST / 4];
    for (lane, &power) in lanes.iter_mut().zip(powers[first..].iter().step_by(4)) {
        *lane = power;
    }
    V::U32::from_slice(vectors.level(), &lanes[..V::U32::LEN])
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

/// The powers of `base` down to 1, for the bytes of two vectors.
const fn falling_powers(base: u32) -> [u32; 2 * WIDEST] {
    let mut powers = [1u32; 2 * WIDEST];
    let mut at = powers.len() - 1;
    while at > 0 {
        at -= 1;
        powers[at] = powers[at + 1].wrapping_mul(base);
    }
    powers
}
