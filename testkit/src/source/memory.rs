//! A target in memory.

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use crate::random::Random;

/// A target in memory, delivered as plainly or as awkwardly as the seam allows.
#[derive(Clone, Debug)]
pub struct MemorySource {
    data: Vec<u8>,
    shuffle: Option<u64>,
}

impl MemorySource {
    /// Delivers every range in one piece, in order.
    pub fn new(data: Vec<u8>) -> Self {
        Self { data, shuffle: None }
    }

    /// Delivers pieces of any size in any order (`seed` decides) from two threads, and
    /// does not tell its length: everything a sink has to put up with.
    pub fn awkward(data: Vec<u8>, seed: u64) -> Self {
        Self { data, shuffle: Some(seed) }
    }

    fn pieces(&self, ranges: &[ByteRange]) -> Vec<ByteRange> {
        let Some(seed) = self.shuffle else { return ranges.to_vec() };
        let mut random = Random::new(seed);
        let mut pieces = Vec::new();
        for &(mut range) in ranges {
            while !range.is_empty() {
                let most = range.len().min(10_000) as usize;
                let piece = ByteRange::at(range.start, random.range(1..most + 1) as u64);
                range.start = piece.end;
                pieces.push(piece);
            }
        }
        random.shuffle(&mut pieces);
        pieces
    }

    fn deliver(&self, pieces: &[ByteRange], sink: &dyn Sink) -> Result<(), SourceError> {
        for piece in pieces {
            let data = self.data.get(piece.start as usize..piece.end as usize).ok_or_else(|| SourceError::Length {
                location: "memory".into(),
                expected: piece.end,
                actual: self.data.len() as u64,
            })?;
            sink.deliver(piece.start, data).map_err(SourceError::Sink)?;
        }
        Ok(())
    }
}

impl Source for MemorySource {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(self.shuffle.is_none().then_some(self.data.len() as u64))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let pieces = self.pieces(ranges);
        if self.shuffle.is_some() {
            let (one, other) = pieces.split_at(pieces.len() / 2);
            std::thread::scope(|scope| {
                let one = scope.spawn(|| self.deliver(one, sink));
                let other = self.deliver(other, sink);
                one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(other)
            })?;
        } else {
            self.deliver(&pieces, sink)?;
        }
        Ok(Transfer { bytes: ranges.iter().map(|range| range.len()).sum(), requests: ranges.len() as u64 })
    }

    fn limits(&self) -> Limits {
        Limits { request_size: 1 << 20, bridged_gap: 0, parallelism: 2 }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::source_conformance;
    use crate::corpus;
    use crate::lock::lock;
    use crate::source::sink::FnSink;
    use std::sync::Mutex;

    #[test]
    fn conform() {
        source_conformance(|data| Box::new(MemorySource::new(data)));
        source_conformance(|data| Box::new(MemorySource::awkward(data, 1)));
    }

    #[test]
    fn awkward_sources_are_awkward() {
        let offsets = Mutex::new(Vec::new());
        let sink = FnSink(|offset, _: &[u8]| {
            lock(&offsets).push(offset);
            Ok(())
        });
        let source = MemorySource::awkward(corpus::random(1, 200_000), 5);
        source.fetch(&[ByteRange::at(0, 200_000)], &sink).unwrap();
        let offsets = offsets.into_inner().unwrap();
        assert!(offsets.len() > 20 && !offsets.is_sorted());
        assert_eq!(source.size().unwrap(), None);
    }
}
