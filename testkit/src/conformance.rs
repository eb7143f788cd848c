//! What every implementation of a seam has to pass.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use crate::corpus;
use crate::lock::lock;
use crate::random::Random;
use crate::source::{FailingSource, FnSink, MemorySink, MemorySource};

/// Checks that the sources that `make` makes of some bytes keep the promises of
/// [`Source`]. `make` is called a handful of times.
///
/// # Panics
///
/// When a promise is broken.
pub fn source_conformance(make: impl Fn(Vec<u8>) -> Box<dyn Source>) {
    for length in [0, 1, 300_001] {
        let data = corpus::random(length as u64, length);
        let source = make(data.clone());
        tells_its_length(&*source, &data);
        delivers_what_is_asked_for(&*source, &data);
        fails_past_the_end(&*source, &data);
        reports_a_sink_that_refuses(&*source, &data);
        serves_several_threads(&*source, &data);
    }
}

fn tells_its_length(source: &dyn Source, data: &[u8]) {
    if let Some(size) = source.size().expect("a source in order can be asked for its size") {
        assert_eq!(size, data.len() as u64, "the size told");
    }
    let limits = source.limits();
    assert!(limits.request_size > 0 && limits.parallelism > 0, "{limits:?} let nothing through");
}

fn delivers_what_is_asked_for(source: &dyn Source, data: &[u8]) {
    let length = data.len() as u64;
    let mut random = Random::new(length);
    let mut sets = vec![
        vec![ByteRange::at(0, length)],
        vec![ByteRange::at(0, length.min(1))],
        vec![ByteRange::at(length.saturating_sub(1), length.min(1))],
        vec![ByteRange::at(length / 2, length - length / 2)],
        // Ranges that touch.
        vec![ByteRange::at(0, length / 3), ByteRange { start: length / 3, end: length }],
        // More than servers take in one request, each of one byte.
        (0..length.min(1500)).map(|range| ByteRange::at(range * (length / 1500).max(1), 1)).collect(),
    ];
    // Of all sizes, with gaps that are worth bridging and gaps that are not.
    sets.extend([10, 1000, 50_000].map(|most| random_ranges(&mut random, length, most)));

    assert_fetches(source, data, &[]);
    for mut ranges in sets {
        ranges.retain(|range| !range.is_empty());
        assert_fetches(source, data, &ranges);
    }
}

fn random_ranges(random: &mut Random, length: u64, most: usize) -> Vec<ByteRange> {
    let mut ranges = Vec::new();
    let mut offset = random.below(most) as u64;
    while offset < length {
        let range = ByteRange::at(offset, (random.below(most) as u64 + 1).min(length - offset));
        ranges.push(range);
        offset = range.end + random.below(2 * most) as u64;
    }
    ranges
}

fn assert_fetches(source: &dyn Source, data: &[u8], ranges: &[ByteRange]) {
    let asked: u64 = ranges.iter().map(|range| range.len()).sum();
    let what = format!("{} ranges of {asked} bytes, the first {:?}", ranges.len(), ranges.first());
    let sink = MemorySink::new(ranges);
    let transfer = source.fetch(ranges, &sink).unwrap_or_else(|error| panic!("fetching {what}: {error:?}"));
    assert!(transfer.bytes >= asked, "{transfer:?} is less than {what}");
    for (range, fetched) in ranges.iter().zip(sink.finish()) {
        assert!(fetched == data[range.start as usize..range.end as usize], "other bytes in {range} of {what}");
    }
}

fn fails_past_the_end(source: &dyn Source, data: &[u8]) {
    let length = data.len() as u64;
    let past = [
        ByteRange::at(length, 1),
        ByteRange { start: length.saturating_sub(1), end: length + 1 },
        ByteRange::at(length + 1000, 1000),
    ];
    for range in past {
        let sink = FnSink(|offset: u64, delivered: &[u8]| {
            let delivered = ByteRange::at(offset, delivered.len() as u64);
            assert!(delivered.is_empty() || delivered.end <= length, "{delivered} of {length} bytes delivered");
            Ok(())
        });
        let result = source.fetch(&[range], &sink);
        assert!(result.is_err(), "{range} of {length} bytes: {result:?}");
    }
}

fn reports_a_sink_that_refuses(source: &dyn Source, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let refusing = FnSink(|_, _: &[u8]| Err("the sink is full".into()));
    match source.fetch(&[ByteRange::at(0, data.len() as u64)], &refusing) {
        Err(SourceError::Sink(reason)) => assert_eq!(reason.to_string(), "the sink is full"),
        other => panic!("a sink that refuses became {other:?}"),
    }
    assert_fetches(source, data, &[ByteRange::at(0, data.len() as u64)]);
}

