//! The scan: which positions of a buffer may begin a block of the index.
//!
//! It works in tiles. For each tile, first the keys at all its positions are rolled
//! into a small array, then all of them are probed, and only then is anything done
//! about those that passed. One loop that rolled, probed and branched at every byte
//! would wait for the sieve's memory and for mispredicted branches each time.

use std::ops::Range;

use crate::Kind;
use crate::polynomial::RabinKarp;
use crate::rsync::{LIBRSYNC_OFFSET, Rsync};
use crate::sieve::View;

/// Positions in a tile: its keys and hits stay in the first-level cache.
const TILE: usize = 1024;

/// A place where a block may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Offset in the buffer.
    pub position: usize,
    /// The key of the window that begins there.
    pub key: u32,
}

/// Rolls a window of one length over buffers.
#[derive(Clone, Copy, Debug)]
pub struct Scanner {
    kind: Kind,
    window: usize,
}

impl Scanner {
    /// A scanner with a window of `window` bytes, the size of a block.
    ///
    /// # Panics
    ///
    /// When `window` is 0 or above 2^31.
    pub fn new(kind: Kind, window: usize) -> Self {
        assert!((1..=1 << 31).contains(&window), "a window of {window} bytes");
        Self { kind, window }
    }

    /// Appends to `candidates`, in ascending order, every position in `positions`
    /// whose window may have a key that the sieve made of `words` holds. Positions
    /// that are left out certainly have none.
    ///
    /// The windows at all positions lie in `buffer`. Starting costs the summing of one
    /// window, so ask for many positions at once.
    ///
    /// # Panics
    ///
    /// When a window reaches past the end of `buffer`.
    pub fn scan(&self, buffer: &[u8], positions: Range<usize>, words: &[u32], candidates: &mut Vec<Candidate>) {
        if positions.is_empty() {
            return;
        }
        assert!(
            positions.end - 1 + self.window <= buffer.len(),
            "windows of {} bytes at {positions:?} reach past {} bytes",
            self.window,
            buffer.len()
        );
        let sieve = View::new(words);
        match self.kind {
            Kind::Rsync => self.tiles::<Rsync<0>>(buffer, positions, sieve, candidates),
            Kind::Librsync => self.tiles::<Rsync<LIBRSYNC_OFFSET>>(buffer, positions, sieve, candidates),
            Kind::RabinKarp | Kind::Wide => self.tiles::<RabinKarp>(buffer, positions, sieve, candidates),
        }
    }

    fn tiles<Sum: Rolling>(
        &self,
        buffer: &[u8],
        positions: Range<usize>,
        sieve: View<'_>,
        candidates: &mut Vec<Candidate>,
    ) {
        let mut sum = Sum::new(&buffer[positions.start..][..self.window]);
        let mut keys = [0; TILE];
        let mut start = positions.start;
        loop {
            let count = TILE.min(positions.end - start);
            let keys = &mut keys[..count];
            let outgoing = &buffer[start..][..count - 1];
            let incoming = &buffer[start + self.window..][..count - 1];
            roll_tile(&mut sum, outgoing, incoming, keys);
            probe_tile(keys, start, sieve, candidates);
            start += count;
            if start == positions.end {
                return;
            }
            sum.roll(buffer[start - 1], buffer[start - 1 + self.window]);
        }
    }
}

/// A sum of a window that moves on byte by byte.
pub(crate) trait Rolling: Copy {
    /// The sum of `window`, which keeps its length from now on.
    fn new(window: &[u8]) -> Self;

    /// The key now.
    fn key(&self) -> u32;

    /// Moves the window on by one byte.
    fn roll(&mut self, outgoing: u8, incoming: u8);
}

/// The keys at the positions of a tile, one more than the window moves.
#[inline(always)]
fn roll_tile<Sum: Rolling>(sum: &mut Sum, outgoing: &[u8], incoming: &[u8], keys: &mut [u32]) {
    let (first, rest) = keys.split_first_mut().expect("a tile is never empty");
    *first = sum.key();
    for ((key, &outgoing), &incoming) in rest.iter_mut().zip(outgoing).zip(incoming) {
        sum.roll(outgoing, incoming);
        *key = sum.key();
    }
}

