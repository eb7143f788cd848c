//! From the coarsest layer to the finest: what seeds have is taken, the rest divided.

use std::sync::Arc;

use gosync_chunks::{
    BlockId, BlockLayout, BlockRange, BlockSums, ByteRange, Cut, Plan, Progress, ReadAt, SeedId, Signature,
    SourceError, Step, StrongHasher, Transfer,
};
use gosync_comparer::{CompareOptions, Statistics, UnreadableSeed, compare_again, compare_parts};
use gosync_index::BlockIndex;
use gosync_sums::Xxh3;

use super::asked::{Asked, Place, Suspect, Wanted};
use super::beside::{Side, beside};
use super::expected::find_expected;
use super::frames::{Frames, Lengths, parts, place, runs};
use super::searched::{by_seed, searched_parts};
use super::spans::{Origin, Spans};
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
        layers: options.layers.min(index.layers().len()),
        only: options.wanted,
        hasher,
        suspects: Vec::new(),
        frames: index.payload().map(Frames::new),
        before_more: Some(before_more),
    };
    state.coarsest_layer()?;
    let State { spans, mut statistics, mut unreadable, mut reports, mut transfer, hasher, mut frames, .. } = state;
    statistics.seed_bytes = seeds[..seeds.len() - 1].iter().map(|seed| seed.size()).sum();
    unreadable.sort_by_key(|unreadable| (unreadable.seed, unreadable.offset));
    unreadable.dedup_by_key(|unreadable| unreadable.seed);
    reports.retain(|report| report.asked > 0);
    let (plan, sums) = spans.into_plan(Arc::new(hasher));
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
struct Left {
    blocks: Vec<Wanted>,
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
        let wanted: Vec<Wanted> = ids.iter().map(|&block| Wanted { block, like: block, payload: 0 }).collect();
        self.leave_out(layout, &asked);
        let records = self.records(0, &wanted, &ids, &bytes);
        drop((ids, bytes));
        let left = self.layer(0, wanted, records)?;
        if self.only.is_some() || self.matched > 0 || left.blocks.len() < SAMPLE_OF * SAMPLE_RUN {
            return self.finer_layers(left.blocks);
        }
        let is_sample = |at: usize| (at / SAMPLE_RUN).is_multiple_of(SAMPLE_OF);
        let sample: Vec<Wanted> =
            left.blocks.iter().enumerate().filter(|(at, _)| is_sample(*at)).map(|(_, wanted)| *wanted).collect();
        let range = |wanted: &Wanted| layout.range(BlockId(wanted.block));
        let sampled: u64 = sample.iter().map(|wanted| range(wanted).len()).sum();
        self.finer_layers(sample)?;
        let rest = left.blocks.iter().zip(left.strong.chunks_exact(self.hasher.sum_len()));
        let rest = rest.enumerate().filter(|(at, _)| !is_sample(*at)).map(|(_, block)| block);
        if self.matched * 64 >= sampled {
            return self.finer_layers(rest.map(|(wanted, _)| *wanted).collect());
        }
        for (wanted, strong) in rest {
            self.spans.push(range(wanted), Origin::Source, strong);
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
                self.spans.push(layout.range(block), Origin::Nowhere, &nothing);
            }
            start = blocks.end;
        }
    }

    /// Tells which of the blocks are not to be looked for, since only some or none of them is
    /// wanted.
    fn pass_over_unwanted(&self, asked: &mut Asked, last: bool) {
        let Some(only) = self.only else { return };
        for at in 0..asked.wanted.len() {
            let range = asked.range(at);
            let first = only.partition_point(|wanted| wanted.end <= range.start);
            let wanted = only.get(first).filter(|wanted| wanted.start < range.end && !wanted.is_empty());
            asked.places[at] = match wanted {
                None => Place::Unwanted,
                Some(wanted) if last || (wanted.start <= range.start && range.end <= wanted.end) => Place::Unknown,
                Some(_) => Place::Partly,
            };
        }
    }

    /// Goes on with the parts of the coarsest layer's blocks `left`.
    fn finer_layers(&mut self, mut left: Vec<Wanted>) -> Result<(), Error> {
        for layer in 1..self.layers {
            if left.is_empty() {
                break;
            }
            let wanted = parts(self.index.layers(), layer, &left);
            let records = self.ask(layer, &wanted)?;
            left = self.layer(layer, wanted, records)?.blocks;
        }
        Ok(())
    }

    /// Looks for the blocks `wanted` of a layer, and returns what is left to be divided: of
    /// the finest nothing.
    fn layer(&mut self, layer: usize, mut wanted: Vec<Wanted>, records: Records) -> Result<Left, Error> {
        place(self.index.layers(), layer, &mut wanted, &records.lengths);
        let mut asked = Asked {
            layout: self.index.layers()[layer].layout,
            places: vec![Place::Unknown; wanted.len()],
            wanted,
            sum_len: self.hasher.sum_len(),
            keys: records.keys,
            strong: records.strong,
        };
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
        Ok(self.settle(layer, &asked, last))
    }

    /// Learns where the frames of blocks that were not found lie.
    fn learn_frames(&mut self, layer: usize, asked: &mut Asked, lengths: &[Lengths]) -> Result<(), Error> {
        let Some(frames) = &mut self.frames else { return Ok(()) };
        if layer == 0 {
            frames.set_starts(asked.wanted.iter().map(|wanted| wanted.payload).collect());
        }
        for (at, lengths) in lengths.iter().enumerate() {
            if !matches!(asked.places[at], Place::Seed(..) | Place::Unwanted) {
                let wanted = &mut asked.wanted[at];
                let learned = frames.learn(asked.layout, BlockId(wanted.block), wanted.payload, *lengths);
                wanted.payload = learned.map_err(|_| self.index.impossible_frames())?;
            }
        }
        Ok(())
    }

    /// Makes spans of what was found; in the last layer also of what was not, of which
    /// otherwise nothing comes yet.
    fn settle(&mut self, layer: usize, asked: &Asked, last: bool) -> Left {
        let report = &mut self.reports[layer];
        let mut left = Left { blocks: Vec::new(), strong: Vec::new() };
        for (at, wanted) in asked.wanted.iter().enumerate() {
            let (range, strong) = (asked.range(at), asked.strong(at));
            let like = match asked.places[at] {
                Place::Seed(seed, offset) => {
                    report.matched += 1;
                    self.matched += range.len();
                    self.spans.push(range, Origin::Seed(seed, offset), strong);
                    continue;
                }
                Place::Like(first) if last => {
                    self.spans.push(range, Origin::Span(asked.range(first).start), strong);
                    continue;
                }
                Place::Unknown if last => {
                    self.spans.push(range, Origin::Source, strong);
                    continue;
                }
                // Equal bytes, but not equal frames.
                Place::Like(first) if self.frames.is_none() => asked.wanted[first].like,
                Place::Unwanted => {
                    self.spans.push(range, Origin::Nowhere, strong);
                    continue;
                }
                Place::Like(_) | Place::Unknown | Place::Partly => wanted.like,
            };
            left.blocks.push(Wanted { like, ..*wanted });
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
        let seed = self.zeros();
        for at in 0..asked.wanted.len() {
            let range = asked.range(at);
            let is_zeros = asked.keys[at] == key && range.len() == u64::from(size) && asked.strong(at) == strong;
            if is_zeros && asked.places[at] == Place::Unknown {
                asked.places[at] = Place::Seed(seed, range.start);
            }
        }
    }

    /// Looks for blocks beside what was found, and at what is suspected.
    fn look_beside(&self, asked: &mut Asked, suspects: &[Suspect]) {
        for side in [Side::Behind, Side::Before] {
            let expected = beside(asked, side, &self.spans, suspects, self.zeros());
            let sums_of = |at: usize| (asked.keys[at], asked.strong(at));
            let found = find_expected(expected, asked.layout.block_size(), self.seeds, &self.hasher, sums_of);
            for (at, seed, offset) in found {
                asked.places[at] = Place::Seed(seed, offset);
            }
        }
    }

    /// The seed that stands for zeros.
    fn zeros(&self) -> SeedId {
        SeedId(self.seeds.len() as u16 - 1)
    }

    /// Whether to look everywhere for what is not where it was expected. The finest layer
    /// always is; before that it may wait while little is missing, since what moved is
    /// found then all the same.
    fn is_worth_a_search(&self, asked: &Asked, layer: usize, last: bool) -> bool {
        let missing = asked.places.iter().filter(|&&place| place == Place::Unknown).count() as u64;
        let bytes = missing * u64::from(asked.layout.block_size());
        missing > 0 && (last || layer == 0 || bytes * 32 > self.index.length())
    }

    /// Searches the seeds for what is missing: for what moved where nothing was found. What was
    /// copied waits for the finest layer, which is looked for everywhere, since all that is not
    /// found there is fetched.
    fn search(&mut self, layer: usize, asked: &mut Asked, last: bool) -> Result<(), Error> {
        let missing = asked.missing();
        let Some(&end) = missing.last() else { return Ok(()) };
        // As if what is missing were all of a target; only its last block may be short.
        let size = asked.layout.block_size();
        let length = (missing.len() as u64 - 1) * u64::from(size) + asked.range(end as usize).len();
        let Ok(layout) = BlockLayout::new(length, size) else { return Ok(()) };
        let keys = missing.iter().map(|&at| asked.keys[at as usize]).collect();
        let mut strong = Vec::with_capacity(missing.len() * asked.sum_len);
        missing.iter().for_each(|&at| strong.extend_from_slice(asked.strong(at as usize)));
        let signature = Signature::new(layout, keys, strong, Arc::new(self.hasher.clone()));
        let signature = signature.expect("a sum of each kind for what is missing");
        let lookup = BlockIndex::build(&signature);
        let seeds = &self.seeds[..usize::from(self.zeros().0)];
        let found = by_seed(seeds.len(), self.spans.found().chain(asked.found()));
        let parts_of = |(seed, found): (&&dyn ReadAt, Vec<ByteRange>)| {
            searched_parts(*seed, size, if last { &[] } else { &found })
        };
        let parts: Vec<_> = seeds.iter().zip(found).map(parts_of).collect();
        let overlapping = CompareOptions { overlapping: true, ..CompareOptions::new(WEAK) };
        // Of the only layer most may be found, and what is, is passed over quickly.
        let options = CompareOptions { overlapping: last && layer > 0, ..overlapping };
        let mut found = compare_parts(&signature, &lookup, seeds, &parts, &options, self.progress)?;
        drop(lookup);
        if last && layer == 0 {
            let parts = found.matched.clone();
            let index = |missing: &[bool]| BlockIndex::build_of(&signature, |block| missing[block.index()]);
            found = compare_again(found, &signature, index, seeds, &parts, &overlapping, self.progress)?;
        }
        for step in found.plan.steps() {
            match *step {
                Step::Copy { target, seed, offset } => {
                    for block in found.plan.cut().within(target).iter() {
                        let skipped = layout.range(block).start - target.start;
                        asked.places[missing[block.index()] as usize] = Place::Seed(seed, offset + skipped);
                    }
                }
                Step::Repeat { blocks, of } => {
                    for block in blocks.iter() {
                        asked.places[missing[block.index()] as usize] = Place::Like(missing[of.index()] as usize);
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
        Ok(())
    }
}