fn serves_several_threads(source: &dyn Source, data: &[u8]) {
    let failures = Mutex::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let failures = &failures;
            scope.spawn(move || {
                let mut random = Random::new(thread);
                let ranges = random_ranges(&mut random, data.len() as u64, 20_000);
                let fetched = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    assert_fetches(source, data, &ranges);
                }));
                if fetched.is_err() {
                    *failures.lock().expect("nothing panics while holding it") += 1;
                }
            });
        }
    });
    assert_eq!(failures.into_inner().expect("nothing panics while holding it"), 0, "of 4 threads failed");
}

/// Checks that the sources that `decorate` makes around others keep the promises of
/// [`Source`] and pass on what concerns the source within: its size and what it likes,
/// whether it reads what is rebuilt, when it was changed, what it had wrong, and why it fails for good.
///
/// # Panics
///
/// When a promise is broken.
pub fn decorator_conformance(decorate: impl Fn(Box<dyn Source>) -> Box<dyn Source>) {
    for answer in [false, true] {
        let inner = Arc::new(Inner { answer, rejected: Mutex::default() });
        let outer = decorate(Box::new(Arc::clone(&inner)));
        assert_eq!(outer.size().expect("the size is known"), Some(Inner::SIZE));
        assert_eq!(outer.limits(), Inner::LIMITS);
        assert_eq!(outer.reads_rebuilt(), answer, "whether it reads what is rebuilt");
        assert_eq!(outer.modified(), Inner::MODIFIED, "when it was changed");
        let ranges = [ByteRange::at(3, 4), ByteRange::at(10, 1)];
        assert_eq!(outer.reject(&ranges), answer, "whether there is another place");
        assert_eq!(*lock(&inner.rejected), [ranges.to_vec()], "what it had wrong");
    }
    let missing = || SourceError::NotFound { location: "nowhere".into(), reason: "moved".into() };
    let failing = Arc::new(FailingSource::new(missing));
    let outer = decorate(Box::new(Arc::clone(&failing)));
    let sink = FnSink(|_, _: &[u8]| Ok(()));
    for failed in [outer.size().map(drop), outer.fetch(&[ByteRange::at(0, 1)], &sink).map(drop)] {
        match failed {
            Err(SourceError::NotFound { location, reason }) if location == "nowhere" && reason == "moved" => {}
            other => panic!("what is not found became {other:?}"),
        }
    }
    assert_eq!(failing.calls(), 2, "what is final is final");
    source_conformance(|data| decorate(Box::new(MemorySource::awkward(data, 1))));
}

/// What is within a decorator.
struct Inner {
    /// To every question of yes or no.
    answer: bool,
    rejected: Mutex<Vec<Vec<ByteRange>>>,
}

impl Inner {
    const SIZE: u64 = 100;
    const LIMITS: Limits = Limits { request_size: 123, bridged_gap: 45, parallelism: 6 };
    const MODIFIED: Option<SystemTime> = Some(SystemTime::UNIX_EPOCH);
}

