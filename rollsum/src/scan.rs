//! The scan: which positions of a buffer may begin a block of the index.
//!
//! It works in tiles. For each tile, first the keys at all its positions are rolled
//! into a small array, then all of them are probed, and only then is anything done
//! about those that passed. One loop that rolled, probed and branched at every byte
//! would wait for the sieve's memory and for mispredicted branches each time.

use std::ops::Range;

use crate::machine::{self, Machine, Rolling, Task};
use crate::polynomial::RabinKarp;
use crate::rsync::{LIBRSYNC_OFFSET, Rsync};
use crate::sieve::{View, key_of};
use crate::{Kind, Tier};

/// Positions in a tile: its bytes, hashes and masks stay in the first-level cache.
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
    tier: Tier,
}

impl Scanner {
    /// A scanner with a window of `window` bytes, the size of a block.
    ///
    /// # Panics
    ///
    /// When `window` is 0 or above 2^31.
    pub fn new(kind: Kind, window: usize) -> Self {
        Self::with_tier(kind, window, Tier::detect())
    }

    /// A scanner that works on a certain tier.
    ///
    /// # Panics
    ///
    /// As [`Scanner::new`], and when this machine does not run the tier.
    pub fn with_tier(kind: Kind, window: usize, tier: Tier) -> Self {
        assert!((1..=1 << 31).contains(&window), "a window of {window} bytes");
        assert!(tier.is_available(), "this machine does not run {tier}");
        Self { kind, window, tier }
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
        let Self { kind, window, tier } = *self;
        machine::run(tier, Scan { kind, window, buffer, positions, sieve, candidates });
    }
}

struct Scan<'a> {
    kind: Kind,
    window: usize,
    buffer: &'a [u8],
    positions: Range<usize>,
    sieve: View<'a>,
    candidates: &'a mut Vec<Candidate>,
}

impl Task for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn run<M: Machine>(self, machine: M) {
        match self.kind {
            Kind::Rsync => self.tiles::<M, Rsync<0>>(machine),
            Kind::Librsync => self.tiles::<M, Rsync<LIBRSYNC_OFFSET>>(machine),
            Kind::RabinKarp | Kind::Wide => self.tiles::<M, RabinKarp>(machine),
        }
    }
}

impl Scan<'_> {
    #[inline(always)]
    fn tiles<M: Machine, Sum: Rolling>(self, machine: M) {
        let Self { kind, window, buffer, positions, sieve, candidates } = self;
        // The first position is summed; all others are rolled to.
        let mut position = positions.start;
        let mut sum = Sum::new(kind.key_on(machine, &buffer[position..][..window]), window);
        if sieve.may_contain(sum.key()) {
            candidates.push(Candidate { position, key: sum.key() });
        }
        let (mut hashes, mut masks, mut hits) = ([0; TILE], [0; TILE / 64], [0; TILE + 2]);
        while position + 1 < positions.end {
            let count = TILE.min(positions.end - 1 - position);
            let outgoing = &buffer[position..][..count];
            let incoming = &buffer[position + window..][..count];
            machine.roll(&mut sum, outgoing, incoming, &mut hashes[..count]);
            let groups = count.div_ceil(64);
            machine.probe(sieve, &hashes[..groups * 64], &mut masks[..groups]);
            if !count.is_multiple_of(64) {
                // Behind the tile are hashes of another.
                masks[groups - 1] &= (1 << (count % 64)) - 1;
            }
            let count_of_hits = unpack(&masks[..groups], &mut hits);
            candidates.extend(hits[..count_of_hits].iter().map(|&at| {
                let at = usize::from(at);
                Candidate { position: position + 1 + at, key: key_of(hashes[at % TILE]) }
            }));
            position += count;
        }
    }
}

/// Writes the places of the bits in `masks` to `hits`, and tells how many there are.
#[inline(always)]
fn unpack(masks: &[u64], hits: &mut [u16; TILE + 2]) -> usize {
    let mut count = 0;
    for (group, &mask) in masks.iter().enumerate() {
        // Mostly there are none or one, and seldom more than two. Those two are written
        // always and kept only if they are there: no branch to mispredict.
        let mut rest = mask;
        for _ in 0..2 {
            hits[count] = (group * 64) as u16 + rest.trailing_zeros() as u16;
            count += usize::from(rest != 0);
            rest &= rest.wrapping_sub(1);
        }
        while rest != 0 {
            hits[count] = (group * 64) as u16 + rest.trailing_zeros() as u16;
            count += 1;
            rest &= rest - 1;
        }
    }
    count
}

#[cfg(test)]
mod tests;
