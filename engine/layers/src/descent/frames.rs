//! Where the frames of a compressed payload lie, as the records of the layers tell.
//!
//! A record says how many bytes of the payload belong to its block, so that a client that
//! goes down to one block finds the frames of it without having read the sums of others.

use std::fmt;

use gosync_chunks::frames::{ExtentError, Extents, FindFrames, FrameKind, FrameLengths};
use gosync_chunks::{BlockId, BlockLayout, BlockRange, Brief, ByteRange, SourceError, Transfer};

use super::asked::{Blocks, Wanted};
use crate::error::Error;
use crate::format::{Layer, LayeredIndex, Payload, WEAK_LEN};

/// Bytes of the length of a coarse frame, and of all fine ones of the same bytes.
const COARSE_LEN: usize = 3;

/// What the record of a block says of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Bytes in the payload, fine and coarse frames alike.
    pub(crate) all: u64,
    /// Bytes of a coarse frame before all others, where the block is one.
    pub(crate) coarse: u64,
}

impl Lengths {
    /// Reads `bytes`, the end of a record of a block of `size` bytes.
    pub(crate) fn read(payload: &Payload, size: u32, bytes: &[u8]) -> Self {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
        let coarse = payload.layout.frame_size(FrameKind::Coarse);
        if u64::from(size) == coarse {
            let (coarse, fine) = bytes.split_at(COARSE_LEN);
            let coarse = number(coarse) + 1;
            return Self { all: coarse + number(fine) + 1, coarse };
        }
        Self { all: number(bytes) + u64::from(u64::from(size) < coarse), coarse: 0 }
    }
}

/// The lengths for the records of the blocks of `size` bytes that `range` of the target is
/// cut into, one after another. `lengths` are those of its frames.
pub fn encode(payload: &Payload, size: u32, range: ByteRange, lengths: &FrameLengths) -> Vec<u8> {
    let len = payload.lengths_len(size);
    let coarse_size = payload.layout.frame_size(FrameKind::Coarse);
    let mut bytes = Vec::with_capacity(range.len().div_ceil(size.into()) as usize * len);
    let place = |kind, block: ByteRange| {
        let (frames, before) = (payload.layout.frames_of(kind, block), range.start / payload.layout.frame_size(kind));
        (frames.start - before) as usize..(frames.end - before) as usize
    };
    for start in (range.start..range.end).step_by(size as usize) {
        let block = ByteRange { start, end: range.end.min(start + u64::from(size)) };
        let fine = &lengths.fine[place(FrameKind::Fine, block)];
        let fine: u64 = fine.iter().map(|&len| u64::from(len)).sum();
        let coarse =
            || -> u64 { lengths.coarse[place(FrameKind::Coarse, block)].iter().map(|&len| u64::from(len)).sum() };
        match u64::from(size).cmp(&coarse_size) {
            std::cmp::Ordering::Greater => bytes.extend(&(fine + coarse()).to_le_bytes()[..len]),
            std::cmp::Ordering::Equal => {
                bytes.extend(&(coarse() - 1).to_le_bytes()[..COARSE_LEN]);
                bytes.extend(&(fine - 1).to_le_bytes()[..COARSE_LEN]);
            }
            std::cmp::Ordering::Less => bytes.extend(&(fine - 1).to_le_bytes()[..len]),
        }
    }
    bytes
}

/// Finds where the frames of blocks of a layer begin: those of the parts of one block follow each
/// other, and the first of them has the place of all.
pub(super) fn place(layers: &[Layer], layer: usize, blocks: &mut Blocks, lengths: &[Lengths]) {
    let ratio = match layer.checked_sub(1) {
        Some(above) => layers[above].layout.block_size() / layers[layer].layout.block_size(),
        None => u32::MAX,
    };
    let mut next = 0;
    for ((wanted, payload), lengths) in blocks.wanted.iter().zip(&mut blocks.payloads).zip(lengths) {
        if wanted.block.is_multiple_of(ratio) {
            next = *payload;
        }
        *payload = next;
        next = next.saturating_add(lengths.all);
    }
}

/// The frames that are known so far.
pub struct Frames {
    /// What they are frames of.
    pub payload: Payload,
    /// Where they lie.
    pub extents: Extents,
    /// Where the frames of each block of the coarsest layer begin.
    starts: Vec<u64>,
}

impl fmt::Debug for Frames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payload, extents, starts } = self;
        let mut shown = formatter.debug_struct("Frames");
        shown.field("payload", payload).field("extents", extents).field("starts", &Brief(starts)).finish()
    }
}

impl Frames {
    pub(crate) fn new(payload: &Payload) -> Self {
        Self { payload: payload.clone(), extents: Extents::new(payload.layout, payload.len), starts: Vec::new() }
    }

    /// Learns where the frames of each block of the coarsest layer begin.
    pub(crate) fn set_starts(&mut self, starts: Vec<u64>) {
        self.starts = starts;
    }

