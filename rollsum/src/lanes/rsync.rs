//! rsync's sum in lanes of 16 bits.

use fearless_simd::{Bytes, SimdBase, SimdWiden};

use super::vectors::{Vectors, join_blocks};
use crate::sieve::HASH_MULTIPLIER;

/// What does not change while a window moves.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Bytes in the window.
    pub(crate) window: u16,
    /// What the sum adds to every byte.
    pub(crate) offset: u16,
    /// The bits of a key that are wanted, if not all are.
    pub(crate) mask: Option<u32>,
}

/// Moves a window on by as many bytes as there are, which are whole vectors, and leaves
/// the hash of its key after every byte. `a` and `b` are the halves of the key, before
/// and after.
///
/// With `d[i] = in[i] - out[i]` for the bytes that come in and go out:
///
/// ```text
/// a[i] = a + (d[0] + ... + d[i])             = a + A[i]
/// b[i] = b + (a[0] + ... + a[i]) - n * (out[0] + offset + ... + out[i] + offset)
///      = b + (i + 1) * (a - n * offset) + ((A[0] - n * out[0]) + ... + (A[i] - n * out[i]))
/// ```
///
/// So two running sums do it, and the only things that a vector has to wait for are the
/// `a` and `b` of the one before, to which it adds.
#[inline(always)]
pub(crate) fn roll<V: Vectors>(
    vectors: V,
    (a, b): (&mut u16, &mut u16),
    Terms { window, offset, mask }: Terms,
    (outgoing, incoming): (&[u8], &[u8]),
    hashes: &mut [u32],
) {
    let simd = vectors.level();
    let lanes = V::U16::LEN;
    let drift = window.wrapping_mul(offset);
    let near = V::U16::from_fn(simd, |lane| lane as u16 + 1);
    let far = near + lanes as u16;
    let (mut all_a, mut all_b) = (V::U16::splat(simd, *a), V::U16::splat(simd, *b));
    let steps = outgoing.chunks_exact(2 * lanes).zip(incoming.chunks_exact(2 * lanes));
    for ((outgoing, incoming), hashes) in steps.zip(hashes.chunks_exact_mut(2 * lanes)) {
        let (out0, out1) = V::U8::from_slice(simd, outgoing).widen();
        let (in0, in1) = V::U8::from_slice(simd, incoming).widen();
        let (sum0, total0) = running_sum(vectors, in0 - out0);
        let (sum1, total1) = running_sum(vectors, in1 - out1);
        let sum1 = sum1 + total0;
        let (weighted0, weighted_total0) = running_sum(vectors, sum0 - out0 * window);
        let (weighted1, weighted_total1) = running_sum(vectors, sum1 - out1 * window);
        let weighted1 = weighted1 + weighted_total0;

        let drift = all_a - drift;
        let (low0, high0) = (all_a + sum0).interleave(all_b + near * drift + weighted0);
        let (low1, high1) = (all_a + sum1).interleave(all_b + far * drift + weighted1);
        let (first, second) = hashes.split_at_mut(lanes);
        let hash = |keys: V::U16| {
            let keys = keys.bitcast::<V::U32>();
            mask.map_or(keys, |mask| keys & mask) * HASH_MULTIPLIER
        };
        for (keys, hashes) in [low0, high0].into_iter().zip(first.chunks_exact_mut(V::U32::LEN)) {
            hash(keys).store_slice(hashes);
        }
        for (keys, hashes) in [low1, high1].into_iter().zip(second.chunks_exact_mut(V::U32::LEN)) {
            hash(keys).store_slice(hashes);
        }

        all_b += drift * (2 * lanes) as u16 + (weighted_total0 + weighted_total1);
        all_a += total0 + total1;
    }
    (*a, *b) = (all_a[0], all_b[0]);
}

/// The running sum of the lanes, and its last lane in all lanes.
#[inline(always)]
fn running_sum<V: Vectors>(vectors: V, vector: V::U16) -> (V::U16, V::U16) {
    let simd = vectors.level();
    let zero = V::U16::splat(simd, 0);
    let vector = vector + zero.slide_within_blocks::<7>(vector);
    let vector = vector + zero.slide_within_blocks::<6>(vector);
    let vector = vector + zero.slide_within_blocks::<4>(vector);
    let last = V::U8::from_fn(simd, |byte| 14 + byte as u8 % 2);
    let sum = join_blocks(vector, vector.swizzle_dyn_within_blocks(last), zero);
    (sum, V::U16::splat(simd, sum[V::U16::LEN - 1]))
}

/// Both sums of `block`, which is whole vectors, without offset.
///
/// Each lane adds up its own bytes, and those sums once more for every vector that
/// follows; what a byte's place within the vector adds is multiplied in at the end.
#[inline(always)]
pub(crate) fn sum<V: Vectors>(vectors: V, block: &[u8]) -> (u32, u32) {
    let simd = vectors.level();
    let zero = V::U16::splat(simd, 0);
    let (mut a0, mut a1, mut b0, mut b1) = (zero, zero, zero, zero);
    for vector in block.chunks_exact(V::U8::LEN) {
        let (low, high) = V::U8::from_slice(simd, vector).widen();
        b0 += a0;
        b1 += a1;
        a0 += low;
        a1 += high;
    }
    let lanes = V::U16::LEN as u16;
    let weights = V::U16::from_fn(simd, |lane| lanes - lane as u16);
    let b = (b0 + b1) * (2 * lanes) + a0 * (weights + lanes) + a1 * weights;
    ((a0 + a1).reduce_sum().into(), b.reduce_sum().into())
}
