//! From the coarsest layer to the finest: what seeds have is taken, the rest divided.

use std::sync::Arc;

use gosync_chunks::{
    BlockId, BlockLayout, BlockRange, BlockSums, ByteRange, Cut, Plan, Progress, ReadAt, SeedId, SourceError,
    StrongHasher, Transfer,
};
use gosync_comparer::{CompareOptions, Origin, Statistics, UnreadableSeed, find_again, find_parts};
use gosync_index::BlockIndex;
use gosync_sums::Xxh3;

use super::asked::{Asked, Blocks, Suspect, Wanted};
use super::beside::{Side, beside};
use super::frames::{Frames, Lengths, parts, place, runs};
use super::place::{Packed, Place};
use super::searched::{by_seed, searched_parts};
use super::spans::Spans;
use crate::choose::suffice_alone;
use crate::error::Error;
use crate::format::{LayeredIndex, WEAK_LEN};
use crate::sums::{WEAK, record_of_zeros};

/// What the descent found.
#[derive(Debug)]
pub struct Descent {
    /// How to get the target. A seed after the last of those given stands for zeros.
    pub plan: Plan,
    /// The sums of the blocks of the plan.
    pub sums: BlockSums,
    /// What it took to find out.
    pub statistics: Statistics,
    /// Seeds that could not be read everywhere.
    pub unreadable: Vec<UnreadableSeed>,
    /// What came of each layer that was asked.
    pub layers: Vec<LayerReport>,
    /// What reading the sums took.
    pub transfer: Transfer,
    /// Where what is missing lies in a compressed payload.
    pub frames: Option<Frames>,
}

/// How far to go down, and for what.
#[derive(Clone, Copy, Debug)]
pub struct DescentOptions<'a> {
    /// How many layers of the index to use, from the coarsest on.
    pub layers: usize,
    /// What of the target is wanted, ascending: all of it, or else only these ranges. Blocks of
    /// which nothing is wanted are no step of the plan.
    pub wanted: Option<&'a [ByteRange]>,
}

impl Default for DescentOptions<'_> {
    fn default() -> Self {
        Self { layers: usize::MAX, wanted: None }
    }
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

/// Where nothing of the coarsest layer was found, a sample of it is divided before the rest
/// is: one run in so many, of so many blocks.
const SAMPLE_OF: usize = 32;
const SAMPLE_RUN: usize = 2;

/// Bytes of records that are no reason to make sure of anything before they are fetched.
const FEW_RECORDS: usize = 64 << 10;

/// Finds out what `seeds` have of the target of `index`. The last seed is
/// [`Zeros`](super::Zeros), as long as the target. Where the layers of the index are not here, and
/// more than a few records of one are wanted, `before_more` is called first, once.
///
/// # Errors
///
/// When the index cannot be read or is damaged, there are too many seeds, or `progress` cancels;
/// and that of `before_more`.
pub fn descend(
    index: &LayeredIndex,
    seeds: &[&dyn ReadAt],
    options: &DescentOptions<'_>,
    before_more: &dyn Fn() -> Result<(), SourceError>,
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
        in_vain: Vec::new(),
        layers: options.layers.min(index.layers().len()),
        only: options.wanted,
        hasher,
        suspects: Vec::new(),
        frames: index.payload().map(Frames::new),
        before_more: Some(before_more),
    };
    state.coarsest_layer()?;
    let zeros = state.zeros();
    let State { spans, mut statistics, mut unreadable, mut reports, mut transfer, hasher, mut frames, .. } = state;
    statistics.seed_bytes = seeds[..seeds.len() - 1].iter().map(|seed| seed.size()).sum();
    unreadable.sort_by_key(|unreadable| (unreadable.seed, unreadable.offset));
    unreadable.dedup_by_key(|unreadable| unreadable.seed);
    reports.retain(|report| report.asked > 0);
    let (plan, sums) = spans.into_plan(zeros, Arc::new(hasher));
    if let Some(frames) = &mut frames {
        transfer += frames.complete(index, &plan.fetch_ranges())?;
    }
    Ok(Descent { plan, sums, statistics, unreadable, layers: reports, transfer, frames })
}

