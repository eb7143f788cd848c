//! The blocks of one layer that are looked for, and what is known of them.

use std::ops::Range;

use gosync_chunks::{BlockId, BlockLayout, ByteRange, ReadAt, SeedId};
use gosync_sums::Xxh3;

use super::expected::{Neighbours, confirmed};

/// A block to look for, and the block whose record tells its sums: itself, or an equal one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) block: u32,
    pub(super) like: u32,
    /// Where its bytes in a compressed payload begin.
    pub(super) payload: u64,
}

/// A block that was found, but that nothing confirms: its parts will, or will not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspect {
    pub(super) target: u64,
    pub(super) seed: SeedId,
    pub(super) offset: u64,
}

/// The sums of the blocks of one layer that are looked for, in the target's order.
pub(super) struct Asked {
    pub(super) layout: BlockLayout,
    pub(super) wanted: Vec<Wanted>,
    /// Their weak sums.
    pub(super) keys: Vec<u32>,
    /// Their strong sums, one after another.
    pub(super) strong: Vec<u8>,
    pub(super) sum_len: usize,
    pub(super) places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
/// Where a block is.
pub(super) enum Place {
    Unknown,
    Seed(SeedId, u64),
    /// Equal to another one of those asked for, which is not in any seed.
    Like(usize),
    /// Only some of it is wanted, and it can be divided.
    Partly,
    /// Nothing of it is wanted.
    Unwanted,
}

impl Asked {
    pub(super) fn range(&self, at: usize) -> ByteRange {
        self.layout.range(BlockId(self.wanted[at].block))
    }

    pub(super) fn strong(&self, at: usize) -> &[u8] {
        &self.strong[at * self.sum_len..][..self.sum_len]
    }

    /// The bytes of seeds that were found.
    pub(super) fn found(&self) -> impl Iterator<Item = (SeedId, ByteRange)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(at, place)| match *place {
            Place::Seed(seed, offset) => Some((seed, ByteRange::at(offset, self.range(at).len()))),
            _ => None,
        })
    }

    /// Those of the blocks that are not found yet.
    pub(super) fn missing(&self) -> Vec<u32> {
        let missing = || self.places.iter().zip(0..).filter(|&(&place, _)| place == Place::Unknown);
        let mut all = Vec::with_capacity(missing().count());
        all.extend(missing().map(|(_, at): (_, u32)| at));
        all
    }

    /// What repeats a block that was found after all is found too.
    pub(super) fn follow_repeats(&mut self) {
        for at in 0..self.places.len() {
            if let Place::Like(of) = self.places[at] {
                // Repeats are of earlier blocks, which have been followed already.
                match self.places[of] {
                    Place::Unknown => {}
                    place => self.places[at] = place,
                }
            }
        }
    }

    /// Forgets what was found of the blocks `searched` without a neighbour that confirms
    /// it: one that is at the neighbouring place too. Returns where their parts may be.
    pub(super) fn forget_unconfirmed(
        &mut self,
        searched: &[u32],
        seeds: &[&dyn ReadAt],
        hasher: &Xxh3,
    ) -> Vec<Suspect> {
        let confirm = |one: usize, next: usize| match (self.places[one], self.places[next]) {
            (Place::Seed(seed, offset), Place::Seed(next_seed, next)) => {
                seed == next_seed && offset + u64::from(self.layout.block_size()) == next
            }
            // As are repeats of one block, and of neighbours.
            (Place::Like(of), Place::Like(next)) => of == next || of + 1 == next,
            _ => false,
        };
        let is_confirmed = |at: usize| {
            self.before(at).is_some_and(|before| confirm(before, at))
                || self.after(at).is_some_and(|after| confirm(at, after))
        };
        let searched = searched.iter().map(|&at| at as usize);
        let mut alone: Vec<usize> =
            searched.filter(|&at| self.places[at] != Place::Unknown && !is_confirmed(at)).collect();
        // A neighbour that is in several places was found at another one, and may still be here.
        let expected = alone.iter().filter_map(|&at| match self.places[at] {
            Place::Seed(seed, offset) => {
                Some(Neighbours { seed, offset, before: self.before(at), after: self.after(at) })
            }
            _ => None,
        });
        let confirmed = confirmed(expected.collect(), self.layout.block_size(), seeds, hasher, |at| {
            (self.keys[at], self.strong(at))
        });
        alone.retain(|&at| match self.places[at] {
            Place::Seed(seed, offset) => confirmed.binary_search(&(seed, offset)).is_err(),
            _ => true,
        });
        let suspects = alone.iter().filter_map(|&at| match self.places[at] {
            Place::Seed(seed, offset) => Some(Suspect { target: self.range(at).start, seed, offset }),
            _ => None,
        });
        let suspects = suspects.collect();
        for at in alone {
            self.places[at] = Place::Unknown;
        }
        suspects
    }

    /// The block before that one in the target, if it is asked for too.
    pub(super) fn before(&self, at: usize) -> Option<usize> {
        at.checked_sub(1).filter(|&before| self.wanted[before].block + 1 == self.wanted[at].block)
    }

    /// The block after that one in the target, if it is asked for too.
    pub(super) fn after(&self, at: usize) -> Option<usize> {
        let after = self.wanted.get(at + 1)?;
        (self.wanted[at].block + 1 == after.block && self.range(at + 1).len() == self.range(at).len()).then_some(at + 1)
    }

    /// Runs of blocks that are not found yet and follow each other in the target.
    pub(super) fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for at in (0..self.wanted.len()).filter(|&at| self.places[at] == Place::Unknown) {
            match runs.last_mut() {
                Some(run) if run.end == at && self.wanted[at - 1].block + 1 == self.wanted[at].block => run.end += 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }
}

/// The suspects in a run of the target; of one diagonal of a seed only the first.
pub(super) fn suspects_in(suspects: &[Suspect], start: u64, end: u64) -> Vec<Suspect> {
    let first = suspects.partition_point(|suspect| suspect.target < start);
    let mut within: Vec<Suspect> =
        suspects[first..].iter().take_while(|suspect| suspect.target < end).copied().collect();
    within.dedup_by_key(|suspect| (suspect.seed, suspect.offset.wrapping_sub(suspect.target)));
    within.truncate(MOST_SUSPECTS);
    within
}

/// Places that are looked at for the blocks of a run, at most: each costs as much as
/// summing the run.
const MOST_SUSPECTS: usize = 4;
