//! A witness of what a source is asked and what it does.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, Sink, SinkError, Source, SourceError, Transfer};

/// Something that happened between a source and its user.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// These ranges are asked for in one call.
    Asked(&'a [ByteRange]),
    /// These bytes were delivered, and taken.
    Delivered(ByteRange),
    /// A call has come to its end; one for the size only where it failed.
    Done(&'a Result<Transfer, SourceError>),
    /// What was delivered of these ranges was wrong, and whether there is another place
    /// to have them from.
    Rejected(&'a [ByteRange], bool),
}

/// How much of everything there was so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of [`Source::fetch`], and those that failed.
    pub fetches: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Ranges asked for, again and again if need be.
    pub ranges: u64,
    /// Bytes in them.
    pub asked: u64,
    /// Bytes delivered and taken.
    pub delivered: u64,
    /// Bytes that were wrong.
    pub rejected: u64,
}

/// A source that tells what it is asked and what it does, and counts it.
pub struct Recorded<S> {
    inner: S,
    counts: Mutex<Counts>,
    tell: Box<dyn Fn(&Event<'_>) + Send + Sync>,
}

impl<S: Source> Recorded<S> {
    /// Counts what `inner` does.
    pub fn new(inner: S) -> Self {
        Self { inner, counts: Mutex::default(), tell: Box::new(|_| {}) }
    }

    /// Calls `tell` for everything that happens, from any thread.
    pub fn told_to(self, tell: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self { tell: Box::new(tell), ..self }
    }

    /// What there was so far.
    pub fn counts(&self) -> Counts {
        *self.lock()
    }

    /// The source that is watched.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Source> Source for Recorded<S> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.inner.size().or_else(|error| {
            let failed = Err(error);
            (self.tell)(&Event::Done(&failed));
            failed.map(|_| None)
        })
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        {
            let mut counts = self.lock();
            counts.fetches += 1;
            counts.ranges += ranges.len() as u64;
            counts.asked += bytes(ranges);
        }
        (self.tell)(&Event::Asked(ranges));
        let result = self.inner.fetch(ranges, &Witness { source: self, sink });
        self.lock().failures += u64::from(result.is_err());
        (self.tell)(&Event::Done(&result));
        result
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        let has_another = self.inner.reject(ranges);
        self.lock().rejected += bytes(ranges);
        (self.tell)(&Event::Rejected(ranges, has_another));
        has_another
    }

    fn reads_rebuilt(&self) -> bool {
        self.inner.reads_rebuilt()
    }

    fn modified(&self) -> Option<SystemTime> {
        self.inner.modified()
    }
}

impl<S: fmt::Debug> fmt::Debug for Recorded<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Recorded")
            .field("inner", &self.inner)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

struct Witness<'a, S> {
    source: &'a Recorded<S>,
    sink: &'a dyn Sink,
}

impl<S: Source> Sink for Witness<'_, S> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        self.sink.deliver(offset, data)?;
        self.source.lock().delivered += data.len() as u64;
        (self.source.tell)(&Event::Delivered(ByteRange::at(offset, data.len() as u64)));
        Ok(())
    }
}

fn bytes(ranges: &[ByteRange]) -> u64 {
    ranges.iter().map(|range| range.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::conformance::decorator_conformance;
    use gosync_testkit::corpus;
    use gosync_testkit::source::{Fault, FaultySource, MemorySink, MemorySource};
    use std::sync::Arc;

    #[test]
    fn conforms() {
        decorator_conformance(|source| Box::new(Recorded::new(source)));
    }

    #[test]
    fn counts_and_tells() {
        let faulty = FaultySource::new(MemorySource::new(corpus::random(1, 300)), [Fault::BreakOnce(15)]);
        let told = Arc::new(Mutex::new(Vec::new()));
        let source = Recorded::new(faulty).told_to({
            let told = Arc::clone(&told);
            move |event| told.lock().unwrap().push(format!("{event:?}").split_once('(').unwrap().0.to_owned())
        });
        let ranges = [ByteRange::at(0, 10), ByteRange::at(20, 10)];
        source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap_err();
        source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap();
        assert!(!source.reject(&ranges[..1]));
        let expected = Counts { fetches: 2, failures: 1, ranges: 4, asked: 40, delivered: 35, rejected: 10 };
        assert_eq!(source.counts(), expected);
        let expected =
            ["Asked", "Delivered", "Delivered", "Done", "Asked", "Delivered", "Delivered", "Done", "Rejected"];
        assert_eq!(*told.lock().unwrap(), expected);
    }
}
