//! From the coarsest layer to the finest: what seeds have is taken, the rest divided.

use std::sync::Arc;

use gosync_chunks::{
    BlockId, BlockLayout, BlockRange, BlockSums, ByteRange, Plan, Progress, ReadAt, SeedId, Signature, Step,
    StrongHasher, Transfer, WeakColumn, Xxh3,
};
use gosync_comparer::{CompareOptions, Statistics, UnreadableSeed, compare};
use gosync_index::BlockIndex;

use super::choose::suffice_alone;
use super::expected::{Expected, Neighbours, confirmed, find_expected};
use super::lengths::{Frames, Lengths};
use super::spans::{Origin, Spans};
use super::sums::{WEAK, record_of_zeros};
use crate::Error;
use crate::format::{Layered, WEAK_LEN};
use crate::payload::FrameKind;

/// What the descent found.
pub(crate) struct Descent {
    pub(crate) plan: Plan,
    pub(crate) sums: BlockSums,
    pub(crate) statistics: Statistics,
    pub(crate) unreadable: Vec<UnreadableSeed>,
    pub(crate) layers: Vec<LayerReport>,
    /// What reading the sums took.
    pub(crate) transfer: Transfer,
    /// Where what is missing lies in a compressed payload.
    pub(crate) frames: Option<Frames>,
}

/// What came of one layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerReport {
    /// Size of a block in bytes.
    pub block_size: u32,
    /// Blocks whose sums were asked for.
    pub asked: u64,
    /// Bytes of these sums.
    pub index_bytes: u64,
    /// Blocks that were found.
    pub matched: u64,
    /// Whether all seeds were searched, and not only the places where blocks were expected.
    pub searched: bool,
}

/// A block to look for, and the block whose record tells its sums: itself, or an equal one.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    block: u32,
    like: u32,
    /// Where its bytes in a compressed payload begin.
    payload: u64,
}

/// A part of a file this small is sampled before the rest is asked for, where nothing of
/// it was found: one run in so many, of so many blocks.
const SAMPLE_OF: usize = 32;
const SAMPLE_RUN: usize = 2;

/// Finds out what `seeds` have of the target of `index`. The last seed is
/// [`Zeros`](super::Zeros), as long as the target.
pub(crate) fn descend(
    index: &Layered,
    seeds: &[&dyn ReadAt],
    layers: usize,
    progress: &dyn Progress,
) -> Result<Descent, Error> {
    let hasher = index.hasher();
    let reports = index
        .layers()
        .iter()
        .map(|layer| LayerReport { block_size: layer.layout.block_size(), ..LayerReport::default() });
    let mut state = State {
        index,
        seeds,
        progress,
        spans: Spans::default(),
        statistics: Statistics::default(),
        unreadable: Vec::new(),
        reports: reports.collect(),
        transfer: Transfer::default(),
        matched: 0,
        layers,
        hasher,
        suspects: Vec::new(),
        frames: index.payload().map(Frames::new),
        undivided: Vec::new(),
    };
    let first = index.layers()[0].layout;
    let all = first.blocks().iter().map(|block| Wanted { block: block.0, like: block.0, payload: 0 }).collect();
    state.layer(0, all)?;
    state.learn_coarse_frames()?;
    let State { spans, mut statistics, mut unreadable, mut reports, transfer, hasher, frames, .. } = state;
    statistics.seed_bytes = seeds[..seeds.len() - 1].iter().map(|seed| seed.size()).sum();
    unreadable.sort_by_key(|unreadable| (unreadable.seed, unreadable.offset));
    unreadable.dedup_by_key(|unreadable| unreadable.seed);
    reports.retain(|report| report.asked > 0);
    let (plan, sums) = spans.into_plan(Arc::new(hasher));
    Ok(Descent { plan, sums, statistics, unreadable, layers: reports, transfer, frames })
}

struct State<'a> {
    index: &'a Layered,
    seeds: &'a [&'a dyn ReadAt],
    progress: &'a dyn Progress,
    spans: Spans,
    statistics: Statistics,
    unreadable: Vec<UnreadableSeed>,
    reports: Vec<LayerReport>,
    transfer: Transfer,
    /// Bytes of the target that were found.
    matched: u64,
    /// How many layers to use.
    layers: usize,
    hasher: Xxh3,
    /// Of the layer before, in the target's order.
    suspects: Vec<Suspect>,
    frames: Option<Frames>,
    /// Blocks of the coarsest layer that are fetched whole, and have several coarse frames.
    undivided: Vec<Wanted>,
}

