//! Steps with a heading and a duration.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// The steps done so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
    failed: Vec<String>,
}

impl Steps {
    /// Runs one step under the heading `name`, which the next ones can do without: where it fails
    /// they run all the same, and [`finish`](Self::finish) fails.
    pub(crate) fn run_alone(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<()>) {
        if let Err(error) = self.run(name, step) {
            eprintln!("error: {}", error.root_cause());
            self.failed.push(name.to_owned());
        }
    }

    /// That all that was run went well.
    ///
    /// # Errors
    ///
    /// When a step failed that did not end the run.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        ensure!(self.failed.is_empty(), "what failed: {}", self.failed.join(", "));
        Ok(())
    }

    /// Runs one step under the heading `name`.
    ///
    /// # Errors
    ///
    /// When it fails, which ends the run.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let result = step();
        let took = start.elapsed();
        let outcome = if result.is_ok() { "done" } else { "FAILED" };
        eprintln!("=== {name}: {outcome} in {:.1} s", took.as_secs_f64());
        self.done.push((name.to_owned(), took));
        result.with_context(|| format!("step \"{name}\" failed"))
    }

    /// Lists what was done and how long it took.
    pub(crate) fn print_summary(&self) {
        if self.done.is_empty() {
            return;
        }
        eprintln!("\n=== {}", if self.failed.is_empty() { "all done" } else { "what ran" });
        for (name, took) in &self.done {
            let failed = if self.failed.contains(name) { ": FAILED" } else { "" };
            eprintln!("{:8.1} s  {name}{failed}", took.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_step_and_its_cause() {
        let mut steps = Steps::default();
        steps.run("one", || Ok(())).unwrap();
        let error = steps.run("two", || anyhow::bail!("out of luck")).unwrap_err();
        assert_eq!(format!("{error:#}"), "step \"two\" failed: out of luck");
        assert_eq!(steps.done.len(), 2);
    }

    #[test]
    fn what_can_be_done_without_ends_no_run() {
        let mut steps = Steps::default();
        steps.run_alone("one", || anyhow::bail!("out of luck"));
        steps.run_alone("two", || Ok(()));
        steps.run_alone("three", || anyhow::bail!("again"));
        assert_eq!(steps.done.len(), 3);
        assert_eq!(steps.finish().unwrap_err().to_string(), "what failed: one, three");
    }
}
