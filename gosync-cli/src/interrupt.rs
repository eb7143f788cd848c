//! Ctrl-C and its like: a prompt end, in a state that the next run can go on with.

use std::io;
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::MultiProgress;

use crate::platform;

/// How long a signal may go unnoticed.
const POLL: Duration = Duration::from_millis(50);

/// How long the work may take to stop by itself. A thread that waits for a stuck connection
/// does not notice that it should.
const GRACE: Duration = Duration::from_millis(700);

/// Whether a signal has asked for the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    /// The number of the signal, or 0.
    signal: Arc<AtomicUsize>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_resumable: AtomicBool,
    /// [`OPEN`], or which thread tells how things ended.
    teller: AtomicUsize,
    bars: Mutex<Option<MultiProgress>>,
}

const OPEN: usize = 0;
const MAIN: usize = 1;
const WATCHER: usize = 2;

impl Interrupt {
    /// From now on the first signal asks the work to stop, and ends the process should
    /// that not happen soon, after `tell`; the second ends it at once.
    pub(crate) fn watch(&self, tell: impl FnOnce() + Send + 'static) -> io::Result<()> {
        platform::watch_signals(&self.signal)?;
        let interrupt = self.clone();
        thread::Builder::new().name("interrupt".into()).spawn(move || {
            while !interrupt.is_raised() {
                thread::sleep(POLL);
            }
            thread::sleep(GRACE);
            if interrupt.claim(WATCHER) {
                let bars = interrupt.state.bars.lock().unwrap_or_else(PoisonError::into_inner).take();
                let _ = bars.map(|bars| bars.clear());
                tell();
                exit(interrupt.exit_code().into());
            }
        })?;
        Ok(())
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// Something was fetched, and is kept for the next run.
    pub(crate) fn set_resumable(&self) {
        self.state.is_resumable.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_resumable(&self) -> bool {
        self.state.is_resumable.load(Ordering::Relaxed)
    }

    /// What to take from the terminal before anything is printed.
    pub(crate) fn set_bars(&self, bars: Option<MultiProgress>) {
        *self.state.bars.lock().unwrap_or_else(PoisonError::into_inner) = bars;
    }

    /// The work has ended, one way or the other, and the caller tells how. Does not
    /// return when the process is about to exit because it took too long.
    pub(crate) fn settle(&self) {
        while !self.claim(MAIN) {
            thread::park();
        }
    }

    fn claim(&self, teller: usize) -> bool {
        let claimed = self.state.teller.compare_exchange(OPEN, teller, Ordering::AcqRel, Ordering::Acquire);
        claimed.map_or_else(|earlier| earlier == teller, |_| true)
    }

    /// The exit code that a shell gives to a process that such a signal ended.
    pub(crate) fn exit_code(&self) -> u8 {
        128 + self.signal.load(Ordering::Relaxed) as u8
    }
}