/// A block that was found, but that nothing confirms: its parts will, or will not.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    target: u64,
    seed: SeedId,
    offset: u64,
}

/// What the records of blocks say.
struct Records {
    keys: Vec<u32>,
    strong: Vec<u8>,
    /// Empty where the payload is not compressed.
    lengths: Vec<Lengths>,
}

/// The sums of the blocks of one layer that are looked for, in the target's order.
struct Asked<'a> {
    layout: BlockLayout,
    wanted: &'a [Wanted],
    keys: Vec<u32>,
    strong: Vec<u8>,
    sum_len: usize,
    places: Vec<Place>,
    lengths: Vec<Lengths>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Unknown,
    Seed(SeedId, u64),
    /// Equal to another one of those asked for, which is not in any seed.
    Like(usize),
}

impl Asked<'_> {
    fn range(&self, at: usize) -> ByteRange {
        self.layout.range(BlockId(self.wanted[at].block))
    }

    fn strong(&self, at: usize) -> &[u8] {
        &self.strong[at * self.sum_len..][..self.sum_len]
    }

    /// What repeats a block that was found after all is found too.
    fn follow_repeats(&mut self) {
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
    fn forget_unconfirmed(&mut self, searched: &[usize], seeds: &[&dyn ReadAt], hasher: &Xxh3) -> Vec<Suspect> {
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
        let mut alone: Vec<usize> =
            searched.iter().copied().filter(|&at| self.places[at] != Place::Unknown && !is_confirmed(at)).collect();
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
    fn before(&self, at: usize) -> Option<usize> {
        at.checked_sub(1).filter(|&before| self.wanted[before].block + 1 == self.wanted[at].block)
    }

    /// The block after that one in the target, if it is asked for too.
    fn after(&self, at: usize) -> Option<usize> {
        let after = self.wanted.get(at + 1)?;
        (self.wanted[at].block + 1 == after.block && self.range(at + 1).len() == self.range(at).len()).then_some(at + 1)
    }

    /// Runs of blocks that are not found yet and follow each other in the target.
    fn runs(&self) -> Vec<std::ops::Range<usize>> {
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
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
fn suspects_in(suspects: &[Suspect], start: u64, end: u64) -> Vec<Suspect> {
    let first = suspects.partition_point(|suspect| suspect.target < start);
    let mut within: Vec<Suspect> =
        suspects[first..].iter().take_while(|suspect| suspect.target < end).copied().collect();
    within.dedup_by_key(|suspect| (suspect.seed, suspect.offset.wrapping_sub(suspect.target)));
    within.truncate(MOST_SUSPECTS);
    within
}

/// How often seeds are searched for the blocks of the finest layer, at most.
const MOST_SEARCHES: usize = 4;

/// Places that are looked at for the blocks of a run, at most: each costs as much as
/// summing the run.
const MOST_SUSPECTS: usize = 4;

impl<'a> State<'a> {
    /// Looks for the blocks `wanted` of a layer, and for the parts of those not found.
    fn layer(&mut self, layer: usize, mut wanted: Vec<Wanted>) -> Result<(), Error> {
        if wanted.is_empty() {
            return Ok(());
        }
        let records = self.ask(layer, &wanted)?;
        self.place(layer, &mut wanted, &records.lengths);
        let mut asked = Asked {
            layout: self.index.layers()[layer].layout,
            wanted: &wanted,
            sum_len: self.hasher.sum_len(),
            places: vec![Place::Unknown; wanted.len()],
            keys: records.keys,
            strong: records.strong,
            lengths: records.lengths,
        };
        self.take_zeros(&mut asked);
        if layer > 0 {
            self.spans.sort();
            self.look_where_expected(&mut asked);
        }
        let last = layer + 1 == self.layers;
        if self.is_worth_a_search(&asked, layer, last) {
            // A match hides others that begin within it, such as those of a second copy that
            // is cut elsewhere. In the finest layer they are all that is left to be found.
            let most = if last { MOST_SEARCHES } else { 1 };
            for _ in 0..most {
                if self.search(layer, &mut asked)? == 0 {
                    break;
                }
            }
            asked.follow_repeats();
        }

        let report = &mut self.reports[layer];
        let mut parts = Vec::new();
        let mut first_parts = Vec::new();
        for at in 0..wanted.len() {
            let range = asked.range(at);
            let is_missing = !matches!(asked.places[at], Place::Seed(..));
            if is_missing && let Some(frames) = &mut self.frames {
                let block = BlockId(wanted[at].block);
                let first_part = frames.learn(asked.layout, block, wanted[at].payload, asked.lengths[at]);
                first_parts.push((at, first_part.map_err(|_| self.index.impossible_frames())?));
            }
            match asked.places[at] {
                Place::Seed(seed, offset) => {
                    report.matched += 1;
                    self.matched += range.len();
                    self.spans.push(range, Origin::Seed(seed, offset), asked.strong(at));
                }
                Place::Like(first) if last => {
                    self.spans.push(range, Origin::Span(asked.range(first).start), asked.strong(at));
                }
                Place::Unknown if last => self.spans.push(range, Origin::Source, asked.strong(at)),
                // Equal bytes, but not equal frames.
                Place::Like(_) if self.frames.is_some() => parts.push((at, wanted[at].like)),
                Place::Like(first) => parts.push((at, wanted[first].like)),
                Place::Unknown => parts.push((at, wanted[at].like)),
            }
        }
        if !last {
            let part_at = |at: usize| {
                let known = first_parts.binary_search_by_key(&at, |&(at, _)| at);
                known.map_or(0, |known| first_parts[known].1)
            };
            self.divide(layer, &asked, &parts, &part_at)?;
        }
        Ok(())
    }

    /// Goes on with the parts of blocks that were not found. Where nothing was found at
    /// all, a sample tells first whether it is worth it.
    /// `part_at` tells where the frames of a block's first part begin.
    fn divide(
        &mut self,
        layer: usize,
        asked: &Asked<'_>,
        blocks: &[(usize, u32)],
        part_at: &dyn Fn(usize) -> u64,
    ) -> Result<(), Error> {
        let fine = self.index.layers()[layer + 1].layout;
        let ratio = asked.layout.block_size() / fine.block_size();
        let parts_of = |blocks: &mut dyn Iterator<Item = &(usize, u32)>| {
            let mut wanted = Vec::new();
            for &(at, like) in blocks {
                let (first, like) = (asked.wanted[at].block * ratio, like * ratio);
                let count = ratio.min(fine.block_count() - first);
                let payload = part_at(at);
                wanted.extend((0..count).map(|part| Wanted { block: first + part, like: like + part, payload }));
            }
            wanted
        };
        if layer > 0 || self.matched > 0 || blocks.len() < SAMPLE_OF * SAMPLE_RUN {
            return self.layer(layer + 1, parts_of(&mut blocks.iter()));
        }
        let is_sample = |at: usize| (at / SAMPLE_RUN).is_multiple_of(SAMPLE_OF);
        let sample: Vec<_> =
            blocks.iter().enumerate().filter(|(at, _)| is_sample(*at)).map(|(_, block)| *block).collect();
        let rest: Vec<_> =
            blocks.iter().enumerate().filter(|(at, _)| !is_sample(*at)).map(|(_, block)| *block).collect();
        self.layer(layer + 1, parts_of(&mut sample.iter()))?;
        let sampled: u64 = sample.iter().map(|&(at, _)| asked.range(at).len()).sum();
        if self.matched * 64 >= sampled {
            return self.layer(layer + 1, parts_of(&mut rest.iter()));
        }
        for (at, _) in rest {
            self.spans.push(asked.range(at), Origin::Source, asked.strong(at));
            self.undivided.push(Wanted { payload: part_at(at), ..asked.wanted[at] });
        }
        Ok(())
    }

    /// Finds where the frames of the blocks `wanted` begin: those of the parts of one block
    /// follow each other, and the first of them has the place of all.
    fn place(&self, layer: usize, wanted: &mut [Wanted], lengths: &[Lengths]) {
        let layers = self.index.layers();
        let ratio = match layer.checked_sub(1) {
            Some(above) => layers[above].layout.block_size() / layers[layer].layout.block_size(),
            None => u32::MAX,
        };
        let mut next = 0;
        for (wanted, lengths) in wanted.iter_mut().zip(lengths) {
            if wanted.block.is_multiple_of(ratio) {
                next = wanted.payload;
            }
            wanted.payload = next;
            next = next.saturating_add(lengths.all);
        }
    }

    /// Learns the coarse frames of blocks that were not divided, though they have several.
    fn learn_coarse_frames(&mut self) -> Result<(), Error> {
        let mut wanted = std::mem::take(&mut self.undivided);
        let layers = self.index.layers();
        let Some(coarse) = self.frames.as_ref().map(|frames| frames.payload.layout.frame_size(FrameKind::Coarse))
        else {
            return Ok(());
        };
        for layer in 1..layers.len() {
            if wanted.is_empty() || u64::from(layers[layer].layout.block_size()) < coarse {
                break;
            }
            let fine = layers[layer].layout;
            let ratio = layers[layer - 1].layout.block_size() / fine.block_size();
            let mut parts = Vec::new();
            for whole in &wanted {
                let first = whole.block * ratio;
                let count = ratio.min(fine.block_count() - first);
                let part = |block| Wanted { block, like: block, payload: whole.payload };
                parts.extend((first..first + count).map(part));
            }
            let lengths = self.ask(layer, &parts)?.lengths;
            self.place(layer, &mut parts, &lengths);
            for (part, &lengths) in parts.iter().zip(&lengths) {
                let Some(frames) = &mut self.frames else { continue };
                let learned = frames.learn(fine, BlockId(part.block), part.payload, lengths);
                learned.map_err(|_| self.index.impossible_frames())?;
            }
            wanted = parts;
        }
        Ok(())
    }

    /// Reads the records of the blocks wanted.
    fn ask(&mut self, layer: usize, wanted: &[Wanted]) -> Result<Records, Error> {
        let of = self.index.layers()[layer];
        let mut ids: Vec<u32> = wanted.iter().map(|wanted| wanted.like).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut ranges: Vec<BlockRange> = Vec::new();
        for &id in &ids {
            match ranges.last_mut() {
                Some(last) if last.end.0 == id => last.end = BlockId(id + 1),
                _ => ranges.push(BlockRange { start: BlockId(id), end: BlockId(id + 1) }),
            }
        }
        let (records, transfer) = self.index.records(layer, &ranges)?;
        self.transfer += transfer;
        let report = &mut self.reports[layer];
        report.asked += wanted.len() as u64;
        report.index_bytes += records.len() as u64;

        let sum_len = self.hasher.sum_len();
        let mut keys = Vec::with_capacity(wanted.len());
        let mut strong = Vec::with_capacity(wanted.len() * sum_len);
        let mut lengths = Vec::new();
        for (at, wanted) in wanted.iter().enumerate() {
            // Mostly each is its own, and they are in order.
            let at = if ids.get(at) == Some(&wanted.like) { at } else { ids.partition_point(|&id| id < wanted.like) };
            let record = &records[at * of.record_len..][..of.record_len];
            let (weak, rest) = record.split_at(WEAK_LEN);
            keys.push(u32::from_le_bytes(weak.try_into().expect("four bytes")));
            let (sum, rest) = rest.split_at(sum_len);
            strong.extend_from_slice(sum);
            if let Some(frames) = &self.frames {
                lengths.push(Lengths::read(&frames.payload, of.layout.block_size(), rest));
            }
        }
        Ok(Records { keys, strong, lengths })
    }

    fn take_zeros(&self, asked: &mut Asked<'_>) {
        let size = asked.layout.block_size();
        let zeros = record_of_zeros(size, &self.hasher);
        let (weak, strong) = zeros.split_at(WEAK_LEN);
        let key = u32::from_le_bytes(weak.try_into().expect("four bytes"));
        let seed = SeedId(self.seeds.len() as u16 - 1);
        for at in 0..asked.wanted.len() {
            let range = asked.range(at);
            if asked.keys[at] == key && range.len() == u64::from(size) && asked.strong(at) == strong {
                asked.places[at] = Place::Seed(seed, range.start);
            }
        }
    }

    /// Looks behind what was found before a run, and before what was found behind it.
    fn look_where_expected(&mut self, asked: &mut Asked<'_>) {
        let suspects = std::mem::take(&mut self.suspects);
        let size = u64::from(asked.layout.block_size());
        let mut expected = Vec::new();
        for run in asked.runs() {
            let (start, end) = (asked.range(run.start).start, asked.range(run.end - 1).end);
            let seed_of = |origin| match origin {
                Origin::Seed(seed, offset) if usize::from(seed.0) + 1 < self.seeds.len() => Some((seed, offset)),
                _ => None,
            };
            let before = self
                .spans
                .before(start)
                .and_then(|span| seed_of(span.origin).map(|(seed, offset)| (seed, offset + span.target.len())));
            let after = self.spans.at(end).and_then(|span| {
                seed_of(span.origin).and_then(|(seed, offset)| Some((seed, offset.checked_sub(end - start)?)))
            });
            let last_len = asked.range(run.end - 1).len();
            for (seed, offset) in before.into_iter().chain(after.filter(|after| Some(*after) != before)) {
                expected.push(Expected { first: run.start, count: run.len(), seed, offset, last_len });
            }
            for suspect in suspects_in(&suspects, start, end) {
                // As far to the front as the seed goes.
                let skipped = (suspect.target - start).saturating_sub(suspect.offset).div_ceil(size);
                let first = run.start + skipped as usize;
                let offset = suspect.offset + skipped * size + start - suspect.target;
                expected.push(Expected { first, count: run.end - first, seed: suspect.seed, offset, last_len });
            }
            // Where the beginning of the seed is missing, the end may still be there.
            if let (None, Some(span)) = (after, self.spans.at(end))
                && let Some((seed, offset)) = seed_of(span.origin)
            {
                let count = (offset / size).min(run.len() as u64);
                let first = run.end - count as usize;
                expected.push(Expected { first, count: count as usize, seed, offset: offset - count * size, last_len });
            }
        }
        let found =
            find_expected(expected, size as u32, self.seeds, &self.hasher, |at| (asked.keys[at], asked.strong(at)));
        for (at, seed, offset) in found {
            asked.places[at] = Place::Seed(seed, offset);
        }
    }

    /// Whether to look everywhere for what is not where it was expected. The finest layer
    /// always is; before that it may wait while little is missing, since what moved is
    /// found then all the same.
    fn is_worth_a_search(&self, asked: &Asked<'_>, layer: usize, last: bool) -> bool {
        let missing = asked.places.iter().filter(|&&place| place == Place::Unknown).count() as u64;
        let bytes = missing * u64::from(asked.layout.block_size());
        missing > 0 && (last || layer == 0 || bytes * 32 > self.index.length())
    }

    /// Searches all seeds, and tells how many blocks were found.
    fn search(&mut self, layer: usize, asked: &mut Asked<'_>) -> Result<usize, Error> {
        let missing: Vec<usize> = (0..asked.wanted.len()).filter(|&at| asked.places[at] == Place::Unknown).collect();
        let Some(&end) = missing.last() else { return Ok(0) };
        // As if what is missing were all of a target; only its last block may be short.
        let size = asked.layout.block_size();
        let length = (missing.len() as u64 - 1) * u64::from(size) + asked.range(end).len();
        let Ok(layout) = BlockLayout::new(length, size) else { return Ok(0) };
        let keys = missing.iter().map(|&at| asked.keys[at]).collect();
        let strong = missing.iter().flat_map(|&at| asked.strong(at)).copied().collect();
        let weak = WeakColumn { keys, checks: Vec::new() };
        let signature = Signature::new(layout, weak, strong, Arc::new(self.hasher.clone()));
        let lookup = BlockIndex::build(&signature);
        let seeds = &self.seeds[..self.seeds.len() - 1];
        let found = compare(&signature, &lookup, seeds, &CompareOptions::new(WEAK), self.progress)?;
        for step in found.plan.steps() {
            match *step {
                Step::Copy { target, seed, offset } => {
                    let blocks = found.plan.cut().within(target);
                    for block in blocks.iter() {
                        let skipped = layout.range(block).start - target.start;
                        asked.places[missing[block.index()]] = Place::Seed(seed, offset + skipped);
                    }
                }
                Step::Repeat { blocks, of } => {
                    for block in blocks.iter() {
                        asked.places[missing[block.index()]] = Place::Like(missing[of.index()]);
                    }
                }
                Step::Fetch { .. } => {}
            }
        }
        let of = self.index.layers()[layer].layout;
        if !suffice_alone(asked.sum_len, of.block_count(), of.length(), self.index.odds()) {
            self.suspects = asked.forget_unconfirmed(&missing, seeds, &self.hasher);
        }
        self.statistics += found.statistics;
        self.unreadable.extend(found.unreadable);
        self.reports[layer].searched = true;
        Ok(missing.iter().filter(|&&at| matches!(asked.places[at], Place::Seed(..))).count())
    }
}
