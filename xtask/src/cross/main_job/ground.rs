//! A folder with two versions of a file, and the commands that work in it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use gosync_testkit::corpus::{self, edit};
use serde_json::Value;

use crate::cross::program::Program;

/// Bytes of the old version.
const LENGTH: usize = 2 << 20;

/// Something to check, and its name.
pub(super) type Check = (&'static str, fn(&Ground<'_>) -> anyhow::Result<()>);

/// The command to check.
pub(crate) struct Checked<'a> {
    /// The command of the target.
    pub(crate) guest: &'a Program,
    /// The same of this machine, which the other is held against.
    pub(crate) host: &'a Program,
    /// What does to programs of Windows what only such programs can do; where they are.
    pub(crate) helper: Option<&'a Program>,
}

/// Where a check is made.
pub(super) struct Ground<'a> {
    checked: &'a Checked<'a>,
    folder: PathBuf,
}

/// What a run of a command left.
pub(super) struct Run {
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

/// A process that ends with this.
pub(super) struct Running(pub(super) Child);

/// A command that serves the folder.
pub(super) struct Serving {
    _process: Running,
    pub(super) url: String,
}

impl<'a> Ground<'a> {
    pub(super) fn new(checked: &'a Checked<'a>, folder: &Path) -> Self {
        Self { checked, folder: folder.to_owned() }
    }

    /// The command that is checked.
    pub(super) fn guest(&self) -> &'a Program {
        self.checked.guest
    }

