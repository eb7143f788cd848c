//! Steps with a heading and a duration, the first failure of which ends the run.

use std::time::{Duration, Instant};

use anyhow::Context;

/// The steps done so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Runs one step under the heading `name`.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let result = step();
        let took = start.elapsed();
        let outcome = if result.is_ok() { "done" } else { "FAILED" };
        eprintln!("=== {name}: {outcome} in {:.1} s", took.as_secs_f64());
        self.done.push((name.to_owned(), took));
        result.with_context(|| format!("step \"{name}\" failed; nothing after it ran"))
    }

    /// Lists what was done and how long it took.
    pub(crate) fn print_summary(&self) {
        if self.done.is_empty() {
            return;
        }
        eprintln!("\n=== all done");
        for (name, took) in &self.done {
            eprintln!("{:8.1} s  {name}", took.as_secs_f64());
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
        assert_eq!(format!("{error:#}"), "step \"two\" failed; nothing after it ran: out of luck");
        assert_eq!(steps.done.len(), 2);
    }
}