struct State<'a> {
    index: &'a LayeredIndex,
    seeds: &'a [&'a dyn ReadAt],
    progress: &'a dyn Progress,
    spans: Spans,
    statistics: Statistics,
    unreadable: Vec<UnreadableSeed>,
    reports: Vec<LayerReport>,
    transfer: Transfer,
    /// Bytes of the target that were found.
    matched: u64,
    /// The layers of which a sample has shown that seeds have hardly a block, though they have
    /// smaller ones.
    in_vain: Vec<usize>,
    /// How many layers to use.
    layers: usize,
    /// What is wanted, where that is not all.
    only: Option<&'a [ByteRange]>,
    hasher: Xxh3,
    /// Of the layer before, in the target's order.
    suspects: Vec<Suspect>,
    frames: Option<Frames>,
    /// Asked once, before the first of many records.
    before_more: Option<&'a dyn Fn() -> Result<(), SourceError>>,
}

/// Blocks of a layer that were not found. What they say of the payload is where the frames
/// of their first part begin.
#[derive(Default)]
struct Left {
    blocks: Blocks,
    /// Their strong sums, one after another.
    strong: Vec<u8>,
}

/// What the records of blocks say.
struct Records {
    keys: Vec<u32>,
    strong: Vec<u8>,
    /// Empty where the payload is not compressed.
    lengths: Vec<Lengths>,
}

impl<'a> State<'a> {
    /// Looks for the blocks of the coarsest layer, and goes on with what was not found. Where
    /// that is all of it, a sample tells first whether it is worth it.
    fn coarsest_layer(&mut self) -> Result<(), Error> {
        let layout = self.index.layers()[0].layout;
        let asked = self.first_blocks(layout);
        // How many there are is only believed once their records are here.
        let (bytes, transfer) = self.index.records(0, &asked)?;
        self.transfer += transfer;
        let ids: Vec<u32> = asked.iter().flat_map(|blocks| blocks.iter()).map(|block| block.0).collect();
        let blocks = Blocks::coarsest(&ids, self.frames.is_some());
        self.leave_out(layout, &asked);
        let records = self.records(0, &blocks.wanted, &ids, &bytes);
        drop((ids, bytes));
        let Left { blocks, strong } = self.layer(0, blocks, records)?;
        let count = blocks.wanted.len();
        if self.only.is_some() || self.matched > 0 || count < SAMPLE_OF * SAMPLE_RUN {
            return self.finer_layers(blocks);
        }
        let is_sample = |at: usize| (at / SAMPLE_RUN).is_multiple_of(SAMPLE_OF);
        let range = |at: usize| layout.range(BlockId(blocks.wanted[at].block));
        let sampled: u64 = (0..count).filter(|&at| is_sample(at)).map(|at| range(at).len()).sum();
        self.finer_layers(blocks.only(is_sample))?;
        if self.matched * 64 >= sampled {
            self.spans.sort();
            let size = |layer: usize| u64::from(self.index.layers()[layer].layout.block_size());
            let is_in_vain = |&layer: &usize| self.spans.bytes_in_runs(size(layer)) * 64 < sampled;
            self.in_vain = (1..self.layers).filter(is_in_vain).collect();
            return self.finer_layers(blocks.only(|at| !is_sample(at)));
        }
        let strong = strong.chunks_exact(self.hasher.sum_len());
        for (at, strong) in strong.enumerate().filter(|&(at, _)| !is_sample(at)) {
            self.spans.push(range(at), Place::Unknown, strong);
        }
        Ok(())
    }

