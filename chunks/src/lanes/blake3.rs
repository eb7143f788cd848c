//! BLAKE3 with a digest of 32 bytes, unkeyed. Sections are those of the BLAKE3 paper.

use fearless_simd::Simd;
use fearless_simd::prelude::*;

use super::transpose::{Rows, transpose_u32};
use super::{Kernel, MOST_LANES, rotate_left, write_sum};

pub(crate) struct Blake3Lanes;

/// Bytes that one compression takes in: a "block" in the paper.
const BLOCK: usize = 64;

/// Bytes in a leaf of the tree.
const CHUNK: usize = 1024;

/// Table 1.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Table 2 applied again for each round.
#[rustfmt::skip]
const ORDER: [[usize; 16]; 7] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8],
    [3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1],
    [10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6],
    [12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4],
    [9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7],
    [11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13],
];

/// Table 3.
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;
const ROOT: u32 = 8;

/// A chaining value in every lane.
type Chain<S> = [<S as Simd>::u32s; 8];

impl Kernel for Blake3Lanes {
    /// One vector: a round has four independent parts of its own, and its state fills
    /// the registers.
    fn most<S: Simd>() -> usize {
        S::u32s::LEN
    }

    fn fewest<S: Simd>(length: usize) -> usize {
        // One message's chunks fill lanes too, and the crate has them in assembly.
        let fewest = 2 * length.div_ceil(CHUNK).max(1);
        if fewest <= S::u32s::LEN { fewest } else { usize::MAX }
    }

    #[inline(always)]
    fn sum_lanes<S: Simd>(simd: S, blocks: &[&[u8]], sums: &mut [u8]) {
        let length = blocks[0].len();
        let count = length.div_ceil(CHUNK).max(1);
        // Lengths are equal, and so are the trees (section 2.1): a subtree is complete
        // when as many chunks are as its size. One per bit of the number of chunks waits.
        let mut waiting: Vec<Chain<S>> = Vec::with_capacity(count.ilog2() as usize + 1);
        let rows = Rows::new(blocks);
        let mut chain = initial(simd);
        for index in 0..count {
            chain = leaf(simd, blocks, &rows, index, count == 1);
            let is_last = index + 1 == count;
            let mut complete = index + 1;
            while !waiting.is_empty() && (is_last || complete.is_multiple_of(2)) {
                let left = waiting.pop().expect("a left sibling");
                let flags = if is_last && waiting.is_empty() { ROOT } else { 0 };
                chain = parent(simd, left, chain, flags);
                complete /= 2;
            }
            waiting.push(chain);
        }

        let sum_len = sums.len() / blocks.len();
        for (lane, sum) in sums.chunks_exact_mut(sum_len).enumerate() {
            write_sum(sum, chain.map(|word| word[lane].to_le_bytes()).as_flattened());
        }
    }
}

/// The chaining value of the `index`-th chunk (section 2.4).
#[inline(always)]
fn leaf<S: Simd>(simd: S, messages: &[&[u8]], rows: &Rows<'_, BLOCK>, index: usize, is_root: bool) -> Chain<S> {
    let start = index * CHUNK;
    let end = messages[0].len().min(start + CHUNK);
    let mut chain = initial(simd);
    let mut flags = CHUNK_START;
    let mut at = start;
    loop {
        let len = (end - at).min(BLOCK);
        let words = if len == BLOCK { transpose_u32(simd, rows, at / BLOCK) } else { padded(simd, messages, at) };
        if at + len == end {
            flags |= CHUNK_END | if is_root { ROOT } else { 0 };
        }
        chain = compress(simd, &chain, &words, index as u64, len as u32, flags);
        flags = 0;
        at += len;
        if at == end {
            return chain;
        }
    }
}

