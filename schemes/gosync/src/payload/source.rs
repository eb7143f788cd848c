//! The target, out of a source that has its payload.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use gosync_chunks::work::hand_out;
use gosync_chunks::{ByteRange, Limits, ReadAt, Sink, Source, SourceError, Transfer};

use super::gather::{Batch, next_batch, payload_ranges};
use super::prior::Prior;
use super::{Extent, Extents, FrameDecoder};

/// So many bytes of frames are fetched in one call.
const BATCH: u64 = 8 << 20;

/// What is said of a server's ranges around each part's bytes is hardly shorter.
const MOST_RUN_COST: u64 = 80;

/// A source of the plain target over one that has the compressed payload.
///
/// Frames are decoded in ascending order, each with the bytes before it: those that were
/// fetched come from its own memory, all others from where the target is being rebuilt. So
/// whatever is before a range that is asked for, and is not asked for in the same call,
/// must have been rebuilt by then. Frames that are too far apart to need each other are
/// decoded on all threads of the current rayon pool. A few batches of 8 MiB wait at most.
///
/// A frame that does not decompress is delivered as zeros. Like all that a source delivers
/// it is still to be verified: whoever finds that it is wrong asks again, and calls
/// [`reject`](Source::reject) when that does not help.
pub struct FramedSource<'a, S> {
    inner: S,
    extents: Extents,
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
        Self { inner, extents, preamble, rebuilt, batch: BATCH }
    }

    /// What [`fetch`](Source::fetch) asks `inner` for, call by call, when it is asked for
    /// `ranges`, so that a download can be foretold.
    ///
    /// # Errors
    ///
    /// When they are past the end, or no known frame has them.
    pub fn calls(&self, ranges: &[ByteRange]) -> Result<Vec<Vec<ByteRange>>, SourceError> {
        let frames = self.frames(ranges)?;
        let mut frames = frames.as_slice();
        Ok(std::iter::from_fn(|| next_batch(&mut frames, self.batch)).map(payload_ranges).collect())
    }

    fn frames(&self, ranges: &[ByteRange]) -> Result<Vec<Extent>, SourceError> {
        let refused = |reason| SourceError::Refused { location: "the compressed payload".into(), reason };
        let length = self.extents.layout().length();
        if let Some(past) = ranges.iter().find(|range| range.end > length) {
            return Err(refused(format!("it makes {length} bytes, which {past} are not among")));
        }
        let run_cost = self.inner.limits().bridged_gap.min(MOST_RUN_COST);
        self.extents.choose(ranges, run_cost).map_err(|error| refused(error.to_string()))
    }

    /// Decodes `batch`; `prior` has what came before it, and then what is in it too.
    fn decode(&self, batch: &Batch, prior: &mut Prior<'a>, sink: &Asked<'_>) -> Result<(), SourceError> {
        let chains = self.chains(&batch.frames);
        let (first, last) = (0, chains.len() - 1);
        let carried = Mutex::new(None);
        let fresh = || Prior::new(self.rebuilt, self.extents.layout().longest_prefix());
        let decoder = || (FrameDecoder::default(), Vec::new());
        hand_out(chains.into_iter().enumerate(), decoder, |(decoder, buffer), (number, chain)| {
            let mut before = if number == first { prior.clone() } else { fresh() };
            for frame in chain {
                let extent = &batch.frames[frame];
                buffer.clear();
                buffer.extend_from_slice(&self.preamble);
                let prefix = self.extents.layout().prefix(extent.kind, extent.target.start);
                before.append(prefix, buffer).map_err(|source| SourceError::Read {
                    location: "what was rebuilt of the target".into(),
                    source,
                })?;
                let len = extent.target.len() as usize;
                let plain = decoder.decode(buffer, batch.frame(frame), len);
                let plain = plain.map_or_else(|_| Cow::Owned(vec![0; len]), Cow::Borrowed);
                sink.deliver(extent.target.start, &plain)?;
                before.push(extent.target.start, &plain);
            }
            if number == last {
                *carried.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
            }
            Ok::<(), SourceError>(())
        })?;
        if let Some(carried) = carried.into_inner().unwrap_or_else(PoisonError::into_inner) {
            *prior = carried;
        }
        Ok(())
    }

    /// Cuts frames into runs so far apart that no prefix, be it of a frame in the next
    /// batch, reaches out of its own run.
    fn chains(&self, frames: &[Extent]) -> Vec<Range<usize>> {
        let longest = self.extents.layout().longest_prefix();
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
        Ok(Some(self.extents.layout().length()))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let frames = self.frames(ranges)?;
        let sink = Asked { ranges, sink };
        let mut transfer = Transfer::default();
        let mut prior = Prior::new(self.rebuilt, self.extents.layout().longest_prefix());
        let (sender, batches) = sync_channel(0);
        std::thread::scope(|scope| {
            let (inner, mut frames) = (&self.inner, frames.as_slice());
            scope.spawn(move || {
                while let Some(batch) = next_batch(&mut frames, self.batch) {
                    let batch = Batch::fetch(inner, batch);
                    let failed = batch.is_err();
                    if sender.send(batch).is_err() || failed {
                        break;
                    }
                }
            });
            // Moved in, so that the other thread's sending fails when this one gives up.
            let batches = batches;
            while let Ok(batch) = batches.recv() {
                let batch = batch?;
                transfer += batch.transfer;
                self.decode(&batch, &mut prior, &sink)?;
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
        self.frames(ranges).is_ok_and(|frames| self.inner.reject(&payload_ranges(&frames)))
    }
}

/// Takes of whole frames what was asked for.
struct Asked<'a> {
    ranges: &'a [ByteRange],
    sink: &'a dyn Sink,
}

impl Asked<'_> {
    fn deliver(&self, start: u64, data: &[u8]) -> Result<(), SourceError> {
        let end = start + data.len() as u64;
        let first = self.ranges.partition_point(|range| range.end <= start);
        for range in self.ranges[first..].iter().take_while(|range| range.start < end) {
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                let part = &data[(from - start) as usize..(to - start) as usize];
                self.sink.deliver(from, part).map_err(SourceError::Sink)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