    /// The blocks of the coarsest layer to ask for. Where the payload is compressed, the place of
    /// a block's frames follows from all blocks before it.
    fn first_blocks(&self, layout: BlockLayout) -> Vec<BlockRange> {
        let Some(only) = self.only else { return vec![layout.blocks()] };
        let cut = Cut::from(layout);
        let touched = only.iter().filter(|range| !range.is_empty()).map(|&range| cut.covering(range));
        let mut asked: Vec<BlockRange> = Vec::new();
        for blocks in touched {
            match asked.last_mut() {
                Some(last) if blocks.start <= last.end => last.end = blocks.end.max(last.end),
                _ => asked.push(blocks),
            }
        }
        match (&self.frames, asked.last().copied()) {
            (Some(_), Some(last)) => vec![BlockRange { start: BlockId(0), end: last.end }],
            _ => asked,
        }
    }

    /// Takes note that nothing of the blocks of the coarsest layer around `asked` is wanted.
    fn leave_out(&mut self, layout: BlockLayout, asked: &[BlockRange]) {
        let nothing = vec![0; self.hasher.sum_len()];
        let mut start = BlockId(0);
        let end = BlockRange { start: layout.blocks().end, end: layout.blocks().end };
        for blocks in asked.iter().chain(&[end]) {
            for block in (BlockRange { start, end: blocks.start }).iter() {
                self.spans.push(layout.range(block), Place::Unwanted, &nothing);
            }
            start = blocks.end;
        }
    }

    /// Tells which of the blocks are not to be looked for, since only some or none of them is
    /// wanted.
    fn pass_over_unwanted(&self, asked: &mut Asked, last: bool) {
        let Some(only) = self.only else { return };
        for at in 0..asked.len() {
            let range = asked.range(at);
            let first = only.partition_point(|wanted| wanted.end <= range.start);
            let wanted = only.get(first).filter(|wanted| wanted.start < range.end && !wanted.is_empty());
            let place = match wanted {
                None => Place::Unwanted,
                Some(wanted) if last || (wanted.start <= range.start && range.end <= wanted.end) => Place::Unknown,
                Some(_) => Place::Partly,
            };
            asked.set_place(at, place);
        }
    }

    /// Goes on with the parts of the coarsest layer's blocks `left`.
    fn finer_layers(&mut self, mut left: Blocks) -> Result<(), Error> {
        for layer in 1..self.layers {
            if left.wanted.is_empty() {
                break;
            }
            let blocks = parts(self.index.layers(), layer, &left);
            let records = self.ask(layer, &blocks.wanted)?;
            left = self.layer(layer, blocks, records)?.blocks;
        }
        Ok(())
    }

    /// Looks for `blocks` of a layer, and returns what is left to be divided: of
    /// the finest nothing.
    fn layer(&mut self, layer: usize, mut blocks: Blocks, records: Records) -> Result<Left, Error> {
        place(self.index.layers(), layer, &mut blocks, &records.lengths);
        let layout = self.index.layers()[layer].layout;
        let mut asked = Asked::new(layout, blocks, records.keys, records.strong, &self.hasher);
        let last = layer + 1 == self.layers;
        self.pass_over_unwanted(&mut asked, last);
        self.take_zeros(&mut asked);
        if layer > 0 {
            self.spans.sort();
            let suspects = std::mem::take(&mut self.suspects);
            self.look_beside(&mut asked, &suspects);
        }
        if self.is_worth_a_search(&asked, layer, last) {
            self.search(layer, &mut asked, last)?;
            self.look_beside(&mut asked, &[]);
            asked.follow_repeats();
        }
        self.learn_frames(layer, &mut asked, &records.lengths)?;
        Ok(self.settle(layer, asked, last))
    }

    /// Learns where the frames of blocks that were not found lie.
    fn learn_frames(&mut self, layer: usize, asked: &mut Asked, lengths: &[Lengths]) -> Result<(), Error> {
        let Some(frames) = &mut self.frames else { return Ok(()) };
        if layer == 0 {
            frames.set_starts(asked.blocks.payloads.clone());
        }
        for (at, lengths) in lengths.iter().enumerate() {
            if !matches!(asked.place(at), Place::Seed(..) | Place::Zeros | Place::Unwanted) {
                let (block, payload) = (BlockId(asked.blocks.wanted[at].block), &mut asked.blocks.payloads[at]);
                let learned = frames.learn(asked.layout, block, *payload, *lengths);
                *payload = learned.map_err(|_| self.index.impossible_frames())?;
            }
        }
        Ok(())
    }

