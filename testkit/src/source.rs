//! Sources and sinks that record, misbehave and check.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use gosync_chunks::{ByteRange, Limits, Sink, SinkError, Source, SourceError, Transfer};

use crate::Random;

mod failing;
mod faulty;
mod sink;

pub use failing::FailingSource;
pub use faulty::{Fault, FaultySource};
pub use sink::MemorySink;

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

/// Writes down what a source is asked for.
pub struct RecordingSource<S> {
    inner: S,
    fetches: Mutex<Vec<Vec<ByteRange>>>,
    delivered: AtomicU64,
}

impl<S: Source> RecordingSource<S> {
    /// Records what `inner` is asked for.
    pub fn new(inner: S) -> Self {
        Self { inner, fetches: Mutex::default(), delivered: AtomicU64::new(0) }
    }

    /// The ranges of every fetch so far, failed ones included.
    pub fn fetches(&self) -> Vec<Vec<ByteRange>> {
        lock(&self.fetches).clone()
    }

    /// All ranges asked for so far, in the order of asking.
    pub fn ranges(&self) -> Vec<ByteRange> {
        self.fetches().concat()
    }

    /// Bytes asked for so far; asked for twice, they count twice.
    pub fn requested_bytes(&self) -> u64 {
        self.ranges().iter().map(|range| range.len()).sum()
    }

    /// Bytes that sinks took so far.
    pub fn delivered_bytes(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }
}

impl<S: Source> Source for RecordingSource<S> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.inner.size()
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        lock(&self.fetches).push(ranges.to_vec());
        let counting = |offset, data: &[u8]| {
            sink.deliver(offset, data)?;
            self.delivered.fetch_add(data.len() as u64, Ordering::Relaxed);
            Ok(())
        };
        self.inner.fetch(ranges, &FnSink(counting))
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        self.inner.reject(ranges)
    }

    fn reads_rebuilt(&self) -> bool {
        self.inner.reads_rebuilt()
    }
}

impl<S: fmt::Debug> fmt::Debug for RecordingSource<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RecordingSource").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// A sink that calls a function.
pub struct FnSink<F>(pub F);

impl<F: Fn(u64, &[u8]) -> Result<(), SinkError> + Sync> Sink for FnSink<F> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        (self.0)(offset, data)
    }
}

/// Locks, also after a panic: a failed assertion elsewhere must not hide behind poison.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{conformance::source_conformance, corpus};

    #[test]
    fn conform() {
        source_conformance(|data| Box::new(MemorySource::new(data)));
        source_conformance(|data| Box::new(MemorySource::awkward(data, 1)));
        source_conformance(|data| Box::new(RecordingSource::new(MemorySource::new(data))));
    }

    #[test]
    fn recording_keeps_every_fetch() {
        let source = RecordingSource::new(MemorySource::new(corpus::random(1, 1000)));
        let (one, other) = ([ByteRange::at(0, 10), ByteRange::at(20, 5)], [ByteRange::at(990, 20)]);
        source.fetch(&one, &MemorySink::new(&one)).unwrap();
        source.fetch(&other, &MemorySink::new(&other)).unwrap_err();
        assert_eq!(source.fetches(), [one.to_vec(), other.to_vec()]);
        assert_eq!(source.ranges(), [one[0], one[1], other[0]]);
        assert_eq!((source.requested_bytes(), source.delivered_bytes()), (35, 15));
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
