//! A source that writes down what it is asked.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use super::sink::FnSink;
use crate::lock::lock;

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

    fn modified(&self) -> Option<SystemTime> {
        self.inner.modified()
    }
}

impl<S: fmt::Debug> fmt::Debug for RecordingSource<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RecordingSource").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;
    use crate::source::memory::MemorySource;
    use crate::source::sink::MemorySink;

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
}
