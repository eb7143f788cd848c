//! The search of one piece of a seed.
//!
//! Two modes take turns. *Scanning*, windows of positions are rolled over and those
//! that pass the sieve are looked up; hits are verified in batches, because strong sums
//! of many windows at once are several times cheaper. *In a run*, the block that
//! follows in the target is expected to follow here too: nothing rolls, the keys of
//! whole blocks are compared, and again their strong sums are computed in batches.
//! Nothing is reported before its strong sum holds.

use std::ops::Range;

use gosync_chunks::{BlockId, Lookup, StrongSum};
use gosync_files::ReadBuffer;
use gosync_rollsum::{Candidate, Sieve};

use crate::repeats::FailedHits;
use crate::search::{BATCH, Search};
use crate::statistics::Statistics;

/// Positions scanned at first, and again after each match.
const FIRST_WINDOW: usize = 2 << 10;

/// A block, and where in the piece it begins.
pub type Match = (BlockId, usize);

/// Memory that a thread uses for one piece after another.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) buffer: ReadBuffer,
    pub(crate) found: Vec<Match>,
    candidates: Vec<Candidate>,
}

impl<Index: Lookup<Sieve = Sieve>> Search<'_, Index> {
    /// Finds the blocks that begin at the positions `0..positions` of the scratch
    /// buffer, which begins at `offset` in its seed and goes on for up to two blocks
    /// behind those positions; of it all, `len` bytes are in the seed. Leaves them in `found`.
    pub(crate) fn piece(&self, scratch: &mut Scratch, offset: u64, positions: usize, len: usize) -> Statistics {
        let Scratch { buffer, found, candidates } = scratch;
        self.greedy(buffer.bytes(), len, offset, 0..positions, found, candidates)
    }

    /// Finds the blocks that begin at some positions of a buffer, which begins at `offset`
    /// in its seed and has `len` bytes of it, and leaves them in `found`.
    pub(crate) fn greedy(
        &self,
        buffer: &[u8],
        len: usize,
        offset: u64,
        positions: Range<usize>,
        found: &mut Vec<Match>,
        candidates: &mut Vec<Candidate>,
    ) -> Statistics {
        found.clear();
        let mut piece = Piece {
            search: self,
            buffer,
            len,
            offset,
            positions: positions.end,
            match_end: 0,
            failed_end: 0,
            failed: FailedHits::new(),
            strong_bytes: 0,
            statistics: Statistics::default(),
            found,
        };
        // To begin one costs the sum of a block.
        let first_window = FIRST_WINDOW.max(self.block_size / 4);
        let (mut start, mut window) = (positions.start, first_window);
        while start < positions.end {
            let end = positions.end.min(start + window);
            let matched = piece.window(start..end, candidates);
            window = match matched && !self.overlapping {
                true => first_window,
                // What is scanned of a window behind a match is in vain, so they grow slowly
                // where matches may be near.
                false if window < 8 * first_window => window + window / 4,
                false => window * 2,
            };
            start = end.max(piece.match_end).max(piece.failed_end);
        }
        piece.statistics
    }

    /// Looks whether the scratch buffer is `block`, and leaves it in `found` if it is.
    pub(crate) fn end(&self, scratch: &mut Scratch, block: BlockId) -> Statistics {
        let mut statistics = Statistics::default();
        scratch.found.clear();
        if self.is_block(block, scratch.buffer.bytes(), &mut statistics) {
            statistics.matches += 1;
            scratch.found.push((block, 0));
        }
        statistics
    }
}

struct Piece<'a, Index> {
    search: &'a Search<'a, Index>,
    buffer: &'a [u8],
    /// Bytes of the buffer that are in the seed; zeros may follow.
    len: usize,
    offset: u64,
    /// Where the positions to search end.
    positions: usize,
    /// Where the last match ends; within it nothing is looked for.
    match_end: usize,
    /// Before this nothing is found: the windows are the same as one that failed.
    failed_end: usize,
    failed: FailedHits,
    /// Bytes summed to verify hits of the scan.
    strong_bytes: u64,
    statistics: Statistics,
    found: &'a mut Vec<Match>,
}

/// Candidates to verify at once.
struct Batch {
    hits: [Candidate; BATCH],
    count: usize,
}

/// Those candidates whose keys some block may have. They are asked about 64 at a time and
/// not all at once, so that what tells is still in the cache when one is looked up.
struct Possible<'a, Index> {
    lookup: &'a Index,
    /// Those that were asked about, and which of them are left.
    asked: &'a [Candidate],
    left: u64,
    rest: &'a [Candidate],
}

