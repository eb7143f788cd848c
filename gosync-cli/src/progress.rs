//! Progress bars on stderr, or events on stdout.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use gosync::{Phase, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::console::Console;

/// How often programs are told how far a phase is.
const INTERVAL: Duration = Duration::from_millis(200);

/// Shows each phase as a bar. Where stderr is no terminal nothing is shown.
pub(crate) struct Bars<'a> {
    console: &'a Console,
    bars: MultiProgress,
    phases: Mutex<HashMap<Phase, Shown>>,
    /// Whether the output is a file, in which what is fetched outlasts an interruption.
    is_kept: bool,
}

/// A phase that has begun.
struct Shown {
    bar: ProgressBar,
    told: Instant,
}

impl<'a> Bars<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let shown = console.shows_progress() && !console.json;
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        console.interrupt.set_bars(Some(bars.clone()));
        Self { console, bars, phases: Mutex::default(), is_kept: false }
    }

    /// For work whose result goes to a file, where the next run goes on with it.
    pub(crate) fn kept(mut self) -> Self {
        self.is_kept = true;
        self
    }
}

impl Progress for Bars<'_> {
    fn begin(&self, phase: Phase, total: u64) {
        let name = phase.name();
        // That stdout was closed is told when the result cannot be written.
        let _ = self.console.event(&json!({ "event": "phase", "phase": name, "bytes": total }));
        let template = "{prefix:>8} [{bar:30}] {bytes:>11} of {total_bytes:<11} {bytes_per_sec:>12} {eta:>4}";
        let style = ProgressStyle::with_template(template).expect("a valid template").progress_chars("=> ");
        let bar = self.bars.add(ProgressBar::new(total).with_style(style).with_prefix(name));
        let shown = Shown { bar, told: Instant::now() };
        if let Some(before) = self.phases.lock().expect("no panic while held").insert(phase, shown) {
            before.bar.finish_and_clear();
        }
    }

    fn advance(&self, phase: Phase, bytes: u64) {
        let mut phases = self.phases.lock().expect("no panic while held");
        if let Some(Shown { bar, told }) = phases.get_mut(&phase) {
            bar.inc(bytes);
            let (done, total) = (bar.position(), bar.length().unwrap_or(0));
            if self.console.json && (done == total || told.elapsed() >= INTERVAL) {
                *told = Instant::now();
                let event = json!({ "event": "progress", "phase": phase.name(), "bytes": done, "of_bytes": total });
                let _ = self.console.event(&event);
            }
        }
        // A run that goes on with an earlier one begins with a look at what stands there.
        let is_fetched = phase == Phase::Fetch || phase == Phase::Verify && !phases.contains_key(&Phase::Copy);
        if self.is_kept && is_fetched && bytes > 0 {
            self.console.interrupt.set_resumable();
        }
    }

    fn is_cancelled(&self) -> bool {
        self.console.interrupt.is_raised()
    }
}

impl Drop for Bars<'_> {
    fn drop(&mut self) {
        // What is printed next is the result; a bar would only stand above it.
        let _ = self.bars.clear();
        self.console.interrupt.set_bars(None);
    }
}
