//! Frames on their way from the source to the decoder.

use std::sync::{Mutex, PoisonError};

use gosync_chunks::{ByteRange, Sink, SinkError, Source, SourceError, Transfer};

use super::Extent;

/// Frames that came.
pub(super) struct Batch {
    pub(super) frames: Vec<Extent>,
    /// Where each frame begins in `data`, in the order of `frames`.
    starts: Vec<usize>,
    data: Vec<u8>,
    pub(super) transfer: Transfer,
}

impl Batch {
    /// Fetches `frames`, whose places in the payload ascend, from `source`.
    pub(super) fn fetch(source: &dyn Source, frames: &[Extent]) -> Result<Self, SourceError> {
        let mut starts = Vec::with_capacity(frames.len());
        let mut len = 0;
        for frame in frames {
            starts.push(len);
            len += frame.payload.len() as usize;
        }
        let ranges = payload_ranges(frames);
        let gather = Gather { frames, starts: &starts, data: Mutex::new(vec![0; len]) };
        let transfer = source.fetch(&ranges, &gather)?;
        let data = gather.data.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { frames: frames.to_vec(), starts, data, transfer })
    }

    /// The bytes of the frame at place `number` in `frames`.
    pub(super) fn frame(&self, number: usize) -> &[u8] {
        &self.data[self.starts[number]..][..self.frames[number].payload.len() as usize]
    }
}

/// Takes frames of up to `most` bytes from the front of `frames`, but at least one.
pub(super) fn next_batch<'a>(frames: &mut &'a [Extent], most: u64) -> Option<&'a [Extent]> {
    let mut bytes = 0;
    let fit = frames.iter().take_while(|frame| {
        bytes += frame.payload.len();
        bytes <= most
    });
    let (batch, rest) = frames.split_at(fit.count().max(1).min(frames.len()));
    *frames = rest;
    (!batch.is_empty()).then_some(batch)
}

/// Where frames lie in the payload; what touches is one range.
pub(super) fn payload_ranges(frames: &[Extent]) -> Vec<ByteRange> {
    let mut ranges: Vec<ByteRange> = Vec::new();
    for frame in frames {
        match ranges.last_mut() {
            Some(last) if last.end == frame.payload.start => last.end = frame.payload.end,
            _ => ranges.push(frame.payload),
        }
    }
    ranges
}

/// The sink of one call.
struct Gather<'a> {
    frames: &'a [Extent],
    starts: &'a [usize],
    data: Mutex<Vec<u8>>,
}

impl Sink for Gather<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        let delivered = ByteRange::at(offset, data.len() as u64);
        let mut gathered = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.frames.partition_point(|frame| frame.payload.end <= delivered.start);
        for (frame, &start) in self.frames[first..].iter().zip(&self.starts[first..]) {
            let part = ByteRange {
                start: frame.payload.start.max(delivered.start),
                end: frame.payload.end.min(delivered.end),
            };
            if part.is_empty() {
                break;
            }
            let at = start + (part.start - frame.payload.start) as usize;
            gathered[at..][..part.len() as usize]
                .copy_from_slice(&data[(part.start - offset) as usize..(part.end - offset) as usize]);
        }
        Ok(())
    }
}
