//! The target, out of a source that has its payload.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use gosync_chunks::frames::{Extent, Extents, FindFrames, FrameKind, PayloadLayout};
use gosync_chunks::ranges::deliver_wanted;
use gosync_chunks::{ByteRange, Limits, ReadAt, Sink, Source, SourceError, Transfer};
use gosync_work::{ahead, hand_out};

use super::frame::FrameDecoder;
use super::gather::{Batch, next_batch, payload_ranges};
use super::reference::Reference;
use crate::prior::Prior;

/// So many bytes of frames are fetched in one call.
const BATCH: u64 = 8 << 20;

/// What is said of a server's ranges around each part's bytes is hardly shorter.
const MOST_RUN_COST: u64 = 112;

/// A source of the plain target over one that has the compressed payload.
///
/// Frames are decoded in ascending order, each with the bytes before it: those that were
/// fetched come from its own memory, all others from where the target is being rebuilt. So
/// whatever is before a range that is asked for, and is not asked for in the same call,
/// must have been rebuilt by then. Frames that are too far apart to need each other are
/// decoded on all threads of the current rayon pool. A few batches of 8 MiB wait at most.
///
/// A frame that does not decompress is delivered as zeros. Like all that a source delivers
/// it is still to be verified: a caller that finds it wrong asks again, and calls
/// [`reject`](Source::reject) when that does not help.
pub struct FramedSource<'a, S> {
    inner: S,
    extents: Mutex<Extents>,
    layout: PayloadLayout,
    finder: Option<Box<dyn FindFrames + 'a>>,
    /// Parts of the target that are read in other parts as long as it is being rebuilt.
    repeated: Vec<ByteRange>,
    preamble: Vec<u8>,
    rebuilt: &'a dyn ReadAt,
    /// Bytes of frames that are fetched in one call, as long as one frame has fewer.
    batch: u64,
}

impl<'a, S: Source> FramedSource<'a, S> {
    /// Finds frames with `extents` in the payload that `inner` has, each of which is decoded with
    /// `preamble`; `rebuilt` has the
    /// target's bytes, as far as there are any, at their places.
    pub fn new(inner: S, extents: Extents, preamble: Vec<u8>, rebuilt: &'a dyn ReadAt) -> Self {
        let layout = *extents.layout();
        let (finder, repeated) = (None, Vec::new());
        Self { inner, extents: Mutex::new(extents), layout, finder, repeated, preamble, rebuilt, batch: BATCH }
    }

    /// With somebody to ask for frames that `extents` does not know.
    pub fn with_finder(mut self, finder: impl FindFrames + 'a) -> Self {
        self.finder = Some(Box::new(finder));
        self
    }

    /// With `ranges` of the target, ascending, that are no place of their own in what is
    /// rebuilt: their bytes are read where equal ones stand, which come before them.
    pub fn with_repeated(mut self, ranges: Vec<ByteRange>) -> Self {
        self.repeated = ranges;
        self
    }

    /// What [`fetch`](Source::fetch) asks `inner` for, call by call, when it is asked for
    /// `ranges`, so that a download can be foretold.
    ///
    /// # Errors
    ///
    /// When they are past the end, or no known frame has them.
    pub fn calls(&self, ranges: &[ByteRange]) -> Result<Vec<Vec<ByteRange>>, SourceError> {
        let (frames, _) = self.frames(ranges)?;
        let mut frames = frames.as_slice();
        Ok(std::iter::from_fn(|| next_batch(&mut frames, self.batch)).map(payload_ranges).collect())
    }

    /// The frames to fetch for `ranges`, and what it took to find them.
    fn frames(&self, ranges: &[ByteRange]) -> Result<(Vec<Extent>, Transfer), SourceError> {
        let location = || "the compressed payload".to_owned();
        let corrupt = |reason| SourceError::Corrupt { location: location(), reason };
        let actual = self.layout.length();
        if let Some(past) = ranges.iter().find(|range| range.end > actual) {
            return Err(SourceError::Length { location: location(), expected: past.end, actual });
        }
        let mut extents = self.extents.lock().unwrap_or_else(PoisonError::into_inner);
        let mut transfer = Transfer::default();
        let unknown = extents.unknown(ranges);
        if let Some(finder) = self.finder.as_ref().filter(|_| !unknown.is_empty()) {
            let (found, read) = finder.coarse(&unknown)?;
            transfer = read;
            for (number, payload) in found {
                extents.insert(FrameKind::Coarse, number, payload).map_err(|error| corrupt(error.to_string()))?;
            }
        }
        let run_cost = self.inner.limits().bridged_gap.min(MOST_RUN_COST);
        let frames = extents.choose(ranges, run_cost).map_err(|error| corrupt(error.to_string()))?;
        if frames.windows(2).any(|pair| pair[0].payload.end > pair[1].payload.start) {
            return Err(corrupt("frames overlap".into()));
        }
        Ok((frames, transfer))
    }