impl<Index: Lookup<Sieve = Sieve>> Possible<'_, Index> {
    /// The next one; those before `open` are not asked about any more.
    fn next(&mut self, open: usize) -> Option<Candidate> {
        while self.left == 0 {
            // A match makes many of them void where there is much of the same, as in a run of one byte.
            if self.rest.first().is_some_and(|candidate| candidate.position < open) {
                let closed = self.rest.partition_point(|candidate| candidate.position < open);
                self.rest = &self.rest[closed..];
            }
            (self.asked, self.rest) = self.rest.split_at(self.rest.len().min(64));
            let mut keys = [0; 64];
            let keys = &mut keys[..self.asked.len()];
            if keys.is_empty() {
                return None;
            }
            self.asked.iter().zip(&mut *keys).for_each(|(candidate, key)| *key = candidate.key);
            self.left = self.lookup.may_have(keys);
        }
        let at = self.left.trailing_zeros();
        self.left &= self.left - 1;
        Some(self.asked[at as usize])
    }
}

impl<'a, Index: Lookup<Sieve = Sieve>> Piece<'a, Index> {
    /// Scans a window of positions, and tells whether there was a match.
    fn window(&mut self, positions: Range<usize>, candidates: &mut Vec<Candidate>) -> bool {
        candidates.clear();
        self.statistics.comparisons += positions.len() as u64;
        let lookup = self.search.lookup;
        self.search.scanner.scan(self.buffer, positions.clone(), lookup.sieve(), candidates);

        let mut matched = false;
        // A match makes those that begin within it void, so it does not pay to verify
        // many hits at once before several have failed.
        let mut limit = if self.search.overlapping { BATCH } else { 1 };
        let mut candidates = Possible { lookup, asked: &[], left: 0, rest: candidates };
        loop {
            let batch = self.collect(&mut candidates, limit, positions.end);
            if batch.count == 0 {
                return matched;
            }
            let found = self.verify(&batch);
            matched |= found;
            limit = if found && !self.search.overlapping { 1 } else { BATCH.min(limit * 2) };
        }
    }

    /// The next candidates, up to `limit`, that an index entry fits. Positions before
    /// `scanned` are counted as compared already.
    fn collect(&mut self, candidates: &mut Possible<'_, Index>, limit: usize, scanned: usize) -> Batch {
        let mut batch = Batch { hits: [Candidate { position: 0, key: 0 }; BATCH], count: 0 };
        while batch.count < limit {
            let open = self.match_end.max(self.failed_end);
            let Some(candidate) = candidates.next(open) else { break };
            if candidate.position >= open && self.is_hit(candidate, scanned) {
                batch.hits[batch.count] = candidate;
                batch.count += 1;
            }
        }
        batch
    }

    /// Whether a candidate is worth a strong sum.
    fn is_hit(&mut self, candidate: Candidate, scanned: usize) -> bool {
        let Candidate { position, key } = candidate;
        let block_size = self.search.block_size;
        if self.failed.has_failed(self.buffer, position, key, block_size) {
            let same = self.failed.same_until(self.buffer, position, self.search.reach);
            self.failed_end = same.max(position + 1).min(self.positions);
            self.statistics.comparisons += self.failed_end.saturating_sub(scanned) as u64;
            self.statistics.weak_hits += (self.failed_end - position) as u64;
            self.statistics.false_weak_hits += (self.failed_end - position) as u64;
            return false;
        }
        if self.search.lookup.with_key(key).next().is_none() {
            return false;
        }
        self.statistics.weak_hits += 1;
        if self.is_over_budget(position) && !self.next_block_fits(candidate) {
            self.statistics.passed_over += 1;
            return false;
        }
        true
    }

    /// Verifies hits, and follows each match that is not within one before it. Tells
    /// whether there was one.
    fn verify(&mut self, batch: &Batch) -> bool {
        let hits = &batch.hits[..batch.count];
        let sums = self.strong_sums(hits.iter().map(|hit| hit.position));
        self.strong_bytes += (hits.len() * self.search.block_size) as u64;

        let mut matched = false;
        for (&Candidate { position, key }, sum) in hits.iter().zip(&sums) {
            if position < self.match_end {
                continue;
            }
            match self.search.find(key, sum).filter(|&block| self.is_in_seed(block, position)) {
                Some(block) => {
                    let block = self.at_its_own_offset(block, position);
                    self.found.push((block, position));
                    self.statistics.matches += 1;
                    let end = position + self.search.signature.layout().block_len(block);
                    if self.search.overlapping {
                        self.short_block(block.next(), end);
                        self.failed.remember(position, key);
                    } else {
                        self.match_end = self.follow(block, end);
                    }
                    matched = true;
                }
                None => {
                    self.statistics.false_weak_hits += 1;
                    self.failed.remember(position, key);
                }
            }
        }
        matched
    }

