//! A policy for sources that fail for a while.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use crate::pause::Pauses;
use crate::remaining::Remaining;

/// When to try again, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// How often to try again without a byte of progress in between.
    pub retries: u32,
    /// How often to try again in one call, with progress or without.
    pub total_retries: u32,
    /// The longest that the first pause may be. Each one after it may be twice as long,
    /// until there is progress; how long they are is left to chance (full jitter, after
    /// Marc Brooker, "Exponential Backoff And Jitter", 2015), so that clients that failed
    /// together do not come back together.
    pub first_pause: Duration,
    /// The longest that any pause may be.
    pub longest_pause: Duration,
    /// The longest to heed a server that says when to come back.
    pub longest_retry_after: Duration,
    /// What chance begins with; each source has its own when there is none.
    pub seed: Option<u64>,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            retries: 5,
            total_retries: 100,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            longest_retry_after: Duration::from_secs(120),
            seed: None,
        }
    }
}

/// A source that is asked again when it fails in a way that may pass, for the bytes
/// that have not come yet.
#[derive(Debug)]
pub struct Retrying<S> {
    inner: S,
    retry: Retry,
    /// Where there are other places: whether this is the last of them.
    is_last: Option<Arc<AtomicBool>>,
    has_answered: AtomicBool,
}

/// The policy alone, for calls that are no [`Source`]'s.
#[derive(Debug)]
pub struct Retry {
    options: RetryOptions,
    pauses: Pauses,
    chance: Mutex<u64>,
}

/// What one call has been through.
struct Patience<'a> {
    retry: &'a Retry,
    /// Retries in all, and since there was progress.
    total: u32,
    fruitless: u32,
}

impl<S: Source> Retrying<S> {
    /// Asks `inner` as often as `options` allow.
    pub fn new(inner: S, options: RetryOptions, pauses: Pauses) -> Self {
        Self { inner, retry: Retry::new(options, pauses), is_last: None, has_answered: AtomicBool::new(false) }
    }

    /// The same where there are other places, until `is_last` is set: one that has never answered
    /// is not asked again, and one that has only once.
    pub(crate) fn among_others(self, is_last: Arc<AtomicBool>) -> Self {
        Self { is_last: Some(is_last), ..self }
    }

    /// How often to try again without progress.
    fn retries(&self) -> u32 {
        let retries = self.retry.options.retries;
        match &self.is_last {
            Some(is_last) if !is_last.load(Ordering::Relaxed) => {
                retries.min(self.has_answered.load(Ordering::Relaxed).into())
            }
            _ => retries,
        }
    }

    /// The source that is asked.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: Source> Source for Retrying<S> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        let mut patience = self.retry.patience();
        loop {
            match self.inner.size() {
                Err(error) if error.is_transient() => patience.endure(error, false, self.retries())?,
                size => {
                    self.has_answered.fetch_or(size.is_ok(), Ordering::Relaxed);
                    return size;
                }
            }
        }
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let remaining = Remaining::new(ranges, sink);
        let mut patience = self.retry.patience();
        let mut transfer = Transfer::default();
        let mut left = ranges.to_vec();
        loop {
            let before = remaining.taken();
            match self.inner.fetch(&left, &remaining) {
                Ok(last) => {
                    self.has_answered.store(true, Ordering::Relaxed);
                    transfer += last;
                    return Ok(transfer);
                }
                Err(error) if error.is_transient() => {
                    // What a failed attempt cost beyond what it delivered, nobody tells.
                    let gained = remaining.taken() - before;
                    transfer += Transfer { bytes: gained, requests: 1 };
                    if !left.is_empty() && remaining.is_empty() {
                        return Ok(transfer);
                    }
                    self.has_answered.fetch_or(gained > 0, Ordering::Relaxed);
                    patience.endure(error, gained > 0, self.retries())?;
                    left = remaining.ranges();
                }
                Err(error) => return Err(error),
            }
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

impl Retry {
    /// Tries as often as `options` allow.
    pub fn new(options: RetryOptions, pauses: Pauses) -> Self {
        let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(0));
        Self { options, pauses, chance: Mutex::new(seed) }
    }

    /// Calls `attempt` until it succeeds, fails for good, or has failed too often.
    ///
    /// # Errors
    ///
    /// The last error of `attempt`, or [`SourceError::Cancelled`].
    pub fn run<T>(&self, mut attempt: impl FnMut() -> Result<T, SourceError>) -> Result<T, SourceError> {
        let mut patience = self.patience();
        loop {
            match attempt() {
                Err(error) if error.is_transient() => patience.endure(error, false, self.options.retries)?,
                result => return result,
            }
        }
    }

    fn patience(&self) -> Patience<'_> {
        Patience { retry: self, total: 0, fruitless: 0 }
    }