/// The words of a block that is not full, followed by zeros.
#[inline(always)]
fn padded<S: Simd>(simd: S, messages: &[&[u8]], at: usize) -> [S::u32s; 16] {
    let mut blocks = [[0; BLOCK]; MOST_LANES];
    for (block, message) in blocks.iter_mut().zip(messages) {
        block[..message.len() - at].copy_from_slice(&message[at..]);
    }
    transpose_u32(simd, &Rows::of_chunks(&blocks), 0)
}

/// The chaining value of a node that is no leaf (section 2.5).
#[inline(always)]
fn parent<S: Simd>(simd: S, left: Chain<S>, right: Chain<S>, flags: u32) -> Chain<S> {
    let mut words = [left[0]; 16];
    words[..8].copy_from_slice(&left);
    words[8..].copy_from_slice(&right);
    compress(simd, &initial(simd), &words, 0, BLOCK as u32, flags | PARENT)
}

#[inline(always)]
fn initial<S: Simd>(simd: S) -> Chain<S> {
    let mut chain = [S::u32s::splat(simd, 0); 8];
    for (word, initial) in chain.iter_mut().zip(INITIAL) {
        *word = S::u32s::splat(simd, initial);
    }
    chain
}

/// The compression function, cut to a chaining value (section 2.2).
#[inline(always)]
fn compress<S: Simd>(simd: S, chain: &Chain<S>, words: &[S::u32s; 16], counter: u64, len: u32, flags: u32) -> Chain<S> {
    let mut v = [chain[0]; 16];
    v[..8].copy_from_slice(chain);
    let rest = [INITIAL[0], INITIAL[1], INITIAL[2], INITIAL[3], counter as u32, (counter >> 32) as u32, len, flags];
    for at in 0..8 {
        v[8 + at] = S::u32s::splat(simd, rest[at]);
    }
    round::<S, 0>(&mut v, words);
    round::<S, 1>(&mut v, words);
    round::<S, 2>(&mut v, words);
    round::<S, 3>(&mut v, words);
    round::<S, 4>(&mut v, words);
    round::<S, 5>(&mut v, words);
    round::<S, 6>(&mut v, words);
    let mut chain = *chain;
    for (at, word) in chain.iter_mut().enumerate() {
        *word = v[at] ^ v[at + 8];
    }
    chain
}

/// One round. Its number is a constant, so that the words are at fixed places.
#[inline(always)]
fn round<S: Simd, const ROUND: usize>(v: &mut [S::u32s; 16], words: &[S::u32s; 16]) {
    let order = &ORDER[ROUND];
    mix::<S, 0, 4, 8, 12>(v, words[order[0]], words[order[1]]);
    mix::<S, 1, 5, 9, 13>(v, words[order[2]], words[order[3]]);
    mix::<S, 2, 6, 10, 14>(v, words[order[4]], words[order[5]]);
    mix::<S, 3, 7, 11, 15>(v, words[order[6]], words[order[7]]);
    mix::<S, 0, 5, 10, 15>(v, words[order[8]], words[order[9]]);
    mix::<S, 1, 6, 11, 12>(v, words[order[10]], words[order[11]]);
    mix::<S, 2, 7, 8, 13>(v, words[order[12]], words[order[13]]);
    mix::<S, 3, 4, 9, 14>(v, words[order[14]], words[order[15]]);
}

/// The quarter-round.
#[inline(always)]
fn mix<S: Simd, const A: usize, const B: usize, const C: usize, const D: usize>(
    v: &mut [S::u32s; 16],
    x: S::u32s,
    y: S::u32s,
) {
    v[A] = v[A] + v[B] + x;
    v[D] = rotate_left::<S, _, 32>(v[D] ^ v[A], 16);
    v[C] += v[D];
    v[B] = rotate_left::<S, _, 32>(v[B] ^ v[C], 20);
    v[A] = v[A] + v[B] + y;
    v[D] = rotate_left::<S, _, 32>(v[D] ^ v[A], 24);
    v[C] += v[D];
    v[B] = rotate_left::<S, _, 32>(v[B] ^ v[C], 25);
}