    /// Whether all of `block`, which begins at `position`, is there: of one that was summed
    /// with zeros behind it these need not be.
    fn is_in_seed(&self, block: BlockId, position: usize) -> bool {
        position + self.search.signature.layout().block_len(block) <= self.len
    }

    /// Of the blocks equal to `block` the one that is at this very offset in the target,
    /// if there is one, so that unchanged runs stay runs.
    fn at_its_own_offset(&self, block: BlockId, position: usize) -> BlockId {
        let signature = self.search.signature;
        let here = signature.layout().full_block_at(self.offset + position as u64);
        let equal = |&other: &BlockId| {
            signature.weak(other) == signature.weak(block) && signature.strong(other) == signature.strong(block)
        };
        here.filter(equal).filter(|&here| self.is_in_seed(here, position)).unwrap_or(block)
    }

    /// Takes the blocks that follow `block` in the target as long as they follow here
    /// too, from `position` on. Returns where the full ones end: a short block may also
    /// be the beginning of a full one.
    fn follow(&mut self, block: BlockId, mut position: usize) -> usize {
        let layout = self.search.signature.layout();
        let block_size = self.search.block_size;
        let full_end = layout.short_block().unwrap_or(layout.blocks().end);
        let mut next = block.next();
        loop {
            // What begins behind the positions is for the next piece to find.
            let behind = self.len.saturating_sub(position) / block_size;
            let room = self.positions.saturating_sub(position).div_ceil(block_size).min(behind);
            let expected = BATCH.min(room).min(full_end.0.saturating_sub(next.0) as usize);
            let fitting = (0..expected)
                .take_while(|&at| {
                    self.search.key_fits(BlockId(next.0 + at as u32), self.block_at(position + at * block_size))
                })
                .count();
            let sums = self.strong_sums((0..fitting).map(|at| position + at * block_size));
            let equal = (0..fitting)
                .take_while(|&at| self.search.signature.has_strong(BlockId(next.0 + at as u32), &sums[at]))
                .count();

            self.statistics.comparisons += (fitting + usize::from(fitting < expected)) as u64;
            self.statistics.weak_hits += fitting as u64;
            self.statistics.false_weak_hits += u64::from(equal < fitting);
            self.statistics.matches += equal as u64;
            self.statistics.expected_matches += equal as u64;
            for _ in 0..equal {
                self.found.push((next, position));
                next = next.next();
                position += block_size;
            }
            if equal < BATCH {
                break;
            }
        }
        self.short_block(next, position);
        position
    }

    /// Takes the short last block, if it is `next` and follows at `position`.
    fn short_block(&mut self, next: BlockId, position: usize) {
        let layout = self.search.signature.layout();
        if layout.short_block() == Some(next)
            && self.is_in_seed(next, position)
            && let Some(data) = self.buffer.get(position..position + layout.block_len(next))
            && self.search.is_block(next, data, &mut self.statistics)
        {
            self.found.push((next, position));
            self.statistics.matches += 1;
            self.statistics.expected_matches += 1;
        }
    }

    /// Whether the strong sums of this piece have cost more than they may.
    fn is_over_budget(&self, position: usize) -> bool {
        let block_size = self.search.block_size as u64;
        // The first few windows are free, or no small piece could find anything.
        let allowed = |budget| u64::from(budget) * position as u64 + BATCH as u64 * block_size;
        self.search.strong_budget.is_some_and(|budget| self.strong_bytes > allowed(budget))
    }

    /// Whether, if the candidate is a block, the block behind it seems to follow too.
    fn next_block_fits(&self, candidate: Candidate) -> bool {
        let search = self.search;
        let start = candidate.position + search.block_size;
        let Some(data) = self.buffer.get(start..start + search.block_size) else { return false };
        let layout = search.signature.layout();
        let full_end = match search.padded {
            true => layout.block_count().into(),
            false => layout.length() / search.block_size as u64,
        };
        search
            .lookup
            .with_key(candidate.key)
            .any(|block| u64::from(block.next().0) < full_end && search.key_fits(block.next(), data))
    }

    /// The strong sums of the windows at some positions.
    fn strong_sums(&mut self, positions: impl Iterator<Item = usize>) -> [StrongSum; BATCH] {
        let mut windows: [&[u8]; BATCH] = [&[]; BATCH];
        let mut count = 0;
        for position in positions {
            windows[count] = self.block_at(position);
            count += 1;
        }
        self.search.strong_sums(&windows[..count], &mut self.statistics)
    }

    /// The window of a block's length at `position`.
    fn block_at(&self, position: usize) -> &'a [u8] {
        &self.buffer[position..][..self.search.block_size]
    }
}
