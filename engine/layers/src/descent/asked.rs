//! The blocks of one layer that are looked for, and what is known of them.

use std::ops::Range;
use std::sync::Arc;

use gosync_chunks::{BlockId, BlockLayout, ByteRange, ReadAt, SeedId, Signature};
use gosync_sums::Xxh3;

use super::expected::{Expected, Neighbours, confirmed, find_expected};
use super::place::{Packed, Place};

/// A block to look for, and the block whose record tells its sums: itself, or an equal one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) block: u32,
    pub(super) like: u32,
}

/// Blocks of a layer.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub(super) wanted: Vec<Wanted>,
    /// Where the bytes of each in a compressed payload begin. Empty where there is none.
    pub(super) payloads: Vec<u64>,
}

impl Blocks {
    /// Blocks of the coarsest layer, the bytes of the first of which begin where the payload does.
    pub(super) fn coarsest(blocks: &[u32], has_payload: bool) -> Self {
        let wanted = blocks.iter().map(|&block| Wanted { block, like: block }).collect();
        Self { wanted, payloads: vec![0; if has_payload { blocks.len() } else { 0 }] }
    }

    /// The bytes of the target that a block of the list is.
    pub(super) fn range(&self, layout: BlockLayout, at: usize) -> ByteRange {
        layout.range(BlockId(self.wanted[at].block))
    }

    /// The number in the list of the block that begins at `offset` of the target.
    pub(super) fn beginning_at(&self, layout: BlockLayout, offset: u64) -> usize {
        let block = offset / u64::from(layout.block_size());
        self.wanted.partition_point(|wanted| u64::from(wanted.block) < block)
    }

    /// Takes over a block of `other`, with the block that it is `like`.
    pub(super) fn push(&mut self, other: &Self, at: usize, like: u32) {
        self.wanted.push(Wanted { like, ..other.wanted[at] });
        self.payloads.extend(other.payloads.get(at));
    }

    /// Those whose numbers in the list are right.
    pub(super) fn only(&self, mut is_right: impl FnMut(usize) -> bool) -> Self {
        let mut some = Self::default();
        let right = (0..self.wanted.len()).filter(|&at| is_right(at));
        right.for_each(|at| some.push(self, at, self.wanted[at].like));
        some
    }
}

/// A block that was found, but that nothing confirms: its parts will, or will not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspect {
    pub(super) target: u64,
    pub(super) seed: SeedId,
    pub(super) offset: u64,
}

/// The blocks of one layer that are looked for, in the target's order, and where they are.
pub(super) struct Asked {
    pub(super) layout: BlockLayout,
    pub(super) blocks: Blocks,
    /// Their sums, as if they were all of a target; only its last block may be short.
    pub(super) signature: Signature,
    pub(super) places: Vec<Packed>,
}

impl Asked {
    /// Blocks of `layout`, with a weak and a strong sum of `hasher` for each.
    pub(super) fn new(layout: BlockLayout, blocks: Blocks, keys: Vec<u32>, strong: Vec<u8>, hasher: &Xxh3) -> Self {
        let last = blocks.wanted.last().map_or(0, |wanted| layout.range(BlockId(wanted.block)).len());
        let length = blocks.wanted.len().saturating_sub(1) as u64 * u64::from(layout.block_size()) + last;
        let all = BlockLayout::new(length, layout.block_size()).expect("no more blocks than the layer has");
        let signature = Signature::new(all, keys, strong, Arc::new(hasher.clone())).expect("a record for each");
        let places = vec![Packed::UNKNOWN; blocks.wanted.len()];
        Self { layout, blocks, signature, places }
    }

    /// Where the block of that number in the list is.
    pub(super) fn place(&self, at: usize) -> Place {
        self.places[at].place()
    }

    pub(super) fn set_place(&mut self, at: usize, place: Place) {
        self.places[at] = place.into();
    }

    pub(super) fn range(&self, at: usize) -> ByteRange {
        self.blocks.range(self.layout, at)
    }

    pub(super) fn strong(&self, at: usize) -> &[u8] {
        self.signature.strong(BlockId(at as u32))
    }

    pub(super) fn key(&self, at: usize) -> u32 {
        self.signature.weak(BlockId(at as u32))
    }

    pub(super) fn is_missing(&self, at: usize) -> bool {
        self.places[at] == Packed::UNKNOWN
    }