    /// Makes spans of what was found; in the last layer also of what was not, of which
    /// otherwise nothing comes yet.
    fn settle(&mut self, layer: usize, asked: Asked, last: bool) -> Left {
        let report = &mut self.reports[layer];
        let mut left = Left::default();
        let Asked { layout, blocks, signature, places } = asked;
        let sums = signature.into_sums();
        for (at, place) in places.into_iter().map(Packed::place).enumerate() {
            let (range, strong) = (blocks.range(layout, at), sums.strong(BlockId(at as u32)));
            let like = match place {
                Place::Seed(..) | Place::Zeros => {
                    report.matched += 1;
                    self.matched += range.len();
                    self.spans.push(range, place, strong);
                    continue;
                }
                Place::Unwanted => {
                    self.spans.push(range, place, strong);
                    continue;
                }
                Place::Like(_) | Place::Unknown if last => {
                    self.spans.push(range, place, strong);
                    continue;
                }
                // Equal bytes, but not equal frames.
                Place::Like(first) if self.frames.is_none() => blocks.wanted[blocks.beginning_at(layout, first)].like,
                Place::Like(_) | Place::Unknown | Place::Partly => blocks.wanted[at].like,
            };
            left.blocks.push(&blocks, at, like);
            left.strong.extend_from_slice(strong);
        }
        left
    }

    /// Reads the records of the blocks wanted.
    fn ask(&mut self, layer: usize, wanted: &[Wanted]) -> Result<Records, Error> {
        let mut ids: Vec<u32> = wanted.iter().map(|wanted| wanted.like).collect();
        ids.sort_unstable();
        ids.dedup();
        let bytes = ids.len() * self.index.layers()[layer].record_len;
        if bytes > FEW_RECORDS
            && !self.index.is_here()
            && let Some(before_more) = self.before_more.take()
        {
            before_more()?;
        }
        let (bytes, transfer) = self.index.records(layer, &runs(&ids))?;
        self.transfer += transfer;
        Ok(self.records(layer, wanted, &ids, &bytes))
    }

    /// What `bytes` say, the records of the blocks `ids`, of those that are wanted.
    fn records(&mut self, layer: usize, wanted: &[Wanted], ids: &[u32], bytes: &[u8]) -> Records {
        let of = self.index.layers()[layer];
        let report = &mut self.reports[layer];
        report.asked += wanted.len() as u64;
        report.index_bytes += bytes.len() as u64;

        let sum_len = self.hasher.sum_len();
        let mut keys = Vec::with_capacity(wanted.len());
        let mut strong = Vec::with_capacity(wanted.len() * sum_len);
        let mut lengths = Vec::new();
        for (at, wanted) in wanted.iter().enumerate() {
            // Mostly each is its own, and they are in order.
            let at = if ids.get(at) == Some(&wanted.like) { at } else { ids.partition_point(|&id| id < wanted.like) };
            let record = &bytes[at * of.record_len..][..of.record_len];
            let (weak, rest) = record.split_at(WEAK_LEN);
            keys.push(u32::from_le_bytes(weak.try_into().expect("four bytes")));
            let (sum, rest) = rest.split_at(sum_len);
            strong.extend_from_slice(sum);
            if let Some(frames) = &self.frames {
                lengths.push(Lengths::read(&frames.payload, of.layout.block_size(), rest));
            }
        }
        Records { keys, strong, lengths }
    }

