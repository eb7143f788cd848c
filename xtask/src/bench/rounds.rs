//! Runs cases in turn, several times.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use gosync_testkit::Random;
use gosync_testkit::nginx::Nginx;

use super::accounting::{Invocation, Outcome, Usage};
use super::case::{Case, Moved};
use super::corpora::Corpus;
use super::disk::{are_equal, copy, remove, size};
use super::evidence::{digest, json_sum, rsync_bytes, served_bytes};
use super::results::{Row, Run, Violation};
use crate::command::root;

/// Bytes of memory that ours may take beside the index.
const MEMORY: u64 = 64 << 20;

/// How often and how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effort {
    /// Rounds that count, after one that does not.
    pub(crate) rounds: usize,
    /// What a case may take in all its rounds: what is slower runs less often, and what is
    /// slower than all of it in one run is not run again.
    pub(crate) budget: Duration,
    /// What one command may take before it is stopped.
    pub(crate) limit: Duration,
}

/// Where cases are run, and by what.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) folder: &'a Path,
    /// A copy of this program, which stays when this one is built anew.
    pub(crate) measurer: &'a Path,
    pub(crate) server: Option<&'a Nginx>,
    pub(crate) effort: Effort,
}

impl Runner<'_> {
    /// Runs each case of one kind of work once to warm up, and then all of them in turn, each
    /// time in another order.
    ///
    /// # Errors
    ///
    /// When files cannot be made; a program that fails is a row with a complaint.
    pub(crate) fn run_all(&self, cases: &[Case], violations: &mut Vec<Violation>) -> anyhow::Result<Vec<Row>> {
        let start = Instant::now();
        let mut taken = Vec::with_capacity(cases.len());
        let mut made: Vec<(&str, u64, &str)> = Vec::new();
        for case in cases {
            let first = self.warm_up(case)?;
            let ran = first.rounds > 0 || !first.runs.is_empty();
            if let Some((name, product)) = case.product.as_ref().filter(|_| ran) {
                match digest(product) {
                    Ok(digest) => made.push((name, digest, &case.label)),
                    Err(error) => self.violated(violations, format!("{}, {}: {error}", case.work, case.label)),
                }
            }
            taken.push(first);
        }
        for round in 0..self.effort.rounds {
            for at in order(round, cases.len()) {
                let taken: &mut Taken = &mut taken[at];
                if round < taken.rounds {
                    match self.run(&cases[at])? {
                        Ok(run) => taken.runs.push(run),
                        Err(complaint) => taken.row.complaint = Some(complaint),
                    }
                }
            }
        }
        for &(name, digest, label) in &made {
            let first = made.iter().find(|first| first.0 == name).filter(|first| first.1 != digest);
            if let Some(first) = first {
                self.violated(violations, format!("{name}: \"{label}\" made something else than \"{}\"", first.2));
            }
        }
        let work = cases.first().map_or("nothing", |case| case.work);
        eprintln!("{}, {work}: {} cases in {:.0} s", self.corpus.name, cases.len(), start.elapsed().as_secs_f64());
        let mut rows = Vec::with_capacity(cases.len());
        for (case, Taken { mut row, runs, .. }) in cases.iter().zip(taken) {
            self.check_memory(case, &runs, violations);
            if let Some(complaint) = &row.complaint {
                eprintln!("  {}: {complaint}", row.case);
            }
            if case.is_recorded {
                row.record(&runs);
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// The first run of a case, and the number of rounds that it can take part in.
    fn warm_up(&self, case: &Case) -> anyhow::Result<Taken> {
        let row = Row {
            corpus: self.corpus.name.into(),
            work: case.work.into(),
            program: case.program.into(),
            case: case.label.clone(),
            bytes: case.bytes,
            ..Row::default()
        };
        let mut taken = Taken { row, runs: Vec::new(), rounds: 0 };
        if let Err(complaint) = self.prepare(case)? {
            taken.row.complaint = Some(complaint);
            return Ok(taken);
        }
        let run = match self.run(case)? {
            Ok(run) => run,
            Err(complaint) => {
                taken.row.complaint = Some(complaint);
                return Ok(taken);
            }
        };
        if let Some(output) = &case.output
            && !are_equal(output, &self.corpus.target).unwrap_or(false)
        {
            taken.row.complaint = Some("what it wrote is not the new version".into());
            return Ok(taken);
        }
        taken.rounds = if case.is_recorded { rounds_within(self.effort, run.usage.wall) } else { 0 };
        if taken.rounds == 0 {
            taken.runs.push(run);
        }
        Ok(taken)
    }

    fn prepare(&self, case: &Case) -> anyhow::Result<Result<(), String>> {
        if let Err(complaint) = self.measure_all(&case.preparations)? {
            return Ok(Err(format!("before it: {complaint}")));
        }
        let is_ready = case.needs.iter().all(|file| file.exists());
        Ok(if is_ready { Ok(()) } else { Err("not run: its index could not be made".into()) })
    }

    fn run(&self, case: &Case) -> anyhow::Result<Result<Run, String>> {
        for path in &case.removes {
            remove(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        if let Some((from, to)) = &case.copies {
            copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
        let served_before = self.served().len();
        let usage = match self.measure_all(&case.invocations)? {
            Ok(usage) => usage,
            Err(complaint) => return Ok(Err(complaint)),
        };
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let mut requests = None;
        let moved = match &case.moved {
            Moved::Unknown => None,
            Moved::Files(paths) => paths.iter().map(|path| size(path)).sum::<io::Result<u64>>().ok(),
            Moved::Json(path, keys) => json_sum(&read(path), keys),
            Moved::RsyncStatistics(path) => rsync_bytes(&read(path)),
            Moved::Served => {
                // The server writes a line when it is done, a little after the client is.
                std::thread::sleep(Duration::from_millis(50));
                let log = self.served();
                let new = &log[served_before.min(log.len())..];
                requests = Some(new.len() as u64);
                Some(new.iter().map(|line| served_bytes(line)).sum())
            }
        };
        Ok(Ok(Run { usage, moved, requests }))
    }

    fn measure_all(&self, invocations: &[Invocation]) -> anyhow::Result<Result<Usage, String>> {
        let mut usage = Usage::default();
        for invocation in invocations {
            match invocation.measure(self.measurer, self.folder, self.effort.limit)? {
                Outcome::Done(cost) => usage = usage.then(cost),
                Outcome::Failed(message) => return Ok(Err(format!("failed: {}", without_root(&message)))),
                Outcome::TooLong => return Ok(Err(format!("took longer than {} s", self.effort.limit.as_secs()))),
            }
        }
        Ok(Ok(usage))
    }

    fn check_memory(&self, case: &Case, runs: &[Run], violations: &mut Vec<Violation>) {
        let Some(index) = case.index.as_ref().and_then(|index| size(index).ok()) else { return };
        let bound = MEMORY + index + index / 2;
        let peak = runs.iter().map(|run| run.usage.peak).max().unwrap_or(0);
        if peak > bound {
            let (peak, bound) = (peak >> 20, bound >> 20);
            self.violated(violations, format!("{}, {}: {peak} MiB of memory, above {bound}", case.work, case.label));
        }
    }

    fn violated(&self, violations: &mut Vec<Violation>, what: String) {
        eprintln!("VIOLATION: {}: {what}", self.corpus.name);
        violations.push(Violation { corpus: self.corpus.name.into(), what });
    }

    fn served(&self) -> Vec<String> {
        self.server.map(Nginx::access_log).unwrap_or_default()
    }
}

/// What came of a case so far.
struct Taken {
    row: Row,
    runs: Vec<Run>,
    /// Rounds that it is to take part in.
    rounds: usize,
}

/// What a program said, for a record that says nothing of where this repository is.
fn without_root(message: &str) -> String {
    message.replace(&format!("{}/", root().display()), "")
}

/// In which order `count` cases are run.
///
/// Not the same in each round: a program that runs after one that gave much memory back has to
/// take it from the machine below anew, which took four times as long as the work itself.
fn order(round: usize, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    Random::new(round as u64).shuffle(&mut order);
    order
}

/// How many rounds of a case whose warm-up took `seconds` fit into its budget.
fn rounds_within(effort: Effort, seconds: f64) -> usize {
    ((effort.budget.as_secs_f64() / seconds.max(1e-6)) as usize).min(effort.rounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_run_in_each_round_and_nobody_always_after_the_same() {
        let mut before_first = Vec::new();
        for round in 0..5 {
            let order = order(round, 7);
            before_first
                .push(order.iter().position(|&at| at == 0).and_then(|at| at.checked_sub(1)).map(|at| order[at]));
            let mut sorted = order;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
        }
        before_first.sort_unstable();
        before_first.dedup();
        assert!(before_first.len() > 2, "{before_first:?}");
    }

    #[test]
    fn messages_do_not_say_where_this_is() {
        let message = format!("cannot use {} as input", root().join("target/base").display());
        assert_eq!(without_root(&message), "cannot use target/base as input");
    }

    #[test]
    fn slow_cases_run_less_often() {
        let second = Duration::from_secs(1);
        let effort = Effort { rounds: 5, budget: 10 * second, limit: 60 * second };
        let rounds = |seconds| rounds_within(effort, seconds);
        assert_eq!([rounds(0.0), rounds(2.0), rounds(3.0), rounds(10.0), rounds(10.1)], [5, 5, 3, 1, 0]);
    }
}
