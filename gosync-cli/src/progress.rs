//! Progress bars on stderr, or events on stdout.

use std::collections::HashMap;
use std::sync::Mutex;

use gosync::{Phase, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::console::Console;

/// Shows each phase as a bar. Where stderr is no terminal nothing is shown.
pub(crate) struct Bars<'a> {
    console: &'a Console,
    bars: MultiProgress,
    phases: Mutex<HashMap<Phase, ProgressBar>>,
    /// Whether the output is a file, in which what is fetched outlasts an interruption.
    is_kept: bool,
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
        if let Some(before) = self.phases.lock().expect("no panic while held").insert(phase, bar) {
            before.finish_and_clear();
        }
    }

    fn advance(&self, phase: Phase, bytes: u64) {
        let phases = self.phases.lock().expect("no panic while held");
        if let Some(bar) = phases.get(&phase) {
            bar.inc(bytes);
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
