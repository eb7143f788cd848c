//! What running a program costs: time, processor time and memory, as the system counts them.
//!
//! The system keeps the peak of memory over *all* children of a process, so each program
//! is run by a small process of its own: this one again, as `cargo xtask measure`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::command;

/// What `timeout` exits with when time was up, and when it had to kill.
const TIME_WAS_UP: [i64; 2] = [124, 137];

/// A program and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// Where standard output goes; nowhere without it.
    stdout: Option<PathBuf>,
    pinned: bool,
    may_fail: bool,
}

impl Invocation {
    /// `program` with `words`, and after them `files`.
    pub(crate) fn new(program: &Path, words: &[&str], files: &[&Path]) -> Self {
        let words = words.iter().map(OsString::from);
        let arguments = words.chain(files.iter().map(OsString::from)).collect();
        Self { program: program.to_owned(), arguments, stdout: None, pinned: false, may_fail: false }
    }

    /// Keeps what it prints in the file `path`.
    pub(crate) fn stdout(mut self, path: &Path) -> Self {
        self.stdout = Some(path.to_owned());
        self
    }

    /// Keeps it on one core, where the system has `taskset`.
    pub(crate) fn pinned(mut self) -> Self {
        self.pinned = true;
        self
    }

    /// Does not mind that it fails: what it did before is what is measured.
    pub(crate) fn may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }

    /// Runs it in `folder`, for `limit` at most, through `measurer`: this program, which
    /// has the chore `measure`.
    ///
    /// # Errors
    ///
    /// When it cannot be run or measured; that it fails is an [`Outcome`].
    pub(crate) fn measure(&self, measurer: &Path, folder: &Path, limit: Duration) -> anyhow::Result<Outcome> {
        let complaints = folder.join("stderr");
        // Around the measurer and not within it, so that what they take is not counted.
        let mut words: Vec<OsString> = Vec::new();
        if let Some(timeout) = command::find("timeout") {
            words.extend([timeout.into(), "--kill-after=5".into(), limit.as_secs().max(1).to_string().into()]);
        }
        if let Some(taskset) = command::find("taskset").filter(|_| self.pinned) {
            words.extend([taskset.into(), "-c".into(), "0".into()]);
        }
        words.extend([measurer.into(), "measure".into()]);
        if let Some(stdout) = &self.stdout {
            words.extend(["--stdout".into(), stdout.into()]);
        }
        words.extend(["--".into(), self.program.clone().into()]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(&self.arguments).current_dir(folder);
        command.stderr(File::create(&complaints).context("cannot make a file for error messages")?);
        let measured = command::output(&mut command)?;
        if measured.status.code().is_some_and(|code| TIME_WAS_UP.contains(&code.into())) {
            return Ok(Outcome::TooLong);
        }

        let said = fs::read(&complaints).unwrap_or_default();
        let last_line = complaint(&String::from_utf8_lossy(&said)).to_owned();
        let Ok(figures) = serde_json::from_slice::<Value>(&measured.stdout) else {
            bail!("cannot measure {}: {last_line}", self.program.display());
        };
        let exit = figures["exit"].as_i64().unwrap_or(-1);
        Ok(if exit == 0 || self.may_fail {
            Outcome::Done(Usage {
                wall: figures["wall"].as_f64().unwrap_or_default(),
                cpu: figures["cpu"].as_f64().unwrap_or_default(),
                peak: figures["peak"].as_u64().unwrap_or_default(),
            })
        } else {
            Outcome::Failed(last_line)
        })
    }
}

/// The line that calls itself an error, or the last one.
fn complaint(said: &str) -> &str {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.clone().find(|line| line.starts_with("error")).or_else(|| lines.next_back()).unwrap_or("no message")
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Done(Usage),
    /// With the last line that it said.
    Failed(String),
    TooLong,
}

/// What a run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of processor time, user's and system's, of all its processes.
    pub(crate) cpu: f64,
    /// Most bytes of memory that one of its processes had at once.
    pub(crate) peak: u64,
}

impl Usage {
    /// The cost of both, one after the other.
    pub(crate) fn then(self, next: Self) -> Self {
        Self { wall: self.wall + next.wall, cpu: self.cpu + next.cpu, peak: self.peak.max(next.peak) }
    }
}

/// The chore `measure`: runs one program and prints what it cost as JSON.
///
/// # Errors
///
/// When it cannot be started.
pub(crate) fn measure(stdout: Option<&Path>, words: &[OsString]) -> anyhow::Result<()> {
    let (program, arguments) = words.split_first().context("nothing to run")?;
    let stdout = match stdout {
        Some(path) => File::create(path).with_context(|| format!("cannot write {}", path.display()))?.into(),
        None => Stdio::null(),
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(stdout);
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot run {}", Path::new(program).display()))?;
    let wall = start.elapsed().as_secs_f64();
    let (cpu, peak) = usage_of_children()?;
    let exit = exit_code(status);
    writeln!(std::io::stdout(), "{}", json!({ "wall": wall, "cpu": cpu, "peak": peak, "exit": exit }))?;
    Ok(())
}

/// As shells tell it: killed by signal n is 128 + n.
#[cfg(unix)]
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

/// Seconds of processor time that this process has used so far.
///
/// # Errors
///
/// Where the system does not tell.
#[cfg(unix)]
pub(crate) fn own_cpu() -> anyhow::Result<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    Ok(cpu_seconds(&getrusage(UsageWho::RUSAGE_SELF)?))
}

#[cfg(unix)]
fn usage_of_children() -> anyhow::Result<(f64, u64)> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    // Linux and the BSDs count in KiB, Apple in bytes.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    Ok((cpu_seconds(&usage), usage.max_rss().unsigned_abs() * unit))
}

#[cfg(unix)]
fn cpu_seconds(usage: &nix::sys::resource::Usage) -> f64 {
    use nix::sys::time::TimeValLike;
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
}

#[cfg(not(unix))]
pub(crate) fn own_cpu() -> anyhow::Result<f64> {
    bail!("processor time can be measured on Unix only")
}

#[cfg(not(unix))]
fn usage_of_children() -> anyhow::Result<(f64, u64)> {
    bail!("processor time and memory can be measured on Unix only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_said_the_error_is_kept() {
        assert_eq!(complaint("warning: x\nerror: y\n\nTry --help.\n"), "error: y");
        assert_eq!(complaint("one\n two \n\n"), "two");
        assert_eq!(complaint(""), "no message");
    }

    #[test]
    fn steps_add_up_but_for_their_memory() {
        let one = Usage { wall: 1.0, cpu: 0.5, peak: 100 };
        let two = Usage { wall: 2.0, cpu: 1.5, peak: 70 };
        assert_eq!(one.then(two), Usage { wall: 3.0, cpu: 2.0, peak: 100 });
    }

    #[test]
    #[cfg(unix)]
    fn signals_are_exit_codes_too() {
        let status = |script: &str| exit_code(Command::new("sh").args(["-c", script]).status().unwrap());
        assert_eq!(status("exit 7"), 7);
        assert_eq!(status("kill -9 $$"), 137);
    }

    #[test]
    #[cfg(unix)]
    fn children_are_counted() {
        Command::new("sh").args(["-c", "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"]).status().unwrap();
        let (cpu, peak) = usage_of_children().unwrap();
        assert!(cpu > 0.001 && peak > 100_000, "{cpu} {peak}");
    }
}
