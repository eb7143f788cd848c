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

use crate::account::{Account, Thrift};
use crate::candidates::{Batch, Hit, Possible};
use crate::known::{KnownBlocks, only};
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
            examined: positions.start,
            failed: FailedHits::new(),
            known: KnownBlocks::default(),
            account: Account::new(self.strong_budget, self.block_size, self.overlapping, &positions),
            statistics: Statistics::default(),
            found,
        };
        // To begin one costs the sum of a block.
        let first_window = FIRST_WINDOW.max(self.block_size / 4);
        let (mut start, mut window) = (positions.start, first_window);
        while start < positions.end {
            if piece.account.recover(start) {
                piece.examined = start;
            }
            let end = positions.end.min(start + window);
            let (searched, matched) = piece.window(start..end, candidates);
            // One that was not searched to its end is no reason to ask for more at once.
            window = match searched < end || matched && !piece.is_overlapping() {
                true => first_window,
                // Many candidates in a window may be in vain, and they take memory.
                false if candidates.len() > window / 16 => window,
                // What is scanned of a window behind a match is in vain, so they grow slowly
                // where matches may be near.
                false if window < 8 * first_window => window + window / 4,
                false => window * 2,
            };
            let goes_on = if searched < end { piece.save(searched) } else { end };
            start = goes_on.max(piece.match_end).max(piece.failed_end);
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
    /// Before this nothing is looked at: the windows are the same as one that failed, or would
    /// cost too much.
    failed_end: usize,
    /// From here on, up to where the search is, all that is behind the last match was looked at.
    examined: usize,
    failed: FailedHits,
    /// Blocks that were found in this piece, where they may overlap.
    known: KnownBlocks,
    account: Account,
    statistics: Statistics,
    found: &'a mut Vec<Match>,
}

impl<'a, Index: Lookup<Sieve = Sieve>> Piece<'a, Index> {
    /// Scans a window of positions. Returns where the search of it ended, which is before its
    /// end where that would have cost too much, and whether there was a match.
    fn window(&mut self, positions: Range<usize>, candidates: &mut Vec<Candidate>) -> (usize, bool) {
        candidates.clear();
        let search = self.search;
        let lookup = if self.looks_for_pairs() {
            let (scanner, sieve) = search.pairs();
            let end = positions.end.min((self.buffer.len() + 1).saturating_sub(2 * search.block_size));
            let scanned = positions.start..end.max(positions.start);
            self.account.scan_pairs(scanned.len());
            scanner.scan(self.buffer, scanned, sieve, candidates);
            None
        } else {
            search.scanner.scan(self.buffer, positions.clone(), search.lookup.sieve(), candidates);
            Some(search.lookup)
        };

        let mut matched = false;
        // A match makes those that begin within it void, so it does not pay to verify
        // many hits at once before several have failed.
        let is_overlapping = self.is_overlapping();
        let mut limit = if is_overlapping { BATCH } else { 1 };
        let mut candidates = Possible::new(lookup, candidates);
        loop {
            let (batch, searched) = self.collect(&mut candidates, limit, positions.end);
            let found = batch.count > 0 && self.verify(&batch);
            matched |= found;
            if batch.count == 0 || searched < positions.end && self.account.is_overdrawn(searched) {
                let positions = (searched - positions.start) as u64;
                self.statistics.comparisons += positions;
                self.statistics.passed_over += if lookup.is_none() { positions } else { 0 };
                return (searched, matched);
            }
            limit = if found && !is_overlapping { 1 } else { BATCH.min(limit * 2) };
        }
    }

    /// Whether blocks may begin within others that were found.
    fn is_overlapping(&self) -> bool {
        self.search.overlapping && self.account.thrift() == Thrift::None
    }

    /// Whether a scan is for pairs of blocks although single ones are looked up.
    fn looks_for_pairs(&self) -> bool {
        self.account.thrift() == Thrift::Pairs && !self.search.in_pairs
    }

    /// Looks for less from `position` on, because what was looked for costs too much. Returns
    /// where to go on.
    fn save(&mut self, position: usize) -> usize {
        if self.is_overlapping() {
            // Matches are among those that are not to be looked at again, but to be followed.
            self.failed = FailedHits::new();
        }
        let goes_on = self.account.save(position).min(self.positions);
        self.statistics.passed_over += (goes_on - position) as u64;
        self.examined = goes_on;
        goes_on
    }