    /// Learns where the frames of `block` lie, whose bytes in the payload begin at `offset`,
    /// as far as they are one frame. Returns where the frames of its first part begin.
    ///
    /// # Errors
    ///
    /// When they cannot lie there.
    pub(crate) fn learn(
        &mut self,
        layout: BlockLayout,
        block: BlockId,
        offset: u64,
        lengths: Lengths,
    ) -> Result<u64, ExtentError> {
        let size = u64::from(layout.block_size());
        if lengths.coarse > 0 {
            self.extents.insert(FrameKind::Coarse, block.0.into(), ByteRange::at(offset, lengths.coarse))?;
        }
        if size == self.payload.layout.frame_size(FrameKind::Fine) {
            let fine = ByteRange::at(offset + lengths.coarse, lengths.all - lengths.coarse);
            self.extents.insert(FrameKind::Fine, block.0.into(), fine)?;
        }
        Ok(offset + lengths.coarse)
    }

    /// Learns frames for all of `ranges` of the target, where the descent did not come down
    /// to any, and tells what it took. That they can lie where they are said to is checked.
    ///
    /// # Errors
    ///
    /// When the index cannot be read, or its lengths make no frames.
    pub(crate) fn complete(&mut self, index: &LayeredIndex, ranges: &[ByteRange]) -> Result<Transfer, Error> {
        let unknown = self.extents.unknown(ranges);
        let (found, transfer) = self.find(index, &unknown)?;
        for (number, extent) in found {
            self.extents.insert(FrameKind::Coarse, number, extent).map_err(|_| index.impossible_frames())?;
        }
        if self.extents.overlap() { Err(index.impossible_frames()) } else { Ok(transfer) }
    }

    /// Finds coarse frames by their numbers, which ascend.
    fn find(&self, index: &LayeredIndex, numbers: &[u64]) -> Result<(Vec<(u64, ByteRange)>, Transfer), SourceError> {
        let mut transfer = Transfer::default();
        let Some(&coarsest) = index.layers().first().filter(|_| !numbers.is_empty()) else {
            return Ok((Vec::new(), transfer));
        };
        let coarse = self.payload.layout.frame_size(FrameKind::Coarse);
        let holds = |layer: &Layer, block: u32| {
            let range = layer.layout.range(BlockId(block));
            let first = numbers.partition_point(|number| number * coarse < range.start);
            numbers.get(first).is_some_and(|number| number * coarse < range.end)
        };
        let held = (0..).zip(&self.starts).filter(|&(block, _)| holds(&coarsest, block));
        let (wanted, payloads) = held.map(|(block, &payload)| (Wanted { block, like: block }, payload)).unzip();
        let mut blocks = Blocks { wanted, payloads };
        for (at, layer) in index.layers().iter().enumerate() {
            let size = u64::from(layer.layout.block_size());
            if at > 0 {
                blocks = parts(index.layers(), at, &blocks);
            }
            let numbers: Vec<u32> = blocks.wanted.iter().map(|wanted| wanted.block).collect();
            let (bytes, read) = index.unchecked_records(at, &runs(&numbers))?;
            transfer += read;
            let lengths = bytes.chunks_exact(layer.record_len).map(|record| {
                Lengths::read(&self.payload, layer.layout.block_size(), &record[WEAK_LEN + index.strong_len()..])
            });
            let lengths: Vec<Lengths> = lengths.collect();
            if at > 0 {
                place(index.layers(), at, &mut blocks, &lengths);
            }
            let found = |at: usize| holds(layer, numbers[at]);
            if size == coarse {
                let extent =
                    |at: usize| (u64::from(numbers[at]), ByteRange::at(blocks.payloads[at], lengths[at].coarse));
                return Ok(((0..numbers.len()).filter(|&at| found(at)).map(extent).collect(), transfer));
            }
            blocks = blocks.only(found);
        }
        Ok((Vec::new(), transfer))
    }
}

/// Finds frames when seeds turn out not to have what they had.
pub struct Finder<'a> {
    /// Those that are known.
    pub frames: &'a Frames,
    /// Which tells of the others.
    pub index: &'a LayeredIndex,
}

impl FindFrames for Finder<'_> {
    fn coarse(&self, numbers: &[u64]) -> Result<(Vec<(u64, ByteRange)>, Transfer), SourceError> {
        self.frames.find(self.index, numbers)
    }
}

/// The blocks of a layer that are parts of the blocks `above`, of the layer above it.
pub(super) fn parts(layers: &[Layer], layer: usize, above: &Blocks) -> Blocks {
    let fine = layers[layer].layout;
    let ratio = layers[layer - 1].layout.block_size() / fine.block_size();
    let count_of = |block: u32| ratio.min(fine.block_count() - block * ratio);
    let count = above.wanted.iter().map(|wanted| count_of(wanted.block) as usize).sum();
    let mut wanted = Vec::with_capacity(count);
    let mut payloads = Vec::with_capacity(if above.payloads.is_empty() { 0 } else { count });
    for (at, &Wanted { block, like }) in above.wanted.iter().enumerate() {
        let count = count_of(block);
        wanted.extend((0..count).map(|part| Wanted { block: block * ratio + part, like: like * ratio + part }));
        payloads.extend(above.payloads.get(at).into_iter().flat_map(|&payload| (0..count).map(move |_| payload)));
    }
    Blocks { wanted, payloads }
}

/// Blocks, which ascend, in runs.
pub(super) fn runs(blocks: &[u32]) -> Vec<BlockRange> {
    let mut runs: Vec<BlockRange> = Vec::new();
    for &block in blocks {
        match runs.last_mut() {
            Some(last) if last.end.0 == block => last.end = BlockId(block + 1),
            _ => runs.push(BlockRange { start: BlockId(block), end: BlockId(block + 1) }),
        }
    }
    runs
}
