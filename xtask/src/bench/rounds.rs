//! Runs cases in turn, several times.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use gosync_testkit::nginx::Nginx;
use serde_json::Value;

use super::accounting::{Outcome, Usage};
use super::cases::{Case, Moved, Work};
use super::corpora::Corpus;

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds that count, after one that does not.
    pub(crate) rounds: usize,
    /// What a case may take in all its rounds: what is slower runs less often, and what is
    /// slower than all of it in one run is not run again.
    pub(crate) budget: Duration,
    /// What one command may take before it is stopped.
    pub(crate) limit: Duration,
}

/// What came of a case.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) corpus: &'static str,
    pub(crate) work: Work,
    pub(crate) label: String,
    pub(crate) is_ours: bool,
    /// One for each round that it took part in.
    pub(crate) runs: Vec<Run>,
    /// Why there are no runs, or what is wrong with them.
    pub(crate) complaint: Option<String>,
}

/// What one run cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) usage: Usage,
    /// Bytes that would go over a network, or did.
    pub(crate) moved: Option<u64>,
    /// Requests that the web server got.
    pub(crate) requests: Option<u64>,
}

/// Runs each case of `work` once to warm up, and then all of them in turn.
///
/// # Errors
///
/// When files cannot be made; a program that fails is a row with a complaint.
pub(crate) fn run(
    work: Work,
    cases: &[Case],
    corpus: &Corpus,
    folder: &Path,
    server: Option<&Nginx>,
    effort: Effort,
) -> anyhow::Result<Vec<Row>> {
    let cases: Vec<&Case> = cases.iter().filter(|case| case.work == work).collect();
    let runner = Runner { corpus, folder, server, effort };
    let start = Instant::now();
    let mut rows = Vec::with_capacity(cases.len());
    let mut rounds = Vec::with_capacity(cases.len());
    for case in &cases {
        let (row, count) = runner.warm_up(case)?;
        rows.push(row);
        rounds.push(count);
    }
    for round in 0..effort.rounds {
        for ((case, row), _) in cases.iter().zip(&mut rows).zip(&rounds).filter(|(_, rounds)| round < **rounds) {
            match runner.run(case)? {
                Ok(run) => row.runs.push(run),
                Err(complaint) => row.complaint = Some(complaint),
            }
        }
    }
    eprintln!("{}, {}: {} cases in {:.0} s", corpus.name, work.name(), rows.len(), start.elapsed().as_secs_f64());
    for row in &rows {
        if let Some(complaint) = &row.complaint {
            eprintln!("  {}: {complaint}", row.label);
        }
    }
    Ok(rows)
}

struct Runner<'a> {
    corpus: &'a Corpus,
    folder: &'a Path,
    server: Option<&'a Nginx>,
    effort: Effort,
}