    /// Evenly spread between nothing and `most`.
    fn jitter(&self, most: Duration) -> Duration {
        let mut state = self.chance.lock().expect("no panic while held");
        // SplitMix64 (Steele, Lea and Flood, 2014).
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let fraction = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        most.mul_f64(fraction)
    }
}

impl Patience<'_> {
    /// Pauses after `error`, or returns it when it is one too many.
    fn endure(&mut self, error: SourceError, has_progress: bool, retries: u32) -> Result<(), SourceError> {
        let options = &self.retry.options;
        if has_progress {
            self.fruitless = 0;
        }
        if self.fruitless >= retries || self.total >= options.total_retries {
            return Err(error);
        }
        let doubled = options.first_pause.saturating_mul(1 << self.fruitless.min(20));
        let pause = match &error {
            SourceError::Busy { retry_after: Some(wish), .. } => {
                (*wish).min(options.longest_retry_after) + self.retry.jitter(options.first_pause)
            }
            _ => self.retry.jitter(doubled.min(options.longest_pause)),
        };
        if self.retry.pauses.is_too_long(pause) {
            return Err(error);
        }
        self.fruitless += 1;
        self.total += 1;
        Ok(self.retry.pauses.wait(pause)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pause::tests::FakeClock;
    use crate::pause::{Clock, SystemClock};
    use crate::remaining::tests::LateFailure;
    use gosync_testkit::conformance::{decorator_conformance, source_conformance};
    use gosync_testkit::corpus;
    use gosync_testkit::source::{
        FailingSource, Fault, FaultySource, FnSink, MemorySink, MemorySource, RecordingSource,
    };
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Instant;

    const RANGES: [ByteRange; 3] =
        [ByteRange { start: 5, end: 100 }, ByteRange { start: 100, end: 101 }, ByteRange { start: 200, end: 300 }];
    const OPTIONS: RetryOptions = RetryOptions {
        retries: 3,
        total_retries: 30,
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(3),
        longest_retry_after: Duration::from_secs(60),
        seed: Some(7),
    };

    type Faulty = RecordingSource<FaultySource<MemorySource>>;

    fn retrying(faults: &[Fault], clock: &FakeClock) -> (Vec<u8>, Retrying<Faulty>) {
        let data = corpus::random(1, 300);
        let faulty = FaultySource::new(MemorySource::awkward(data.clone(), 3), faults.iter().copied());
        (data, Retrying::new(RecordingSource::new(faulty), OPTIONS, clock.pauses()))
    }

    fn busy(retry_after: Option<u64>) -> SourceError {
        let retry_after = retry_after.map(Duration::from_secs);
        SourceError::Busy { location: "there".into(), reason: "503".into(), retry_after }
    }

    fn failing(
        error: impl Fn() -> SourceError + Send + Sync,
        clock: &FakeClock,
    ) -> Retrying<FailingSource<impl Fn() -> SourceError + Send + Sync>> {
        Retrying::new(FailingSource::new(error), OPTIONS, clock.pauses())
    }

    #[test]
    fn conforms() {
        decorator_conformance(|source| Box::new(Retrying::new(source, OPTIONS, FakeClock::default().pauses())));
        for faults in [&[][..], &[Fault::BreakOnce(0), Fault::BreakOnce(77_777)], &[Fault::BreakAlways(50_000)]] {
            source_conformance(|data| {
                let faulty = FaultySource::new(MemorySource::new(data), faults.iter().copied());
                Box::new(Retrying::new(faulty, OPTIONS, FakeClock::default().pauses()))
            });
        }
    }

    #[test]
    fn asks_for_what_is_missing_only() {
        let (data, source) = retrying(&[Fault::BreakAlways(60)], &FakeClock::default());
        let sink = MemorySink::new(&RANGES);
        let transfer = source.fetch(&RANGES, &sink).unwrap();
        assert!(sink.finish().concat() == [&data[5..101], &data[200..300]].concat());
        let recorded = source.inner();
        assert_eq!((recorded.delivered_bytes(), transfer.bytes), (196, 196));
        let fetches = recorded.fetches();
        let asked = fetches.iter().map(|ranges| ranges.iter().map(|range| range.len()).sum::<u64>());
        assert_eq!(asked.collect::<Vec<_>>(), [196, 136, 76, 16]);
        assert_eq!(fetches[0], RANGES);
        assert!(fetches[1..].iter().all(|ranges| ranges.is_sorted_by(|a, b| a.end < b.start)), "{fetches:?}");
        assert!(transfer.requests > 3, "{transfer:?}");
    }

    #[test]
    fn progress_earns_new_attempts_up_to_a_limit() {
        let clock = FakeClock::default();
        // 196 bytes, 7 at a time, take 27 retries.
        let (_, source) = retrying(&[Fault::BreakAlways(7)], &clock);
        let sink = MemorySink::new(&RANGES);
        source.fetch(&RANGES, &sink).unwrap();
        assert_eq!((sink.missing(), source.inner().fetches().len()), (0, 28));
        // No pause grew beyond the first.
        assert!(clock.now() < 27 * OPTIONS.first_pause, "{:?}", clock.now());

        // And 5 at a time, more than are allowed.
        let (_, source) = retrying(&[Fault::BreakAlways(5)], &clock);
        let sink = MemorySink::new(&RANGES);
        assert!(source.fetch(&RANGES, &sink).unwrap_err().is_transient());
        assert_eq!((sink.missing(), source.inner().fetches().len()), (196 - 31 * 5, 31));
    }

    #[test]
    fn gives_up_without_progress() {
        let clock = FakeClock::default();
        let source = failing(|| busy(None), &clock);
        assert!(matches!(source.fetch(&RANGES, &MemorySink::new(&RANGES)), Err(SourceError::Busy { .. })));
        assert_eq!(source.inner.calls(), 4);
        // At most 1, 2 and 3 seconds.
        assert!(clock.now() > Duration::ZERO && clock.now() < Duration::from_secs(6));
        assert!(matches!(source.size(), Err(SourceError::Busy { .. })));
        assert_eq!(source.inner.calls(), 8);
    }

    #[test]
    fn a_break_after_the_last_byte_is_none() {
        let source = Retrying::new(LateFailure, OPTIONS, FakeClock::default().pauses());
        let sink = MemorySink::new(&RANGES);
        source.fetch(&RANGES, &sink).unwrap();
        assert_eq!(sink.missing(), 0);
    }

    #[test]
    fn chance_can_be_chosen() {
        let time = |seed| {
            let clock = FakeClock::default();
            let options = RetryOptions { seed, ..OPTIONS };
            let retry = Retry::new(options, clock.pauses());
            retry.run::<()>(|| Err(busy(None))).unwrap_err();
            clock.now()
        };
        assert_eq!(time(Some(1)), time(Some(1)));
        assert_ne!(time(Some(1)), time(Some(2)));
        assert_ne!(time(None), time(None));
    }

    #[test]
    fn heeds_when_to_come_back_within_limits() {
        for (wish, least) in [(0, 0), (5, 5), (60, 60), (1_000_000, 60)] {
            let clock = FakeClock::default();
            failing(move || busy(Some(wish)), &clock).size().unwrap_err();
            let (least, most) = (Duration::from_secs(3 * least), Duration::from_secs(3 * least + 3));
            assert!((least..most).contains(&clock.now()), "{wish}: {:?}", clock.now());
        }
    }

    #[test]
    fn what_is_final_is_final() {
        let clock = FakeClock::default();
        let refused = || SourceError::Refused { location: "there".into(), reason: "404".into() };
        let source = failing(refused, &clock);
        assert!(matches!(source.fetch(&RANGES, &MemorySink::new(&RANGES)), Err(SourceError::Refused { .. })));
        assert!(matches!(source.size(), Err(SourceError::Refused { .. })));
        assert_eq!((source.inner.calls(), clock.now()), (2, Duration::ZERO));
        // Nor is a sink asked twice.
        let (_, source) = retrying(&[], &clock);
        let asked = AtomicU64::new(0);
        let full = FnSink(|_, _: &[u8]| {
            asked.fetch_add(1, Ordering::Relaxed);
            Err("full".into())
        });
        assert!(matches!(source.fetch(&RANGES[..1], &full), Err(SourceError::Sink(_))));
        assert_eq!(source.inner().fetches().len(), 1);
    }

    #[test]
    fn no_pause_goes_beyond_the_time_there_is() {
        let clock = FakeClock::default();
        let pauses = clock.pauses().for_at_most(Duration::from_secs(20));
        let source = Retrying::new(FailingSource::new(|| busy(Some(15))), OPTIONS, pauses);
        assert!(matches!(source.fetch(&RANGES, &MemorySink::new(&RANGES)), Err(SourceError::Busy { .. })));
        assert_eq!(source.inner.calls(), 2);
        assert!(clock.now() < Duration::from_secs(20), "{:?}", clock.now());
    }

    #[test]
    fn less_often_where_there_are_others() {
        let (clock, is_last) = (FakeClock::default(), Arc::new(AtomicBool::new(false)));
        let source = failing(|| busy(None), &clock).among_others(is_last.clone());
        for calls in [1, 2] {
            source.size().unwrap_err();
            assert_eq!((source.inner.calls(), clock.now()), (calls, Duration::ZERO));
        }
        is_last.store(true, Ordering::Relaxed);
        source.size().unwrap_err();
        assert_eq!(source.inner.calls(), 2 + 4);
        // Where it has answered once.
        let (_, source) = retrying(&[Fault::BreakAlways(60)], &clock);
        let source = source.among_others(Arc::default());
        let sink = MemorySink::new(&RANGES);
        source.fetch(&RANGES, &sink).unwrap();
        assert_eq!(sink.missing(), 0);
    }

    #[test]
    fn a_pause_can_be_ended() {
        let stop = Arc::new(AtomicBool::new(false));
        let pauses = Pauses::new(SystemClock::default(), {
            let stop = Arc::clone(&stop);
            move || stop.load(Ordering::Relaxed)
        });
        let source = Retrying::new(FailingSource::new(|| busy(Some(60))), OPTIONS, pauses);
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while source.inner.calls() == 0 {
                    std::thread::yield_now();
                }
                stop.store(true, Ordering::Relaxed);
            });
            let fetched = source.fetch(&RANGES, &MemorySink::new(&RANGES));
            assert!(matches!(fetched, Err(SourceError::Cancelled(_))), "{fetched:?}");
        });
        assert!(start.elapsed() < Duration::from_secs(30), "the pause would have taken a minute");
        assert_eq!(source.inner.calls(), 1);
    }
}