impl Source for Inner {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(Self::SIZE))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        MemorySource::new(vec![0; Self::SIZE as usize]).fetch(ranges, sink)
    }

    fn limits(&self) -> Limits {
        Self::LIMITS
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        lock(&self.rejected).push(ranges.to_vec());
        self.answer
    }

    fn reads_rebuilt(&self) -> bool {
        self.answer
    }

    fn modified(&self) -> Option<SystemTime> {
        Self::MODIFIED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Fault, FaultySource, RecordingSource};

    /// Breaks one promise of a good source.
    struct Broken(MemorySource, Promise);

    #[derive(Clone, Copy, Debug)]
    enum Promise {
        Size,
        EveryByte,
        Once,
        NothingElse,
        ErrorPastTheEnd,
        SinkError,
        TransferredBytes,
    }

    impl Source for Broken {
        fn size(&self) -> Result<Option<u64>, SourceError> {
            let size = self.0.size()?;
            Ok(if let Promise::Size = self.1 { size.map(|size| size + 1) } else { size })
        }

        fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
            let length = self.0.size()?.unwrap_or(0);
            let mut ranges = ranges.to_vec();
            match (self.1, ranges.last_mut()) {
                (Promise::EveryByte, Some(last)) if last.len() > 1 => last.end -= 1,
                (Promise::NothingElse, Some(last)) if last.end < length => last.end += 1,
                (Promise::Once, Some(&mut last)) if last.end <= length => ranges.push(last),
                (Promise::ErrorPastTheEnd, _) => ranges.retain(|range| range.end <= length),
                _ => {}
            }
            let result = self.0.fetch(&ranges, sink);
            match (self.1, result) {
                (Promise::SinkError, Err(SourceError::Sink(_))) => Ok(Transfer::default()),
                (Promise::TransferredBytes, Ok(_)) => Ok(Transfer::default()),
                (_, result) => result,
            }
        }

        fn limits(&self) -> Limits {
            self.0.limits()
        }

        fn reject(&self, ranges: &[ByteRange]) -> bool {
            self.0.reject(ranges)
        }

        fn reads_rebuilt(&self) -> bool {
            self.0.reads_rebuilt()
        }
    }

    /// A decorator that forgets to pass one thing on.
    struct Forgetful(Box<dyn Source>, Forgotten);

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Forgotten {
        Nothing,
        Size,
        Limits,
        ReadsRebuilt,
        Modified,
        Reject,
        WhatIsRejected,
        AnotherPlace,
        WhyItFails,
        WhatIsFinal,
    }

    impl Source for Forgetful {
        fn size(&self) -> Result<Option<u64>, SourceError> {
            let size = self.0.size()?;
            Ok(size.filter(|_| self.1 != Forgotten::Size))
        }

        fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
            match (self.1, self.0.fetch(ranges, sink)) {
                (Forgotten::WhyItFails, Err(SourceError::NotFound { location, reason })) => {
                    Err(SourceError::Refused { location, reason })
                }
                (Forgotten::WhatIsFinal, Err(SourceError::NotFound { .. })) => self.0.fetch(ranges, sink),
                (_, result) => result,
            }
        }

        fn limits(&self) -> Limits {
            let limits = self.0.limits();
            if self.1 == Forgotten::Limits { Limits { parallelism: 1, ..limits } } else { limits }
        }

        fn reject(&self, ranges: &[ByteRange]) -> bool {
            match self.1 {
                Forgotten::Reject => false,
                Forgotten::WhatIsRejected => self.0.reject(&ranges[..1]),
                Forgotten::AnotherPlace => {
                    self.0.reject(ranges);
                    false
                }
                _ => self.0.reject(ranges),
            }
        }

        fn reads_rebuilt(&self) -> bool {
            self.1 != Forgotten::ReadsRebuilt && self.0.reads_rebuilt()
        }

        fn modified(&self) -> Option<SystemTime> {
            self.0.modified().filter(|_| self.1 != Forgotten::Modified)
        }
    }

    #[test]
    fn everything_forgotten_is_noticed() {
        decorator_conformance(|source| Box::new(Forgetful(source, Forgotten::Nothing)));
        for forgotten in [
            Forgotten::Size,
            Forgotten::Limits,
            Forgotten::ReadsRebuilt,
            Forgotten::Modified,
            Forgotten::Reject,
            Forgotten::WhatIsRejected,
            Forgotten::AnotherPlace,
            Forgotten::WhyItFails,
            Forgotten::WhatIsFinal,
        ] {
            let checked = std::panic::catch_unwind(|| {
                decorator_conformance(move |source| Box::new(Forgetful(source, forgotten)));
            });
            assert!(checked.is_err(), "{forgotten:?}");
        }
    }

    #[test]
    fn pointers_and_our_own_decorators_forget_nothing() {
        decorator_conformance(|source| Box::new(source));
        decorator_conformance(|source| Box::new(Arc::new(source)));
        decorator_conformance(|source| Box::new(&*Box::leak(source)));
        decorator_conformance(|source| Box::new(RecordingSource::new(source)));
        decorator_conformance(|source| Box::new(FaultySource::new(source, [])));
    }

    #[test]
    fn every_broken_promise_is_noticed() {
        for promise in [
            Promise::Size,
            Promise::EveryByte,
            Promise::Once,
            Promise::NothingElse,
            Promise::ErrorPastTheEnd,
            Promise::SinkError,
            Promise::TransferredBytes,
        ] {
            let checked = std::panic::catch_unwind(|| {
                source_conformance(move |data| Box::new(Broken(MemorySource::new(data), promise)));
            });
            assert!(checked.is_err(), "{promise:?}");
        }
    }

    #[test]
    fn corrupt_bytes_are_noticed() {
        let fault = Fault::CorruptAlways(ByteRange::at(250_000, 1));
        let checked = std::panic::catch_unwind(|| {
            source_conformance(|data| Box::new(FaultySource::new(MemorySource::new(data), [fault])));
        });
        assert!(checked.is_err());
    }
}