/// Appends the positions whose keys pass the sieve.
#[inline(always)]
fn probe_tile(keys: &[u32], start: usize, sieve: View<'_>, candidates: &mut Vec<Candidate>) {
    let mut hits = [0u16; TILE];
    let mut count = 0;
    for (at, &key) in keys.iter().enumerate() {
        // Written always and kept only on a hit: no branch to mispredict.
        hits[count] = at as u16;
        count += usize::from(sieve.may_contain(key));
    }
    candidates.extend(hits[..count].iter().map(|&at| {
        let at = usize::from(at);
        Candidate { position: start + at, key: keys[at] }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SieveBuilder, may_contain};
    use proptest::prelude::*;

    const KINDS: [Kind; 4] = [Kind::Rsync, Kind::Librsync, Kind::RabinKarp, Kind::Wide];

    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect()
    }

    /// Sums every window afresh.
    fn naive(kind: Kind, window: usize, buffer: &[u8], positions: Range<usize>, words: &[u32]) -> Vec<Candidate> {
        positions
            .map(|position| Candidate { position, key: kind.key(&buffer[position..][..window]) })
            .filter(|candidate| may_contain(words, candidate.key))
            .collect()
    }

    /// A sieve of every `step`-th window, so that some positions hit and most do not.
    fn sieve(kind: Kind, window: usize, buffer: &[u8], step: usize) -> Vec<u32> {
        let builder = SieveBuilder::new(buffer.len() / step);
        buffer.windows(window).step_by(step).for_each(|block| builder.insert(kind.key(block)));
        builder.finish()
    }

    fn check(kind: Kind, window: usize, buffer: &[u8], positions: Range<usize>) {
        let words = sieve(kind, window, buffer, 97);
        let mut found = Vec::new();
        Scanner::new(kind, window).scan(buffer, positions.clone(), &words, &mut found);
        assert_eq!(found, naive(kind, window, buffer, positions, &words), "{kind:?}, window {window}");
    }

    #[test]
    fn crosses_tile_borders() {
        let buffer = noise(TILE * 3 + 100, 1);
        for kind in KINDS {
            for window in [1, 2, 15, 16, 17, 31, 100] {
                let all = buffer.len() - window + 1;
                for positions in [0..1, 0..TILE - 1, 0..TILE, 0..TILE + 1, 1..2 * TILE + 1, 7..all, all - 1..all, 5..5]
                {
                    check(kind, window, &buffer, positions);
                }
            }
        }
    }

    #[test]
    fn long_windows() {
        let buffer = noise(140_000, 2);
        for kind in KINDS {
            for window in [4096, 65_535, 65_536, 65_537, 139_990] {
                check(kind, window, &buffer, 0..11.min(buffer.len() - window + 1));
            }
        }
    }

    #[test]
    fn finds_every_block_of_its_sieve() {
        let buffer = noise(50_000, 3);
        for kind in KINDS {
            let words = sieve(kind, 700, &buffer, 1234);
            let mut found = Vec::new();
            Scanner::new(kind, 700).scan(&buffer, 0..buffer.len() - 699, &words, &mut found);
            let positions: Vec<_> = found.iter().map(|candidate| candidate.position).collect();
            assert!((0..buffer.len() - 699).step_by(1234).all(|position| positions.binary_search(&position).is_ok()));
            assert!(positions.len() < 2500, "{} of 49,301 positions pass", positions.len());
        }
    }

    #[test]
    #[should_panic(expected = "reach past")]
    fn a_window_past_the_end_is_refused() {
        Scanner::new(Kind::Rsync, 8).scan(&[0; 10], 0..4, &[0], &mut Vec::new());
    }

    proptest! {
        #[test]
        fn any_window_and_positions(
            kind in prop::sample::select(&KINDS[..]),
            window in 1usize..3000,
            extra in 0usize..4000,
            start in 0.0..1.0f64,
            seed in any::<u64>(),
        ) {
            let buffer = noise(window + extra, seed);
            let start = (start * extra as f64) as usize;
            check(kind, window, &buffer, start..extra + 1);
        }
    }
}
