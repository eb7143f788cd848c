//! The search of one piece of a seed.

use std::ops::Range;

use gosync_chunks::{BlockId, Lookup, Signature, StrongSum, WeakSum, is_zeros};
use gosync_rollsum::{Candidate, Kind, Scanner};

use crate::Statistics;
use crate::repeats::FailedHits;

/// Positions scanned at first, and again after each match.
const FIRST_WINDOW: usize = 2 << 10;

/// What every piece is searched for.
pub(crate) struct Search<'a, Index> {
    signature: &'a Signature,
    lookup: &'a Index,
    kind: Kind,
    scanner: Scanner,
    block_size: usize,
    /// The sums of a block of zeros, which sparse files are full of.
    zeros: (WeakSum, StrongSum),
}

/// A block, and where in the piece it begins.
pub(crate) type Match = (BlockId, usize);

impl<'a, Index: Lookup> Search<'a, Index> {
    pub(crate) fn new(signature: &'a Signature, lookup: &'a Index, kind: Kind) -> Self {
        let block_size = signature.layout().block_size() as usize;
        let zeros = vec![0; block_size];
        let zeros = (weak_sum(kind, &zeros), signature.hasher().sum(&zeros));
        Self { signature, lookup, kind, scanner: Scanner::new(kind, block_size), block_size, zeros }
    }

    /// Finds the blocks that begin at the positions `0..positions` of the scratch
    /// buffer, which begins at `offset` in its seed and goes on for up to two blocks
    /// behind those positions. Leaves them in `found`.
    pub(crate) fn piece(&self, scratch: &mut Scratch, offset: u64, positions: usize) -> Statistics {
        let Scratch { buffer, found, candidates } = scratch;
        found.clear();
        let failed = FailedHits::new();
        let statistics = Statistics::default();
        let mut piece = Piece { search: self, buffer, offset, positions, resume: 0, failed, statistics, found };
        let (mut start, mut window) = (0, FIRST_WINDOW);
        while start < positions {
            let end = positions.min(start + window);
            let matched = piece.window(start..end, candidates);
            window = if matched { FIRST_WINDOW } else { window * 2 };
            start = end.max(piece.resume);
        }
        piece.statistics
    }

    /// Looks whether the scratch buffer is `block`, and leaves it in `found` if it is.
    pub(crate) fn end(&self, scratch: &mut Scratch, block: BlockId) -> Statistics {
        let mut statistics = Statistics::default();
        scratch.found.clear();
        if self.is_block(block, &scratch.buffer, &mut statistics) {
            statistics.matches += 1;
            scratch.found.push((block, 0));
        }
        statistics
    }

    /// Whether `data`, which is no longer than a block, is `block`.
    fn is_block(&self, block: BlockId, data: &[u8], statistics: &mut Statistics) -> bool {
        statistics.comparisons += 1;
        let is_zeros = data.len() == self.block_size && is_zeros(data);
        let weak = if is_zeros { self.zeros.0 } else { weak_sum(self.kind, data) };
        if self.signature.weak(block) != weak {
            return false;
        }
        statistics.weak_hits += 1;
        let equal = if is_zeros {
            self.signature.has_strong(block, &self.zeros.1)
        } else {
            statistics.strong_sums += 1;
            self.signature.has_strong(block, &self.signature.hasher().sum(data))
        };
        statistics.false_weak_hits += u64::from(!equal);
        equal
    }
}

/// Memory that a thread uses for one piece after another.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) buffer: Vec<u8>,
    pub(crate) found: Vec<Match>,
    candidates: Vec<Candidate>,
}

struct Piece<'a, Index> {
    search: &'a Search<'a, Index>,
    buffer: &'a [u8],
    offset: u64,
    positions: usize,
    /// Before this nothing is looked for: a match is there, or nothing is known to be.
    resume: usize,
    failed: FailedHits,
    statistics: Statistics,
    found: &'a mut Vec<Match>,
}

impl<Index: Lookup> Piece<'_, Index> {
    /// Scans a window of positions, and tells whether there was a match.
    fn window(&mut self, positions: Range<usize>, candidates: &mut Vec<Candidate>) -> bool {
        candidates.clear();
        self.statistics.comparisons += positions.len() as u64;
        self.search.scanner.scan(self.buffer, positions.clone(), self.search.lookup.sieve(), candidates);
        let mut matched = false;
        for candidate in candidates.iter() {
            if candidate.position < self.resume {
                continue;
            }
            if let Some(block) = self.look_up(candidate, positions.end) {
                matched = true;
                self.found.push((block, candidate.position));
                self.statistics.matches += 1;
                self.resume = self.follow(block, candidate.position + self.search.block_size);
            }
        }
        matched
    }

    /// The block at a candidate, if there is one. Positions before `scanned` are counted
    /// as compared.
    fn look_up(&mut self, candidate: &Candidate, scanned: usize) -> Option<BlockId> {
        let Search { signature, lookup, block_size, .. } = *self.search;
        let Candidate { position, key } = *candidate;
        if self.failed.has_failed(self.buffer, position, key, block_size) {
            self.resume = self.failed.same_until(self.buffer, position, block_size).min(self.positions);
            self.statistics.comparisons += self.resume.saturating_sub(scanned) as u64;
            self.statistics.weak_hits += (self.resume - position) as u64;
            self.statistics.false_weak_hits += (self.resume - position) as u64;
            return None;
        }
        if !lookup.has_weak(key, None) {
            return None;
        }
        self.statistics.weak_hits += 1;
        let block = self.find(key, &self.buffer[position..][..block_size]);
        let Some(block) = block else {
            self.statistics.false_weak_hits += 1;
            self.failed.remember(position, key);
            return None;
        };
        // Of equal blocks the one at this very offset, so that unchanged runs stay runs.
        let here = signature.layout().full_block_at(self.offset + position as u64);
        let same = |&other: &BlockId| {
            signature.weak(other) == signature.weak(block) && signature.strong(other) == signature.strong(block)
        };
        Some(here.filter(same).unwrap_or(block))
    }

    fn find(&mut self, key: u32, window: &[u8]) -> Option<BlockId> {
        let Search { signature, lookup, kind, ref zeros, .. } = *self.search;
        if is_zeros(window) {
            return lookup.find(zeros.0, &zeros.1);
        }
        let check = kind.check(window);
        if kind.is_wide() && !lookup.has_weak(key, Some(check)) {
            return None;
        }
        self.statistics.strong_sums += 1;
        lookup.find(WeakSum { key, check }, &signature.hasher().sum(window))
    }

    /// Takes the blocks that follow `block` in the target as long as they follow here
    /// too, from `position` on. Returns where the full ones end: a short block may also
    /// be the beginning of a full one.
    fn follow(&mut self, block: BlockId, mut position: usize) -> usize {
        let layout = self.search.signature.layout();
        let mut next = block.next();
        while next.0 < layout.block_count() {
            let len = layout.block_len(next);
            // The next piece finds what begins in it; but a short block only here.
            let ours = position < self.positions || len < self.search.block_size;
            let Some(data) = self.buffer.get(position..position + len).filter(|_| ours) else { break };
            if !self.search.is_block(next, data, &mut self.statistics) {
                break;
            }
            self.found.push((next, position));
            self.statistics.matches += 1;
            self.statistics.expected_matches += 1;
            if len < self.search.block_size {
                break;
            }
            position += len;
            next = next.next();
        }
        position
    }
}

fn weak_sum(kind: Kind, data: &[u8]) -> WeakSum {
    WeakSum { key: kind.key(data), check: kind.check(data) }
}
