//! What MD4 and MD5 have in common: the state, the padding and the order of words.

use fearless_simd::Simd;
use fearless_simd::prelude::*;

use super::kernel::{Kernel, MOST_LANES, write_sum};
use super::transpose::{Rows, transpose_u32};

/// Bytes that one compression takes in.
const CHUNK: usize = 64;

/// Chunks of each message that are taken from memory at a time. Messages often lie a power
/// of two apart, and then few of them share the first-level cache: so it pays to take what
/// lies together before it is displaced.
const AHEAD: usize = 4;

/// The words of `VECTORS` vectors of messages: `words[vector][word]`.
pub(super) type Words<S, const VECTORS: usize> = [[<S as Simd>::u32s; 16]; VECTORS];

/// The four chaining words: `state[word][vector]`.
pub(super) type State<S, const VECTORS: usize> = [[<S as Simd>::u32s; VECTORS]; 4];

/// A vector takes hardly longer than one message does in the library crates.
const FEWEST: usize = 2;

/// The compression function of MD4 or MD5.
pub(super) trait Compress {
    /// Mixes `words` into `state`; the sum with the state before it is left out.
    fn compress<S: Simd, const VECTORS: usize>(
        simd: S,
        state: State<S, VECTORS>,
        words: &Words<S, VECTORS>,
    ) -> State<S, VECTORS>;
}

/// RFC 1320 and RFC 1321, section 3.3.
const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

impl<C: Compress> Kernel for C {
    fn most<S: Simd>() -> usize {
        if const { is_narrow::<S>() } { 2 * S::u32s::LEN } else { 3 * S::u32s::LEN }
    }

    fn fewest<S: Simd>() -> usize {
        FEWEST
    }

    #[inline(always)]
    fn sum_lanes<S: Simd>(simd: S, blocks: &[&[u8]], sums: &mut [u8]) {
        // As many vectors as hide the latency; fewer where there are fewer blocks.
        match blocks.len().div_ceil(S::u32s::LEN) {
            1 => sum_vectors::<C, S, 1>(simd, blocks, sums),
            2 => sum_vectors::<C, S, 2>(simd, blocks, sums),
            _ if const { is_narrow::<S>() } => unreachable!("more blocks than `most` says"),
            _ => sum_vectors::<C, S, 3>(simd, blocks, sums),
        }
    }
}

/// Whether two vectors, and not three, are what hides the latency: 128-bit instructions
/// of x86 overwrite an operand, and three vectors' copies do not fit its registers.
const fn is_narrow<S: Simd>() -> bool {
    <S::u32s as SimdBase<S>>::LEN == 4
}

#[inline(always)]
fn sum_vectors<C: Compress, S: Simd, const VECTORS: usize>(simd: S, blocks: &[&[u8]], sums: &mut [u8]) {
    let lanes = S::u32s::LEN;
    let length = blocks[0].len();
    let whole = length / CHUNK;
    let total = (length + 9).div_ceil(CHUNK);
    let tails = Tails::new(blocks, whole * CHUNK);

    let mut rows = [const { Rows::EMPTY }; VECTORS];
    for (vector, rows) in rows.iter_mut().enumerate() {
        *rows = Rows::<CHUNK>::new(&blocks[(vector * lanes).min(blocks.len() - 1)..]);
    }

    let zero = S::u32s::splat(simd, 0);
    let mut state = [[zero; VECTORS]; 4];
    for (word, initial) in state.iter_mut().zip(INITIAL) {
        *word = [S::u32s::splat(simd, initial); VECTORS];
    }
    // Out here: each round writes all of them, and would clear kilobytes first.
    let mut words = [[[zero; 16]; VECTORS]; AHEAD];
    for first in (0..total).step_by(AHEAD) {
        let count = AHEAD.min(total - first);
        for (vector, rows) in rows.iter().enumerate() {
            for (chunk, words) in (first..).zip(&mut words[..count]) {
                words[vector] = if chunk < whole {
                    transpose_u32(simd, rows, chunk)
                } else {
                    tails.words(simd, vector * lanes, chunk - whole)
                };
            }
        }
        // The compiler would rather copy all of them once more than read them from here.
        for words in std::hint::black_box(&words[..count]) {
            let mixed = C::compress(simd, state, words);
            for (state, mixed) in state.iter_mut().zip(mixed) {
                for (state, mixed) in state.iter_mut().zip(mixed) {
                    *state += mixed;
                }
            }
        }
    }

    let sum_len = sums.len() / blocks.len();
    for (index, sum) in sums.chunks_exact_mut(sum_len).enumerate() {
        write_sum(sum, state.map(|word| word[index / lanes][index % lanes].to_le_bytes()).as_flattened());
    }
}

/// The last, padded chunks of all messages.
struct Tails<'a> {
    blocks: &'a [&'a [u8]],
    /// Where the padded chunks begin.
    start: usize,
    /// One message's padding, its own bytes left zero.
    padding: [[u8; CHUNK]; 2],
}

impl<'a> Tails<'a> {
    fn new(blocks: &'a [&'a [u8]], start: usize) -> Self {
        let length = blocks[0].len();
        let own = length - start;
        let mut padding = [[0; CHUNK]; 2];
        let bytes = padding.as_flattened_mut();
        bytes[own] = 0x80;
        let end = (own + 9).next_multiple_of(CHUNK);
        bytes[end - 8..end].copy_from_slice(&(length as u64).wrapping_mul(8).to_le_bytes());
        Self { blocks, start, padding }
    }

    /// The words of the `chunk`-th padded chunk of the messages from `first` on.
    #[inline(always)]
    fn words<S: Simd>(&self, simd: S, first: usize, chunk: usize) -> [S::u32s; 16] {
        let padding = self.padding[chunk];
        let own = (self.blocks[0].len() - self.start).saturating_sub(chunk * CHUNK).min(CHUNK);
        if own == 0 {
            // Lengths are equal, so the padding is the same in every lane.
            let mut words = [S::u32s::splat(simd, 0); 16];
            for (word, bytes) in words.iter_mut().zip(padding.as_chunks().0) {
                *word = S::u32s::splat(simd, u32::from_le_bytes(*bytes));
            }
            return words;
        }
        let mut chunks = [padding; MOST_LANES];
        for (lane, bytes) in chunks.iter_mut().enumerate().take(S::u32s::LEN) {
            let block = self.blocks[(first + lane).min(self.blocks.len() - 1)];
            bytes[..own].copy_from_slice(&block[self.start + chunk * CHUNK..][..own]);
        }
        transpose_u32(simd, &Rows::of_chunks(&chunks), 0)
    }
}
