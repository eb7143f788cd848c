//! Frames on their way from the source to the decoder.

use gosync_blocksources::read_ranges;
use gosync_chunks::frames::Extent;
use gosync_chunks::{ByteRange, Source, SourceError, Transfer};

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
        let (data, transfer) = read_ranges(source, "the compressed payload", &payload_ranges(frames))?;
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
