//! What every implementation of a seam has to pass.

use std::sync::Mutex;

use gosync_chunks::{ByteRange, Source, SourceError};

use crate::source::{FnSink, MemorySink};
use crate::{Random, corpus};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Fault, FaultySource, MemorySource};
    use gosync_chunks::{Limits, Sink, Transfer};

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