impl Runner<'_> {
    /// The row of a case, and the number of rounds that it can take part in.
    fn warm_up(&self, case: &Case) -> anyhow::Result<(Row, usize)> {
        let mut row = Row {
            corpus: self.corpus.name,
            work: case.work,
            label: case.label.clone(),
            is_ours: case.is_ours,
            runs: Vec::new(),
            complaint: None,
        };
        if !case.needs.iter().all(|file| file.exists()) {
            row.complaint = Some("not run: its index could not be made".into());
            return Ok((row, 0));
        }
        let run = match self.run(case)? {
            Ok(run) => run,
            Err(complaint) => {
                row.complaint = Some(complaint);
                return Ok((row, 0));
            }
        };
        if let Some(output) = &case.output
            && !have_equal_bytes(output, &self.corpus.target)?
        {
            row.complaint = Some("what it wrote is not the new version".into());
            return Ok((row, 0));
        }
        let rounds = rounds_within(self.effort, run.usage.wall);
        if rounds == 0 {
            row.runs.push(run);
        }
        Ok((row, rounds))
    }

    fn run(&self, case: &Case) -> anyhow::Result<Result<Run, String>> {
        for path in &case.removes {
            remove(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        if let Some((from, to)) = &case.copies {
            fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
        let served_before = self.served().len();
        let mut usage = Usage::default();
        for invocation in &case.invocations {
            match invocation.measure(self.folder, self.effort.limit)? {
                Outcome::Done(cost) => usage = usage.then(cost),
                Outcome::Failed(message) => return Ok(Err(format!("failed: {message}"))),
                Outcome::TooLong => return Ok(Err(format!("took longer than {} s", self.effort.limit.as_secs()))),
            }
        }
        let moved = match &case.moved {
            Moved::Unknown => None,
            Moved::Files(paths) => Some(paths.iter().map(|path| size(path)).sum::<io::Result<u64>>()?),
            Moved::Json(path, keys) => json_sum(&fs::read_to_string(path)?, keys),
            Moved::RsyncStatistics(path) => rsync_bytes(&fs::read_to_string(path)?),
            Moved::Served => {
                // The server writes a line when it is done, a little after the client is.
                std::thread::sleep(Duration::from_millis(50));
                let log = self.served();
                let bytes = log[served_before.min(log.len())..].iter().map(|line| served_bytes(line)).sum();
                return Ok(Ok(Run {
                    usage,
                    moved: Some(bytes),
                    requests: Some((log.len() - served_before.min(log.len())) as u64),
                }));
            }
        };
        Ok(Ok(Run { usage, moved, requests: None }))
    }

    fn served(&self) -> Vec<String> {
        self.server.map(Nginx::access_log).unwrap_or_default()
    }
}

/// How many rounds of a case whose warm-up took `seconds` fit into its budget.
fn rounds_within(effort: Effort, seconds: f64) -> usize {
    ((effort.budget.as_secs_f64() / seconds.max(1e-6)) as usize).min(effort.rounds)
}

fn json_sum(printed: &str, keys: &[&str]) -> Option<u64> {
    let last: Value = serde_json::from_str(printed.lines().last()?).ok()?;
    keys.iter().map(|key| last[key].as_u64()).sum()
}

/// What both ends sent, the sums included.
fn rsync_bytes(printed: &str) -> Option<u64> {
    ["Total bytes sent:", "Total bytes received:"]
        .iter()
        .map(|label| {
            let line = printed.lines().find_map(|line| line.strip_prefix(label))?;
            line.trim().replace([',', '.'], "").parse::<u64>().ok()
        })
        .sum()
}

/// The last word of a line of testkit's access log.
fn served_bytes(line: &str) -> u64 {
    line.rsplit(' ').next().and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

fn remove(path: &Path) -> io::Result<()> {
    match if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Bytes of a file, or of all files beneath a folder.
fn size(path: &Path) -> io::Result<u64> {
    if !path.is_dir() {
        return Ok(path.metadata()?.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

fn have_equal_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(1 << 20).read_to_end(&mut left)?;
        other.by_ref().take(1 << 20).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_cases_run_less_often() {
        let second = Duration::from_secs(1);
        let effort = Effort { rounds: 5, budget: 10 * second, limit: 60 * second };
        let rounds = |seconds| rounds_within(effort, seconds);
        assert_eq!([rounds(0.0), rounds(2.0), rounds(3.0), rounds(10.0), rounds(10.1)], [5, 5, 3, 1, 0]);
    }

    #[test]
    fn bytes_are_read_from_what_programs_say() {
        let json = "{\"event\":\"x\"}\n{\"index_bytes\":10,\"fetched_bytes\":5}\n";
        assert_eq!(json_sum(json, &["index_bytes", "fetched_bytes"]), Some(15));
        assert_eq!(json_sum(json, &["index_bytes", "others"]), None);
        assert_eq!(json_sum("", &[]), None);
        assert_eq!(rsync_bytes("Total bytes sent: 41,093\nTotal bytes received: 7\n"), Some(41_100));
        assert_eq!(rsync_bytes("Total bytes sent: 41,093\n"), None);
        assert_eq!(served_bytes("GET /file bytes=2-4 206 3"), 3);
    }

    #[test]
    fn files_are_compared_to_their_ends() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let mut data = vec![1; (1 << 20) + 1];
        let one = write("one", &data);
        assert!(have_equal_bytes(&one, &one).unwrap());
        assert!(!have_equal_bytes(&one, &write("shorter", &data[1..])).unwrap());
        data[1 << 20] = 2;
        assert!(!have_equal_bytes(&one, &write("other", &data)).unwrap());
        assert_eq!(size(folder.path()).unwrap(), 3 * (1 << 20) + 2);
        assert!(remove(&one).is_ok() && remove(&one).is_ok());
    }
}
