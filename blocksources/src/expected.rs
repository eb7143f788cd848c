//! A source that has to be as long as its target.

use std::sync::OnceLock;
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, Sink, SinkError, Source, SourceError, Transfer};

/// A source whose first answer tells whether it is as long as the target, and that is refused where
/// it is not.
pub(crate) struct Expected<S> {
    inner: S,
    location: String,
    expected: u64,
}

impl<S: Source> Expected<S> {
    /// Refuses `inner`, which is at `location`, unless it has `expected` bytes.
    pub(crate) fn new(inner: S, location: String, expected: u64) -> Self {
        Self { inner, location, expected }
    }

    fn wrong(&self, actual: u64) -> SourceError {
        SourceError::Length { location: self.location.clone(), expected: self.expected, actual }
    }
}

impl<S: Source> Source for Expected<S> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        match self.inner.size()? {
            Some(actual) if actual != self.expected => Err(self.wrong(actual)),
            size => Ok(size),
        }
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let checked = Checked { source: &self.inner, expected: self.expected, sink, length: OnceLock::new() };
        let fetched = self.inner.fetch(ranges, &checked);
        match checked.length.into_inner().flatten() {
            Some(actual) if actual != self.expected => Err(self.wrong(actual)),
            _ => fetched.map_err(|error| match error {
                // It only knows how far it was asked to go.
                SourceError::Length { actual, .. } if actual != self.expected => self.wrong(actual),
                error => error,
            }),
        }
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

/// Looks at the length once something has come: it is known by then.
struct Checked<'a> {
    source: &'a dyn Source,
    expected: u64,
    sink: &'a dyn Sink,
    length: OnceLock<Option<u64>>,
}

impl Sink for Checked<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        match self.length.get_or_init(|| self.source.size().ok().flatten()) {
            Some(actual) if *actual != self.expected => Err("it has another length than the target".into()),
            _ => self.sink.deliver(offset, data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::conformance::source_conformance;
    use gosync_testkit::corpus;
    use gosync_testkit::source::{MemorySink, MemorySource};

    #[test]
    fn conforms() {
        source_conformance(|data| {
            let expected = data.len() as u64;
            Box::new(Expected::new(MemorySource::new(data), "there".into(), expected))
        });
    }

    #[test]
    fn another_length_is_refused_before_anything_is_delivered() {
        let ranges = [ByteRange::at(0, 10), ByteRange::at(20, 10)];
        let beyond = [ByteRange::at(90, 20)];
        let source = Expected::new(MemorySource::new(corpus::random(1, 100)), "there".into(), 1000);
        let error = source.fetch(&beyond, &MemorySink::new(&beyond)).unwrap_err();
        assert!(matches!(error, SourceError::Length { expected: 1000, actual: 100, .. }), "{error:?}");
        for (actual, expected) in [(100, 99), (100, 101), (100, 0)] {
            let source = Expected::new(MemorySource::new(corpus::random(1, actual)), "there".into(), expected);
            let sink = MemorySink::new(&ranges);
            for error in [source.fetch(&ranges, &sink).unwrap_err(), source.size().unwrap_err()] {
                let text = format!("there has 100 bytes, but the index was made for {expected}");
                assert_eq!(error.to_string(), text);
            }
            assert_eq!(sink.missing(), 20);
        }
        let source = Expected::new(MemorySource::awkward(corpus::random(1, 100), 1), "there".into(), 5);
        source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap();
    }
}