    /// The command of this machine.
    pub(super) fn host(&self) -> &'a Program {
        self.checked.host
    }

    /// Whether the command that is checked is one of Windows.
    pub(super) fn is_on_windows(&self) -> bool {
        self.checked.helper.is_some()
    }

    /// Runs the helper of Windows.
    pub(super) fn helper(&self) -> anyhow::Result<Command> {
        Ok(self.at_home(self.checked.helper.context("there is a helper on Windows only")?))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn write(&self, name: &str, data: &[u8]) -> anyhow::Result<()> {
        let path = self.path(name);
        path.parent().map(fs::create_dir_all).transpose()?;
        fs::write(&path, data).with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        fs::read(self.path(name)).with_context(|| format!("cannot read {name}"))
    }

    /// The names in the folder, sorted.
    pub(super) fn names(&self) -> anyhow::Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder)?;
        let mut names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names = names.by_ref().collect::<anyhow::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    /// Writes `old` and `new`, which have most in common, and returns the new version.
    pub(super) fn versions(&self) -> anyhow::Result<Vec<u8>> {
        let old = [corpus::text(1, LENGTH / 2), corpus::random(2, LENGTH / 2)].concat();
        let new = edit::overwrite(&edit::insert(&old, 3, 8, 400), 4, 8, 3000);
        self.write("old", &old)?;
        self.write("new", &new)?;
        Ok(new)
    }

    /// The same, and this machine's index of the new version.
    pub(super) fn published(&self) -> anyhow::Result<Vec<u8>> {
        let new = self.versions()?;
        self.succeed(self.host(), &["build", "new"])?;
        Ok(new)
    }

    /// `program` in the folder.
    fn at_home(&self, program: &Program) -> Command {
        let mut command = program.command();
        command.current_dir(&self.folder).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
        command
    }

    pub(super) fn command(&self, program: &Program, arguments: &[&str]) -> Command {
        let mut command = self.at_home(program);
        command.args(arguments);
        command
    }

    pub(super) fn run(&self, program: &Program, arguments: &[&str]) -> anyhow::Result<Run> {
        if self.is_on_windows() && std::ptr::eq(program, self.guest()) {
            let run = Run::of(self.witnessed(arguments)?)?;
            return self.with_end(run);
        }
        Run::of(self.command(program, arguments))
    }

    /// The guest beneath the helper, which writes down how it ended: Wine's server kills the
    /// outermost process now and then when that has come to its end.
    pub(super) fn witnessed(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = self.helper()?;
        command.arg("run").arg(&self.guest().path).args(arguments).env("GOSYNC_EXIT_CODE", self.end());
        Ok(command)
    }

    /// What is known of a run that was [witnessed](Self::witnessed).
    pub(super) fn with_end(&self, run: Run) -> anyhow::Result<Run> {
        let code = fs::read_to_string(self.end()).with_context(|| format!("it has no end: {}", run.stderr))?;
        Ok(Run { code: Some(code.trim().parse()?), ..run })
    }

    /// Where the helper writes.
    fn end(&self) -> PathBuf {
        self.folder.with_extension("end")
    }

    /// Runs what has to succeed.
    pub(super) fn succeed(&self, program: &Program, arguments: &[&str]) -> anyhow::Result<Run> {
        let run = self.run(program, arguments)?;
        ensure!(run.code == Some(0), "{arguments:?} ended with {:?}: {}", run.code, run.stderr);
        Ok(run)
    }

    /// Runs what has to fail with `code`, and to say `words`.
    pub(super) fn fail(&self, program: &Program, arguments: &[&str], code: i32, words: &str) -> anyhow::Result<()> {
        self.run(program, arguments)?.expect(code, words)
    }

    /// Runs what has to succeed, and gives the last line of its JSON.
    pub(super) fn json(&self, program: &Program, arguments: &[&str]) -> anyhow::Result<Value> {
        let run = self.succeed(program, &[arguments, &["--json"]].concat())?;
        let stdout = String::from_utf8(run.stdout)?;
        let last = stdout.lines().last().context("it printed no JSON")?;
        serde_json::from_str(last).with_context(|| format!("this is no JSON: {last}"))
    }

    /// Runs both commands, which have to write the same bytes to the files `outputs`; those of this
    /// machine stay.
    pub(super) fn same_bytes(&self, arguments: &[&str], outputs: &[&str]) -> anyhow::Result<()> {
        let make = |program| {
            self.succeed(program, arguments)?;
            let made = outputs.iter().map(|name| {
                let data = self.read(name)?;
                fs::remove_file(self.path(name))?;
                Ok(data)
            });
            made.collect::<anyhow::Result<Vec<_>>>()
        };
        let (guest, host) = (make(self.guest())?, make(self.host())?);
        for ((name, guest), host) in outputs.iter().zip(guest).zip(host) {
            ensure!(guest == host, "{name} differs: {} bytes, and {} here", guest.len(), host.len());
            self.write(name, &host)?;
        }
        Ok(())
    }

    /// The file `name` has to be `data`.
    pub(super) fn holds(&self, name: &str, data: &[u8]) -> anyhow::Result<()> {
        let found = self.read(name)?;
        ensure!(found == data, "{name} is not what it should be: {} bytes, not {}", found.len(), data.len());
        Ok(())
    }

    /// Serves the folder with `program`.
    pub(super) fn serve(&self, program: &Program) -> anyhow::Result<Serving> {
        let mut command = self.command(program, &["serve", ".", "--bind", "127.0.0.1:0", "--json", "--quiet"]);
        let mut process = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().context("it has no output")?).read_line(&mut line)?;
        let event: Value = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
        let url = event["url"].as_str().context("the server says no URL")?.to_owned();
        Ok(Serving { _process: process, url })
    }
}

impl Run {
    pub(super) fn of(mut command: Command) -> anyhow::Result<Self> {
        let output = command.output()?;
        let stderr = String::from_utf8_lossy(&output.stderr).replace('\r', "");
        Ok(Self { code: output.status.code(), stdout: output.stdout, stderr })
    }

    /// It has to have failed with `code`, and to say `words`.
    pub(super) fn expect(&self, code: i32, words: &str) -> anyhow::Result<()> {
        let (found, stderr) = (self.code, self.stderr.trim());
        ensure!(found == Some(code), "it ended with {found:?} instead of {code}: {stderr}");
        ensure!(stderr.contains(words), "it does not say {words:?}: {stderr}");
        ensure!(!stderr.contains("panicked"), "it panicked: {stderr}");
        Ok(())
    }
}

impl Running {
    /// Waits for its end, and tells what it left.
    pub(super) fn wait(mut self) -> anyhow::Result<Run> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_end(&mut stdout)?;
        }
        if let Some(mut pipe) = self.0.stderr.take() {
            pipe.read_to_end(&mut stderr)?;
        }
        let code = self.0.wait()?.code();
        Ok(Run { code, stdout, stderr: String::from_utf8_lossy(&stderr).replace('\r', "") })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is so, for a minute at most.
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) -> anyhow::Result<()> {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > Duration::from_secs(60) {
            bail!("{what} does not happen");
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