    /// Decodes `batch`, and delivers what is in `ranges`; `prior` has what came before it, and
    /// then what is in it too.
    fn decode(
        &self,
        batch: &Batch,
        prior: &mut Prior<'a>,
        ranges: &[ByteRange],
        sink: &dyn Sink,
    ) -> Result<(), SourceError> {
        let chains = self.chains(&batch.frames);
        let last = chains.len() - 1;
        let carried = Mutex::new(None);
        let fresh = || Prior::new(self.rebuilt, self.layout.longest_prefix());
        let decoder = || (FrameDecoder::default(), Vec::new());
        let decode = |(decoder, buffer): &mut (FrameDecoder, Vec<u8>), number: usize| {
            let mut before = if number == 0 { prior.clone() } else { fresh() };
            for frame in chains[number].clone() {
                let extent = &batch.frames[frame];
                let plain = self.decode_frame(decoder, buffer, extent, batch.frame(frame), &before)?;
                deliver_wanted(ranges, extent.target.start, &plain, sink).map_err(SourceError::Sink)?;
                before.push(extent.target.start, &plain);
            }
            if number == last {
                *carried.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
            }
            Ok::<(), SourceError>(())
        };
        // What a chain reads elsewhere may only be there when the chains before it are done.
        let mut done = 0;
        while done < chains.len() {
            let together = (done + 1..chains.len()).take_while(|&next| {
                let undone = chains[done].start..chains[next].start;
                !self.reads_elsewhere(batch, &chains[next]) && !self.refers_to(batch, &chains[next], undone)
            });
            let end = together.last().unwrap_or(done) + 1;
            hand_out(done..end, decoder, decode)?;
            done = end;
        }
        if let Some(carried) = carried.into_inner().unwrap_or_else(PoisonError::into_inner) {
            *prior = carried;
        }
        Ok(())
    }

    /// What `frame` makes, which lies at `extent`, with what is `before` it; zeros where it is none.
    fn decode_frame<'b>(
        &self,
        decoder: &'b mut FrameDecoder,
        buffer: &'b mut Vec<u8>,
        extent: &Extent,
        frame: &'b [u8],
        before: &Prior<'_>,
    ) -> Result<Cow<'b, [u8]>, SourceError> {
        let Extent { kind, target, .. } = *extent;
        let len = target.len() as usize;
        let Ok(reference) = Reference::read(&self.layout, kind, target, frame) else {
            return Ok(vec![0; len].into());
        };
        let read = |range, buffer: &mut Vec<u8>| {
            let location = || "what was rebuilt of the target".into();
            before.append(range, buffer).map_err(|source| SourceError::Read { location: location(), source })
        };
        buffer.clear();
        if let Some(Reference { region: Some(region), block: [] }) = reference {
            read(ByteRange::at(region.start, target.len()), buffer)?;
            return Ok(buffer.as_slice().into());
        }
        buffer.extend_from_slice(&self.preamble);
        if let Some(region) = reference.and_then(|reference| reference.region) {
            read(region, buffer)?;
        }
        read(self.layout.prefix(kind, target.start), buffer)?;
        let plain = match reference {
            Some(reference) => decoder.decode_block(buffer, reference.block, len),
            None => decoder.decode(buffer, frame, len),
        };
        Ok(plain.map_or_else(|_| vec![0; len].into(), Cow::Borrowed))
    }

    /// Whether a frame of a chain has a region in what the frames `undone` make.
    fn refers_to(&self, batch: &Batch, chain: &Range<usize>, undone: Range<usize>) -> bool {
        let undone = &batch.frames[undone];
        chain.clone().any(|frame| {
            let Extent { kind, target, .. } = batch.frames[frame];
            let reference = Reference::read(&self.layout, kind, target, batch.frame(frame));
            let Ok(Some(Reference { region: Some(region), .. })) = reference else { return false };
            let first = undone.partition_point(|frame| frame.target.end <= region.start);
            undone.get(first).is_some_and(|frame| frame.target.start < region.end) || self.is_repeated(region)
        })
    }

    /// Whether a prefix of the frames of a chain has bytes that are read elsewhere.
    fn reads_elsewhere(&self, batch: &Batch, chain: &Range<usize>) -> bool {
        let (first, last) = (&batch.frames[chain.start], &batch.frames[chain.end - 1]);
        let start = first.target.start.saturating_sub(self.layout.longest_prefix());
        self.is_repeated(ByteRange { start, end: last.target.start })
    }

    /// Whether some of `range` is read elsewhere.
    fn is_repeated(&self, range: ByteRange) -> bool {
        let next = self.repeated.partition_point(|repeated| repeated.end <= range.start);
        self.repeated.get(next).is_some_and(|repeated| repeated.start < range.end)
    }

    /// Cuts frames into runs so far apart that no prefix, be it of a frame in the next
    /// batch, reaches out of its own run.
    fn chains(&self, frames: &[Extent]) -> Vec<Range<usize>> {
        let longest = self.layout.longest_prefix();
        let mut chains = Vec::new();
        let mut start = 0;
        for at in 1..=frames.len() {
            if frames.get(at).is_none_or(|frame| frame.target.start >= frames[at - 1].target.end + longest) {
                chains.push(start..at);
                start = at;
            }
        }
        chains
    }
}

impl<S: Source> Source for FramedSource<'_, S> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.layout.length()))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let (frames, mut transfer) = self.frames(ranges)?;
        let mut prior = Prior::new(self.rebuilt, self.layout.longest_prefix());
        let mut frames = frames.as_slice();
        let batches = std::iter::from_fn(|| next_batch(&mut frames, self.batch));
        ahead(batches.map(|batch| Batch::fetch(&self.inner, batch)), |batches| {
            for batch in batches {
                let batch = batch?;
                transfer += batch.transfer;
                self.decode(&batch, &mut prior, ranges, sink)?;
            }
            Ok(transfer)
        })
    }

    fn limits(&self) -> Limits {
        // What lies between two ranges here says nothing about what lies between their frames.
        Limits { bridged_gap: 0, ..self.inner.limits() }
    }

    fn reads_rebuilt(&self) -> bool {
        true
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        self.frames(ranges).is_ok_and(|(frames, _)| self.inner.reject(&payload_ranges(&frames)))
    }
}

#[cfg(test)]
mod tests;
