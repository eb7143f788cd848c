//! The scan: which positions of a buffer may begin a block of the index.
//!
//! It works in tiles. For each tile, first the keys at all its positions are rolled
//! into a small array, then all of them are probed, and only then is anything done
//! about those that passed. One loop that rolled, probed and branched at every byte
//! would wait for the sieve's memory and for mispredicted branches each time.

use std::ops::Range;

use crate::machine::{self, Machine, Task};
use crate::rolling::{RabinKarp, Rolling, Rsync};
use crate::rolling_sum::RollingSum;
use crate::rsync::LIBRSYNC_OFFSET;
use crate::sieve::{HASH_MULTIPLIER, Sieve, View, key_of};
use crate::tier::Tier;
use crate::tile::{GROUP, GROUPS, Strips, TILE, Tile, Windows, join};

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
    sum: RollingSum,
    window: usize,
    tier: Tier,
    mask: u32,
    in_pairs: bool,
}

/// The key of two neighbouring blocks, made of theirs: what a scan [in
/// pairs](Scanner::in_pairs) looks for.
///
/// Where the keys have 16 bits each, all of them are in it.
pub fn pair_key(first: u32, second: u32) -> u32 {
    key_of(join(first.wrapping_mul(HASH_MULTIPLIER), second.wrapping_mul(HASH_MULTIPLIER)))
}

impl Scanner {
    /// A scanner with a window of `window` bytes, the size of a block.
    ///
    /// # Panics
    ///
    /// When `window` is 0 or above 2^31.
    pub fn new(sum: RollingSum, window: usize) -> Self {
        Self::with_tier(sum, window, Tier::detect())
    }

    /// A scanner that works on a certain tier.
    ///
    /// # Panics
    ///
    /// As [`Scanner::new`], and when this machine does not run the tier.
    pub fn with_tier(sum: RollingSum, window: usize, tier: Tier) -> Self {
        assert!((1..=1 << 31).contains(&window), "a window of {window} bytes");
        assert!(tier.is_available(), "this machine does not run {tier}");
        Self { sum, window, tier, mask: u32::MAX, in_pairs: false }
    }

    /// Looks at the bits in `mask` of each key only, as for an index that has no others;
    /// in a candidate's key the others are 0. Of rsync's sums only.
    ///
    /// # Panics
    ///
    /// When this is another sum.
    #[must_use]
    pub fn masked(self, mask: u32) -> Self {
        assert!(
            mask == u32::MAX || matches!(self.sum, RollingSum::Rsync | RollingSum::Librsync),
            "{:?} is not cut",
            self.sum
        );
        Self { mask, ..self }
    }

    /// Looks at two windows at each position, the second right behind the first, by their
    /// [`pair_key`].
    #[must_use]
    pub fn in_pairs(self) -> Self {
        Self { in_pairs: true, ..self }
    }

    /// Appends to `candidates`, in ascending order, every position in `positions`
    /// whose window may have a key of `sieve`. Positions that are left out certainly have
    /// none.
    ///
    /// The windows at all positions, or both of a pair, lie in `buffer`. Starting costs the summing of one
    /// window, so ask for many positions at once.
    ///
    /// # Panics
    ///
    /// When a window reaches past the end of `buffer`.
    pub fn scan(&self, buffer: &[u8], positions: Range<usize>, sieve: &Sieve, candidates: &mut Vec<Candidate>) {
        self.scan_view(buffer, positions, sieve.view(), candidates);
    }

    fn scan_view(&self, buffer: &[u8], positions: Range<usize>, sieve: View<'_>, candidates: &mut Vec<Candidate>) {
        if positions.is_empty() {
            return;
        }
        let reach = if self.in_pairs { 2 * self.window } else { self.window };
        assert!(
            positions.end - 1 + reach <= buffer.len(),
            "windows of {reach} bytes at {positions:?} reach past {} bytes",
            buffer.len()
        );
        machine::run(self.tier, Scan { scanner: *self, buffer, positions, sieve, candidates });
    }
}

impl Scanner {
    /// The sum of the first window. Inlined as the kernels are: a closure would not be, and
    /// then every vector is a call.
    #[inline(always)]
    fn first<M: Machine, Sum: Rolling>(&self, machine: M, bytes: &[u8]) -> Sum {
        Sum::new(self.sum.key_on(machine, bytes), self.window, self.mask)
    }
}

struct Scan<'a> {
    scanner: Scanner,
    buffer: &'a [u8],
    positions: Range<usize>,
    sieve: View<'a>,
    candidates: &'a mut Vec<Candidate>,
}

impl Task for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn run<M: Machine>(self, machine: M) {
        let is_masked = self.scanner.mask != u32::MAX;
        match self.scanner.sum {
            RollingSum::Rsync if is_masked => self.tiles::<M, Rsync<0, true>>(machine),
            RollingSum::Rsync => self.tiles::<M, Rsync<0, false>>(machine),
            RollingSum::Librsync if is_masked => self.tiles::<M, Rsync<LIBRSYNC_OFFSET, true>>(machine),
            RollingSum::Librsync => self.tiles::<M, Rsync<LIBRSYNC_OFFSET, false>>(machine),
            RollingSum::RabinKarp => self.tiles::<M, RabinKarp>(machine),
        }
    }
}

impl Scan<'_> {
    #[inline(always)]
    fn tiles<M: Machine, Sum: Rolling>(self, machine: M) {
        let Self { scanner, buffer, positions, sieve, candidates } = self;
        let Scanner { window, in_pairs, .. } = scanner;
        // The first position is summed; all others are rolled to.
        let mut position = positions.start;
        let mut windows: Windows<Sum> = Windows {
            first: scanner.first(machine, &buffer[position..][..window]),
            second: match in_pairs {
                true => Some(scanner.first(machine, &buffer[position + window..][..window])),
                false => None,
            },
        };
        let key = windows.first.key();
        let key = windows.second.as_ref().map_or(key, |second| pair_key(key, second.key()));
        if sieve.may_contain(key) {
            candidates.push(Candidate { position, key });
        }
        let (mut tile, mut hits) = (Tile::new(), [0; TILE + 2]);
        while position + 1 < positions.end {
            let count = TILE.min(positions.end - 1 - position);
            let strips = Strips {
                outgoing: &buffer[position..][..count],
                incoming: &buffer[position + window..][..count],
                next: if in_pairs { &buffer[position + 2 * window..][..count] } else { &[] },
            };
            machine.tile(&mut windows, strips, sieve, &mut tile);
            let groups = count.div_ceil(GROUP);
            if !count.is_multiple_of(GROUP) {
                // Behind the tile are hashes of another.
                tile.masks[groups - 1] &= (1 << (count % GROUP)) - 1;
            }
            let count_of_hits = unpack(&tile.masks[..groups], &mut hits);
            candidates.extend(hits[..count_of_hits].iter().map(|&at| {
                let (group, at_in_group) = (usize::from(at) / GROUP % GROUPS, usize::from(at) % GROUP);
                let hash = tile.hashes[group][machine.place(at_in_group) % GROUP];
                Candidate { position: position + 1 + usize::from(at), key: key_of(hash) }
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
