//! A limit to how fast bytes come.

use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use gosync_chunks::{ByteRange, Cancelled, Limits, Sink, SinkError, Source, SourceError, Transfer};

use crate::pause::Pauses;

/// How fast a source may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bytes in a second, of all connections together.
    pub bytes_per_second: NonZeroU64,
    /// Bytes that may come at once after a time of silence.
    pub burst: u64,
}

impl Rate {
    /// So many bytes in a second, a tenth of which may come at once.
    pub fn new(bytes_per_second: NonZeroU64) -> Self {
        Self { bytes_per_second, burst: bytes_per_second.get() / 10 }
    }

    fn time_of(self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second.get() as f64)
    }
}

/// A source that delivers no faster than a rate, on average, whatever the number of
/// calls and threads. The sink is made to wait, and so is the other end: its
/// connections fill up.
#[derive(Debug)]
pub struct Throttled<S> {
    inner: S,
    bucket: Bucket,
}

/// A token bucket, kept as the moment at which it is full: what was taken out is
/// then filled up again.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    pauses: Pauses,
    full_at: Mutex<Duration>,
}

impl<S: Source> Throttled<S> {
    /// Slows `inner` down to `rate`.
    pub fn new(inner: S, rate: Rate, pauses: Pauses) -> Self {
        Self { inner, bucket: Bucket::new(rate, pauses) }
    }
}

impl<S: Source> Source for Throttled<S> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.inner.size()
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        self.inner.fetch(ranges, &Slow { sink, bucket: &self.bucket }).map_err(|error| match error {
            SourceError::Sink(reason) if reason.is::<Cancelled>() => Cancelled.into(),
            error => error,
        })
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

struct Slow<'a> {
    sink: &'a dyn Sink,
    bucket: &'a Bucket,
}

impl Sink for Slow<'_> {
    fn deliver(&self, mut offset: u64, data: &[u8]) -> Result<(), SinkError> {
        // Large pieces go on in parts, so that they do not come in jumps.
        let part = self.bucket.rate.burst.clamp(4 << 10, 1 << 20) as usize;
        for part in data.chunks(part) {
            self.bucket.take(part.len() as u64)?;
            self.sink.deliver(offset, part)?;
            offset += part.len() as u64;
        }
        Ok(())
    }
}

impl Bucket {
    pub(crate) fn new(rate: Rate, pauses: Pauses) -> Self {
        Self { rate, pauses, full_at: Mutex::default() }
    }

    /// Takes `bytes` out, and waits until they may be used. Who comes first is served
    /// first, and the bucket may be overdrawn by as much as one asks for.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), Cancelled> {
        let now = self.pauses.now();
        let wait = {
            let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
            *full_at = (*full_at).max(now) + self.rate.time_of(bytes);
            full_at.saturating_sub(now + self.rate.time_of(self.rate.burst))
        };
        self.pauses.wait(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemorySource;
    use crate::pause::Clock;
    use crate::pause::tests::FakeClock;
    use gosync_testkit::conformance::decorator_conformance;
    use gosync_testkit::corpus;
    use gosync_testkit::source::{FnSink, MemorySink, MemorySource as AwkwardSource};
    use std::sync::atomic::{AtomicU64, Ordering};

    fn rate(bytes_per_second: u64, burst: u64) -> Rate {
        Rate { burst, ..Rate::new(bytes_per_second.try_into().unwrap()) }
    }

    #[test]
    fn conforms() {
        decorator_conformance(|source| Box::new(Throttled::new(source, rate(1000, 77), FakeClock::default().pauses())));
    }

    #[test]
    fn takes_its_time() {
        for (bytes, burst, seconds) in [(100_000, 0, 100.0), (100_000, 20_000, 80.0), (500, 500, 0.0), (1500, 500, 1.0)]
        {
            let clock = FakeClock::default();
            let source = Throttled::new(MemorySource::new(vec![1; bytes]), rate(1000, burst), clock.pauses());
            let ranges = [ByteRange::at(0, bytes as u64)];
            source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap();
            assert!((clock.now().as_secs_f64() - seconds).abs() < 0.01, "{bytes}: {:?}", clock.now());
        }
    }

    #[test]
    fn silence_saves_up_no_more_than_a_burst() {
        let clock = FakeClock::default();
        let source = Throttled::new(MemorySource::new(vec![1; 10_000]), rate(1000, 500), clock.pauses());
        let ranges = [ByteRange::at(0, 2500)];
        for fetch in 0..3u64 {
            clock.sleep(Duration::from_secs(1000));
            source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap();
            let expected = Duration::from_secs(1002 * (fetch + 1));
            assert!(clock.now().abs_diff(expected) < Duration::from_millis(10), "{:?}", clock.now());
        }
    }

    #[test]
    fn all_threads_share_the_rate() {
        let clock = FakeClock::default();
        let data = corpus::random(1, 40_000);
        let source = Throttled::new(AwkwardSource::awkward(data, 2), rate(1000, 0), clock.pauses());
        let ranges = [ByteRange::at(0, 40_000)];
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap());
            }
        });
        // Each sleeper of six moves the one clock, so no more than the least can be told.
        assert!(clock.now() >= Duration::from_secs(119), "{:?}", clock.now());
    }

    #[test]
    fn can_be_stopped_while_it_waits() {
        let clock = FakeClock::default();
        let stopping = clock.clone();
        let pauses = Pauses::new(clock.clone(), move || stopping.now() > Duration::from_secs(3));
        let source = Throttled::new(MemorySource::new(vec![1; 1 << 20]), rate(1000, 0), pauses);
        let delivered = AtomicU64::new(0);
        let sink = FnSink(|_, data: &[u8]| {
            delivered.fetch_add(data.len() as u64, Ordering::Relaxed);
            Ok(())
        });
        let fetched = source.fetch(&[ByteRange::at(0, 1 << 20)], &sink);
        assert!(matches!(fetched, Err(SourceError::Cancelled(_))), "{fetched:?}");
        assert!(clock.now() < Duration::from_millis(3200), "{:?}", clock.now());
        assert!(delivered.into_inner() <= 3000);
    }
}