    /// The next candidates, up to `limit`, that an index entry fits, and how far all are
    /// collected. Positions before `scanned` are counted as compared already.
    fn collect(&mut self, candidates: &mut Possible<'_, Index>, limit: usize, scanned: usize) -> (Batch, usize) {
        let mut batch = Batch::empty();
        while batch.count < limit {
            let open = self.match_end.max(self.failed_end);
            let Some(candidate) = candidates.next(open, limit) else { return (batch, scanned) };
            let position = candidate.position;
            if position < open {
                continue;
            }
            if self.account.is_overdrawn(position) {
                if self.account.thrift() < Thrift::Pairs {
                    return (batch, position);
                }
                self.failed_end = self.save(position);
                continue;
            }
            match self.hit(candidate, scanned, batch.count == 0) {
                Hit::Worthy(hit) => {
                    self.account.sum(1);
                    batch.push(hit, self.statistics.weak_hits - 1);
                }
                Hit::Void => {}
                Hit::Later => {
                    candidates.put_back(candidate);
                    return (batch, scanned);
                }
            }
        }
        (batch, scanned)
    }

    /// What to do about a candidate. `is_first` where none is about to be verified.
    fn hit(&mut self, candidate: Candidate, scanned: usize, is_first: bool) -> Hit {
        let Candidate { position, mut key } = candidate;
        let block_size = self.search.block_size;
        let in_pairs = self.looks_for_pairs();
        if in_pairs {
            key = self.search.key(self.block_at(position));
            self.account.read(block_size as u64);
        }
        self.account.look_up();
        let hits = self.statistics.weak_hits;
        if self.failed.has_failed(self.buffer, position, key, block_size, hits) {
            let reach = if in_pairs { 2 * block_size } else { self.search.reach };
            let examined = self.examined.max(self.match_end);
            let same = self.failed.same_until(self.buffer, position, reach, examined);
            if same.bytes > 0 && !is_first {
                // One that waits may be a block, and then those behind it that are the same are.
                return Hit::Later;
            }
            self.account.read(std::mem::take(&mut self.failed.compared));
            self.failed.remember(position, key, hits);
            self.failed_end = (position + same.bytes.max(1)).min(self.positions);
            self.statistics.comparisons += self.failed_end.saturating_sub(scanned) as u64;
            self.statistics.weak_hits += same.hits.max(1);
            self.statistics.false_weak_hits += same.hits.max(1);
            return Hit::Void;
        }
        self.account.read(std::mem::take(&mut self.failed.compared));
        let (fits, blocks) = if in_pairs {
            let next = self.search.key(self.block_at(position + block_size));
            self.account.read(block_size as u64);
            self.search.pair_fits(key, next)
        } else {
            let (only, blocks) = only(self.search.lookup.with_key(key));
            let is_known = only.is_some_and(|block| self.is_known(block, key, position));
            if is_known {
                self.failed.remember(position, key, hits);
            }
            (blocks > 0 && !is_known, blocks)
        };
        self.account.ask(blocks);
        self.statistics.weak_hits += u64::from(blocks > 0);
        if fits { Hit::Worthy(Candidate { position, key }) } else { Hit::Void }
    }

    /// Whether `block`, the only one with this key, was found before in this piece, so that another
    /// place of it is of no use: of all places those at the front are taken, unless one is that
    /// which it has in the target.
    fn is_known(&self, block: BlockId, key: u32, position: usize) -> bool {
        let signature = self.search.signature;
        let here = || signature.layout().full_block_at(self.offset + position as u64);
        self.is_overlapping()
            && self.known.has(block)
            && signature.layout().short_block() != Some(block.next())
            && here().is_none_or(|here| signature.weak(here) != key)
    }

    /// Verifies hits, and follows each match that is not within one before it. Tells
    /// whether there was one.
    fn verify(&mut self, batch: &Batch) -> bool {
        let hits = &batch.hits[..batch.count];
        let sums = self.strong_sums(hits.iter().map(|hit| hit.position));
        let is_overlapping = self.is_overlapping();

        let mut matched = false;
        for ((&Candidate { position, key }, sum), &before) in hits.iter().zip(&sums).zip(&batch.before) {
            if position < self.match_end {
                continue;
            }
            match self.search.find(key, sum).filter(|&block| self.is_in_seed(block, position)) {
                Some(block) => {
                    if is_overlapping {
                        self.known.add(block);
                    }
                    let block = self.at_its_own_offset(block, position);
                    self.found.push((block, position));
                    self.statistics.matches += 1;
                    self.account.report();
                    let end = position + self.search.signature.layout().block_len(block);
                    if is_overlapping {
                        self.short_block(block.next(), end);
                        self.failed.remember(position, key, before);
                    } else {
                        self.match_end = self.follow(block, end);
                    }
                    matched = true;
                }
                None => {
                    self.statistics.false_weak_hits += 1;
                    self.failed.remember(position, key, before);
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
            let equal = match fitting {
                0 => 0,
                _ => {
                    let sums = self.strong_sums((0..fitting).map(|at| position + at * block_size));
                    let is_equal =
                        |&at: &usize| self.search.signature.has_strong(BlockId(next.0 + at as u32), &sums[at]);
                    (0..fitting).take_while(is_equal).count()
                }
            };

            self.account.sum(fitting - equal);
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
