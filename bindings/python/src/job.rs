//! Work that runs without Python, and what it asks of Python meanwhile.
//!
//! The work runs on a rayon pool of its own, since one that is shared would not survive
//! a fork, which Python's `multiprocessing` may do. The thread that made the call waits
//! without holding the interpreter, and is where all Python code runs: it reads and
//! writes file objects when the work asks for it (an errand), and looks ten times a
//! second for Ctrl-C and for progress to report. So a file object is only ever used by
//! the thread that it was given by, and an exception ends the call wherever it was
//! raised.
//!
//! A call that was interrupted or cancelled gives its work a moment to stop, and then
//! returns without it: nobody can wake a thread that waits for a silent server. Such work
//! ends when the server answers or the time is out, cleans up, and changes nothing else,
//! since it finds that it is cancelled. Until then it keeps what it has locked.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gosync::{Phase, Progress};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use rayon::ThreadPoolBuilder;

use crate::error::cancelled;

/// How often signals and progress are looked after.
const TICK: Duration = Duration::from_millis(100);

/// How long cancelled work may take to stop by itself.
const GRACE: Duration = Duration::from_millis(700);

/// Something for the calling thread to do, in Python.
type Errand = Box<dyn FnOnce(Python<'_>) + Send>;

/// How a call is to be carried out, in the arguments that all calls have.
#[derive(FromPyObject)]
pub(crate) struct Manner {
    /// Threads to work on; as many as there are cores without.
    #[pyo3(item)]
    threads: Option<usize>,
    /// Called with a phase, the bytes done and the bytes in all; `False` cancels.
    #[pyo3(item)]
    progress: Option<Py<PyAny>>,
}

/// The side of a job that the work sees.
#[derive(Debug)]
pub(crate) struct Job {
    errands: Sender<Errand>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_cancelled: AtomicBool,
    phases: Mutex<Vec<Count>>,
    /// The first exception that Python code raised.
    raised: Mutex<Option<PyErr>>,
}

/// How far a phase is.
#[derive(Clone, Copy, Debug)]
struct Count {
    phase: Phase,
    done: u64,
    total: u64,
    /// What was reported last as done.
    reported: Option<u64>,
}

/// Carries out `work`, and raises what Python code raised meanwhile rather than what the
/// work made of it. The work owns all that it uses: it may outlive the call.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    manner: &Manner,
    work: impl FnOnce(&Job) -> PyResult<T> + Send + 'static,
) -> PyResult<T> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(manner.threads.map_or(0, |threads| gosync_cli::threads(threads.try_into().ok())))
        .build();
    let pool = pool.map_err(|error| PyRuntimeError::new_err(format!("cannot start threads: {error}")))?;
    let state = Arc::new(State::default());
    let (errands, received) = mpsc::channel();
    let job = Job { errands, state: state.clone() };
    let (done, outcome) = mpsc::sync_channel(1);
    pool.spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(|| work(&job)));
        // Nobody may be there any more to hear of it.
        let _ = done.send(result);
        // When it ends, there can be no more errands.
        drop(job);
    });
    let (shared, progress) = (&state, manner.progress.as_ref());
    py.detach(move || attend(&received, shared, progress));
    let result = match outcome.try_recv() {
        Ok(result) => result.unwrap_or_else(|panic| resume_unwind(panic)),
        Err(_) => Err(cancelled()),
    };
    match (lock(&state.raised).take(), result) {
        (Some(raised), _) => Err(raised),
        // Whatever the work failed with: it may be that it was cut off.
        (None, Err(_)) if state.is_cancelled.load(Ordering::Relaxed) => Err(cancelled()),
        (None, result) => result,
    }
}

/// Does errands and looks around, on the calling thread, until the work is done, or was
/// told to stop and does not.
fn attend(errands: &Receiver<Errand>, state: &State, progress: Option<&Py<PyAny>>) {
    let mut looked = Instant::now();
    let mut cancelled = None;
    loop {
        let is_cancelled = state.is_cancelled.load(Ordering::Relaxed);
        if is_cancelled && cancelled.get_or_insert_with(Instant::now).elapsed() >= GRACE {
            return;
        }
        match errands.recv_timeout(TICK.saturating_sub(looked.elapsed())) {
            Ok(errand) => Python::attach(|py| state.run(py, errand)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if looked.elapsed() >= TICK {
            Python::attach(|py| state.look_around(py, progress));
            looked = Instant::now();
        }
    }
    // So that short work is reported too.
    Python::attach(|py| state.look_around(py, progress));
}

impl State {
    /// Does an errand, unless an exception has been raised. Signals are looked after first:
    /// one that came before a read that waits would not end it.
    fn run(&self, py: Python<'_>, errand: Errand) {
        if lock(&self.raised).is_some() {
            return;
        }
        match py.check_signals() {
            Ok(()) => errand(py),
            Err(raised) => self.raise(raised),
        }
    }

    /// Lets signal handlers run, and reports what is new. After the first exception
    /// nothing more is called: the second may be of an impatient Ctrl-C.
    fn look_around(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) {
        if lock(&self.raised).is_some() {
            return;
        }
        match py.check_signals().and_then(|()| self.report(py, progress)) {
            Ok(goes_on) => _ = self.is_cancelled.fetch_or(!goes_on, Ordering::Relaxed),
            Err(raised) => self.raise(raised),
        }
    }

    /// Whether the work is to go on.
    fn report(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) -> PyResult<bool> {
        let Some(progress) = progress else { return Ok(true) };
        let mut news = Vec::new();
        for count in lock(&self.phases).iter_mut().filter(|count| count.reported != Some(count.done)) {
            count.reported = Some(count.done);
            news.push(*count);
        }
        for Count { phase, done, total, .. } in news {
            let answer = progress.call1(py, (phase.name(), done, total))?;
            if answer.bind(py).is(PyBool::new(py, false)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn raise(&self, raised: PyErr) {
        lock(&self.raised).get_or_insert(raised);
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

impl Job {
    /// Has the calling thread do `errand`. What it raises ends the call.
    ///
    /// # Errors
    ///
    /// When it raises, for the work to end.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        errand: impl FnOnce(Python<'_>) -> PyResult<T> + Send + 'static,
    ) -> io::Result<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        let state = self.state.clone();
        let sent = self.errands.send(Box::new(move |py| {
            // An answer that is not sent is an exception.
            match errand(py) {
                Ok(value) => _ = answer.send(value),
                Err(raised) => state.raise(raised),
            }
        }));
        let raised = || io::Error::other("Python code raised an exception");
        sent.map_err(|_| raised())?;
        answered.recv().map_err(|_| raised())
    }

    /// Fails once the job is cancelled, for work that only knows streams.
    ///
    /// # Errors
    ///
    /// When it is.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_cancelled() { Err(io::Error::other("cancelled")) } else { Ok(()) }
    }

    /// The same as [`Progress::is_cancelled`], for threads that outlive a borrow.
    pub(crate) fn wish_to_stop(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let state = self.state.clone();
        move || state.is_cancelled.load(Ordering::Relaxed)
    }
}

impl Progress for Job {
    fn begin(&self, phase: Phase, total: u64) {
        let mut phases = lock(&self.state.phases);
        phases.retain(|count| count.phase != phase);
        phases.push(Count { phase, done: 0, total, reported: None });
    }

    fn advance(&self, phase: Phase, bytes: u64) {
        if let Some(count) = lock(&self.state.phases).iter_mut().find(|count| count.phase == phase) {
            count.done += bytes;
        }
    }

    fn is_cancelled(&self) -> bool {
        self.state.is_cancelled.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
