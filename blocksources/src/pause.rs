//! Waiting, without being deaf meanwhile.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gosync_chunks::Cancelled;

/// The longest time for which nobody asks whether to stop.
const STEP: Duration = Duration::from_millis(50);

/// Tells the time and lets it pass. Tests have one that passes at once.
pub trait Clock: Send + Sync {
    /// Time since some moment that never changes.
    fn now(&self) -> Duration;

    /// Returns when `duration` is over.
    fn sleep(&self, duration: Duration);
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }
}

/// Pauses of a decorator, which end when the caller wishes to stop. Clones share both the
/// clock and the wish.
#[derive(Clone)]
pub struct Pauses {
    clock: Arc<dyn Clock>,
    /// By that clock.
    deadline: Option<Duration>,
    should_stop: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Default for Pauses {
    /// With this machine's clock, and nobody who wishes to stop.
    fn default() -> Self {
        Self::new(SystemClock::default(), || false)
    }
}

impl Pauses {
    /// Pauses by `clock`, which end when `should_stop` says so. It is asked often, so it
    /// should only look at a flag.
    pub fn new(clock: impl Clock + 'static, should_stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), deadline: None, should_stop: Arc::new(should_stop) }
    }

    /// Pauses by this machine's clock.
    pub fn until(should_stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self::new(SystemClock::default(), should_stop)
    }

    /// The same, where no pause goes on for longer than `time` from now.
    pub fn for_at_most(self, time: Duration) -> Self {
        Self { deadline: Some(self.now().saturating_add(time)), ..self }
    }

    /// Whether a pause of `duration` would be too long.
    pub(crate) fn is_too_long(&self, duration: Duration) -> bool {
        self.deadline.is_some_and(|deadline| self.now().saturating_add(duration) >= deadline)
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Waits for `duration`, until there is no time any more or until somebody wishes to stop.
    pub(crate) fn wait(&self, duration: Duration) -> Result<(), Cancelled> {
        let end = self.now().saturating_add(duration).min(self.deadline.unwrap_or(Duration::MAX));
        loop {
            if (self.should_stop)() {
                return Err(Cancelled);
            }
            let left = end.saturating_sub(self.now());
            if left.is_zero() {
                return Ok(());
            }
            self.clock.sleep(left.min(STEP));
        }
    }
}

impl fmt::Debug for Pauses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pauses").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A clock whose time passes only by sleeping, and at once.
    #[derive(Clone, Default)]
    pub(crate) struct FakeClock(Arc<Mutex<Duration>>);

    impl FakeClock {
        pub(crate) fn pauses(&self) -> Pauses {
            Pauses::new(self.clone(), || false)
        }
    }

    impl Clock for FakeClock {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn sleep(&self, duration: Duration) {
            *self.0.lock().unwrap() += duration;
        }
    }

    #[test]
    fn waits_as_long_as_told() {
        let clock = FakeClock::default();
        for (wait, now) in [(0, 0), (1, 1), (50, 51), (51, 102), (100_000, 100_102)] {
            clock.pauses().wait(Duration::from_millis(wait)).unwrap();
            assert_eq!(clock.now(), Duration::from_millis(now));
        }
    }

    #[test]
    fn waits_no_longer_than_there_is_time() {
        let clock = FakeClock::default();
        let pauses = clock.pauses().for_at_most(Duration::from_secs(3));
        for (wait, is_too_long, now) in [(2, false, 2), (1, true, 3), (60, true, 3)] {
            let wait = Duration::from_secs(wait);
            assert_eq!(pauses.is_too_long(wait), is_too_long, "{wait:?}");
            pauses.wait(wait).unwrap();
            assert_eq!(clock.now(), Duration::from_secs(now));
        }
    }

    #[test]
    fn stops_soon() {
        let (clock, asked) = (FakeClock::default(), Arc::new(AtomicU64::new(0)));
        let pauses = Pauses::new(clock.clone(), {
            let asked = Arc::clone(&asked);
            move || asked.fetch_add(1, Ordering::Relaxed) == 20
        });
        assert_eq!(pauses.wait(Duration::MAX), Err(Cancelled));
        assert_eq!(clock.now(), 20 * STEP);
        assert!(STEP < Duration::from_millis(200));
    }

    #[test]
    fn the_clock_of_this_machine_goes_forward() {
        let pauses = Pauses::default();
        let before = pauses.now();
        pauses.wait(Duration::from_millis(2)).unwrap();
        assert!(pauses.now() >= before + Duration::from_millis(2));
    }
}
