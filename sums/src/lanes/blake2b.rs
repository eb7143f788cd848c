//! BLAKE2b with a digest of 32 bytes, unkeyed (RFC 7693).

use fearless_simd::Simd;
use fearless_simd::prelude::*;

use super::kernel::{Kernel, MOST_LANES, rotate_left, write_sum};
use super::transpose::{Rows, transpose_u64};

pub(crate) struct Blake2bLanes;

/// Bytes that one compression takes in.
const CHUNK: usize = 128;

/// RFC 7693, section 2.6.
const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The first parameter word: 32 bytes of digest, no key, sequential (section 2.5).
const PARAMETERS: u64 = 0x0101_0020;

/// The order of the message's words in each round (section 2.7).
#[rustfmt::skip]
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

impl Kernel for Blake2bLanes {
    /// One vector: a round has four independent parts of its own, and its state fills
    /// the registers.
    fn most<S: Simd>() -> usize {
        S::u64s::LEN
    }

    fn fewest<S: Simd>() -> usize {
        // Two lanes are worth it where a shuffle of bytes does for most rotations. 64-bit
        // ARM rotates scalars in no time, and has more units for them.
        if S::u64s::LEN > 2 || cfg!(target_arch = "x86_64") { 2 } else { usize::MAX }
    }

    #[inline(always)]
    fn sum_lanes<S: Simd>(simd: S, blocks: &[&[u8]], sums: &mut [u8]) {
        let length = blocks[0].len();
        let rows = Rows::<CHUNK>::new(blocks);
        let mut state = initial(simd);
        state[0] ^= PARAMETERS;
        // The last chunk is compressed with a mark, even where it is full or empty.
        let count = length.div_ceil(CHUNK).max(1);
        for index in 0..count {
            let start = index * CHUNK;
            let end = length.min(start + CHUNK);
            let words = if end - start == CHUNK {
                transpose_u64(simd, &rows, index)
            } else {
                let mut chunks = [[0; CHUNK]; MOST_LANES];
                for (chunk, block) in chunks.iter_mut().zip(blocks) {
                    chunk[..end - start].copy_from_slice(&block[start..]);
                }
                transpose_u64(simd, &Rows::of_chunks(&chunks), 0)
            };
            let mark = if index + 1 == count { u64::MAX } else { 0 };
            compress(simd, &mut state, &words, end as u64, mark);
        }

        let sum_len = sums.len() / blocks.len();
        for (lane, sum) in sums.chunks_exact_mut(sum_len).enumerate() {
            write_sum(sum, [0, 1, 2, 3].map(|word| state[word][lane].to_le_bytes()).as_flattened());
        }
    }
}

#[inline(always)]
fn initial<S: Simd>(simd: S) -> [S::u64s; 8] {
    let mut state = [S::u64s::splat(simd, 0); 8];
    for (word, initial) in state.iter_mut().zip(INITIAL) {
        *word = S::u64s::splat(simd, initial);
    }
    state
}

/// Section 3.2. `last` is all ones for the last chunk.
#[inline(always)]
fn compress<S: Simd>(simd: S, state: &mut [S::u64s; 8], words: &[S::u64s; 16], end: u64, last: u64) {
    let mut v = [state[0]; 16];
    v[..8].copy_from_slice(state);
    v[8..].copy_from_slice(&initial(simd));
    v[12] ^= end;
    v[14] ^= last;
    round::<S, 0>(&mut v, words);
    round::<S, 1>(&mut v, words);
    round::<S, 2>(&mut v, words);
    round::<S, 3>(&mut v, words);
    round::<S, 4>(&mut v, words);
    round::<S, 5>(&mut v, words);
    round::<S, 6>(&mut v, words);
    round::<S, 7>(&mut v, words);
    round::<S, 8>(&mut v, words);
    round::<S, 9>(&mut v, words);
    round::<S, 0>(&mut v, words);
    round::<S, 1>(&mut v, words);
    for (at, word) in state.iter_mut().enumerate() {
        *word ^= v[at] ^ v[at + 8];
    }
}

/// The words that are mixed together: first the columns of the four rows, then the diagonals.
const COLUMNS: [[usize; 4]; 4] = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]];
const DIAGONALS: [[usize; 4]; 4] = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

/// One round. Its number is a constant, so that the words are at fixed places.
#[inline(always)]
fn round<S: Simd, const ROUND: usize>(v: &mut [S::u64s; 16], words: &[S::u64s; 16]) {
    let order = &ORDER[ROUND];
    mix::<S>(v, &COLUMNS, words, [order[0], order[2], order[4], order[6]], [order[1], order[3], order[5], order[7]]);
    let (first, second) = ([order[8], order[10], order[12], order[14]], [order[9], order[11], order[13], order[15]]);
    mix::<S>(v, &DIAGONALS, words, first, second);
}

/// The function G (section 3.1) of four times four words, in step: no operation waits for the
/// one before it.
#[inline(always)]
fn mix<S: Simd>(
    v: &mut [S::u64s; 16],
    places: &[[usize; 4]; 4],
    words: &[S::u64s; 16],
    first: [usize; 4],
    second: [usize; 4],
) {
    for (order, [by_d, by_b]) in [(first, [32, 40]), (second, [48, 1])] {
        for (&[a, b, ..], word) in places.iter().zip(order) {
            v[a] = v[a] + words[word] + v[b];
        }
        for &[a, _, _, d] in places {
            v[d] = rotate_left::<S, _, 64>(v[d] ^ v[a], by_d);
        }
        for &[_, _, c, d] in places {
            v[c] += v[d];
        }
        for &[_, b, c, _] in places {
            v[b] = rotate_left::<S, _, 64>(v[b] ^ v[c], by_b);
        }
    }
}