    fn take_zeros(&self, asked: &mut Asked) {
        let size = asked.layout.block_size();
        let zeros = record_of_zeros(size, &self.hasher);
        let (weak, strong) = zeros.split_at(WEAK_LEN);
        let key = u32::from_le_bytes(weak.try_into().expect("four bytes"));
        for at in 0..asked.len() {
            let range = asked.range(at);
            let is_zeros = asked.key(at) == key && range.len() == u64::from(size) && asked.strong(at) == strong;
            if is_zeros && asked.place(at) == Place::Unknown {
                asked.set_place(at, Place::Zeros);
            }
        }
    }

    /// Looks for blocks beside what was found, and at what is suspected.
    fn look_beside(&self, asked: &mut Asked, suspects: &[Suspect]) {
        for side in [Side::Behind, Side::Before] {
            let expected = beside(asked, side, &self.spans, suspects);
            asked.find(expected, self.seeds, &self.hasher);
        }
    }

    /// The seed that stands for zeros.
    fn zeros(&self) -> SeedId {
        SeedId(self.seeds.len() as u16 - 1)
    }

    /// Whether to look everywhere for what is not where it was expected. The finest layer
    /// always is; before that it may wait while little is missing, or where a search would be
    /// in vain, since what moved is found then all the same.
    fn is_worth_a_search(&self, asked: &Asked, layer: usize, last: bool) -> bool {
        let missing = asked.missing_count() as u64;
        let bytes = missing * u64::from(asked.layout.block_size());
        let is_much = bytes * 32 > self.index.length() && !self.in_vain.contains(&layer);
        missing > 0 && (last || layer == 0 || is_much)
    }

    /// Searches the seeds for what is missing: for what moved where nothing was found. What was
    /// copied waits for the finest layer, which is looked for everywhere, since all that is not
    /// found there is fetched.
    fn search(&mut self, layer: usize, asked: &mut Asked, last: bool) -> Result<(), Error> {
        let size = asked.layout.block_size();
        let missing: Vec<bool> = (0..asked.len()).map(|at| asked.is_missing(at)).collect();
        let lookup = BlockIndex::build_of(&asked.signature, |block| missing[block.index()]);
        let seeds = &self.seeds[..usize::from(self.zeros().0)];
        let found = by_seed(seeds.len(), self.spans.found().chain(asked.found()));
        let parts_of = |(seed, found): (&&dyn ReadAt, Vec<ByteRange>)| {
            searched_parts(*seed, size, if last { &[] } else { &found })
        };
        let parts: Vec<_> = seeds.iter().zip(found).map(parts_of).collect();
        let overlapping = CompareOptions { overlapping: true, ..CompareOptions::new(WEAK) };
        // Of the only layer most may be found, and what is, is passed over quickly.
        let options = CompareOptions { overlapping: last && layer > 0, ..overlapping };
        let mut found = find_parts(&asked.signature, &lookup, seeds, &parts, &options, self.progress)?;
        let equal = lookup.into_equal_blocks();
        if last && layer == 0 {
            let parts = found.matched();
            let index = |left: &[bool]| {
                BlockIndex::build_of(&asked.signature, |block| left[block.index()] && missing[block.index()])
            };
            found = find_again(found, &equal, &asked.signature, index, seeds, &parts, &overlapping, self.progress)?;
        }
        for (block, origin) in found.origins(&equal).filter(|(block, _)| missing[block.index()]) {
            let place = match origin {
                Origin::Seed(seed, offset) => Place::Seed(seed, offset),
                Origin::Block(first) => Place::Like(asked.range(first.index()).start),
                Origin::Source => continue,
            };
            asked.set_place(block.index(), place);
        }
        self.statistics += found.statistics;
        self.unreadable.append(&mut found.unreadable);
        drop((found, equal));
        let of = self.index.layers()[layer].layout;
        if !suffice_alone(self.hasher.sum_len(), of.block_count(), of.length(), self.index.odds()) {
            let searched = missing.iter().enumerate().filter_map(|(at, &was_missing)| was_missing.then_some(at));
            self.suspects = asked.forget_unconfirmed(searched, seeds, &self.hasher);
        }
        self.reports[layer].searched = true;
        Ok(())
    }
}