    /// The bytes of seeds that were found.
    pub(super) fn found(&self) -> impl Iterator<Item = (SeedId, ByteRange)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(at, place)| match place.place() {
            Place::Seed(seed, offset) => Some((seed, ByteRange::at(offset, self.range(at).len()))),
            _ => None,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many of the blocks are not found yet.
    pub(super) fn missing_count(&self) -> usize {
        self.places.iter().filter(|&&place| place == Packed::UNKNOWN).count()
    }

    /// What repeats a block that was found after all is found too.
    pub(super) fn follow_repeats(&mut self) {
        for at in 0..self.places.len() {
            if let Place::Like(of) = self.place(at) {
                // Repeats are of earlier blocks, which have been followed already.
                match self.place(self.blocks.beginning_at(self.layout, of)) {
                    Place::Unknown => {}
                    place => self.set_place(at, place),
                }
            }
        }
    }

    /// Looks for blocks where they are `expected`.
    pub(super) fn find(&mut self, expected: Vec<Expected>, seeds: &[&dyn ReadAt], hasher: &Xxh3) {
        let Self { layout, signature, places, .. } = self;
        let sums_of = |at: usize| {
            let block = BlockId(at as u32);
            (signature.weak(block), signature.strong(block))
        };
        find_expected(expected, layout.block_size(), seeds, hasher, sums_of, places);
    }

    /// Forgets what was found of the blocks `searched`, by their numbers, without a neighbour that
    /// confirms it: one that is at the neighbouring place too. Returns where their parts may be.
    pub(super) fn forget_unconfirmed(
        &mut self,
        searched: impl Iterator<Item = usize>,
        seeds: &[&dyn ReadAt],
        hasher: &Xxh3,
    ) -> Vec<Suspect> {
        let size = u64::from(self.layout.block_size());
        let confirm = |one: usize, next: usize| match (self.place(one), self.place(next)) {
            (Place::Seed(seed, offset), Place::Seed(next_seed, next)) => seed == next_seed && offset + size == next,
            // As are repeats of one block, and of neighbours.
            (Place::Like(of), Place::Like(next)) => of == next || of + size == next,
            _ => false,
        };
        let is_confirmed = |at: usize| {
            self.before(at).is_some_and(|before| confirm(before, at))
                || self.after(at).is_some_and(|after| confirm(at, after))
        };
        let mut alone: Vec<usize> = searched.filter(|&at| !self.is_missing(at) && !is_confirmed(at)).collect();
        // A neighbour that is in several places was found at another one, and may still be here.
        let expected = alone.iter().filter_map(|&at| match self.place(at) {
            Place::Seed(seed, offset) => {
                Some(Neighbours { seed, offset, before: self.before(at), after: self.after(at) })
            }
            _ => None,
        });
        let confirmed = confirmed(expected.collect(), self.layout.block_size(), seeds, hasher, |at| {
            (self.key(at), self.strong(at))
        });
        alone.retain(|&at| match self.place(at) {
            Place::Seed(seed, offset) => confirmed.binary_search(&(seed, offset)).is_err(),
            _ => true,
        });
        let suspects = alone.iter().filter_map(|&at| match self.place(at) {
            Place::Seed(seed, offset) => Some(Suspect { target: self.range(at).start, seed, offset }),
            _ => None,
        });
        let suspects = suspects.collect();
        for at in alone {
            self.set_place(at, Place::Unknown);
        }
        suspects
    }

    /// The block before that one in the target, if it is asked for too.
    pub(super) fn before(&self, at: usize) -> Option<usize> {
        at.checked_sub(1).filter(|&before| self.blocks.wanted[before].block + 1 == self.blocks.wanted[at].block)
    }

    /// The block after that one in the target, if it is asked for too.
    pub(super) fn after(&self, at: usize) -> Option<usize> {
        let after = self.blocks.wanted.get(at + 1)?;
        (self.blocks.wanted[at].block + 1 == after.block && self.range(at + 1).len() == self.range(at).len())
            .then_some(at + 1)
    }

    /// Runs of blocks that are not found yet and follow each other in the target.
    pub(super) fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for at in (0..self.blocks.wanted.len()).filter(|&at| self.is_missing(at)) {
            match runs.last_mut() {
                Some(run) if run.end == at && self.blocks.wanted[at - 1].block + 1 == self.blocks.wanted[at].block => {
                    run.end += 1;
                }
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
