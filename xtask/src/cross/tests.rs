//! The workspace's tests, built for another target and run by what runs its programs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::program::Runner;
use super::targets::Target;
use crate::command;
use crate::steps::Steps;

/// A test that cannot pass for a target, and why.
pub(super) struct Skip {
    pub(super) test: &'static str,
    pub(super) why: &'static str,
}

/// A program with tests.
struct Tests {
    /// What to call it: the package and the program in it.
    name: String,
    program: PathBuf,
    /// The folder of the package, where cargo runs its tests.
    folder: PathBuf,
}

/// Builds all tests of `packages` for `target` and runs them, but for those of `skips`; then those
/// of `tiered` packages once more for each of `tiers`.
///
/// # Errors
///
/// When tests cannot be built, or one fails.
pub(super) fn run(steps: &mut Steps, suite: &Suite<'_>) -> anyhow::Result<()> {
    let name = suite.target.name;
    let mut tests = Vec::new();
    steps.run(&format!("{name}: building the tests"), || {
        tests = build(suite)?;
        Ok(())
    })?;
    steps.run(&format!("{name}: tests"), || run_all(suite, &tests.iter().collect::<Vec<_>>(), None))?;
    for tier in suite.tiers {
        let is_tiered = |test: &&Tests| suite.tiered.iter().any(|package| test.name.starts_with(package));
        let tests: Vec<&Tests> = tests.iter().filter(is_tiered).collect();
        steps.run(&format!("{name}: tests of the tier {tier}"), || run_all(suite, &tests, Some(tier)))?;
    }
    Ok(())
}

/// What to test, and how.
pub(super) struct Suite<'a> {
    pub(super) target: &'a Target,
    pub(super) runner: &'a Runner,
    /// Packages that are left out.
    pub(super) without: &'a [&'a str],
    pub(super) skips: &'a [Skip],
    /// Tiers of instructions other than the best, and the packages that have tiers.
    pub(super) tiers: &'a [&'a str],
    pub(super) tiered: &'a [&'a str],
}

/// Builds the test programs and tells where they are.
fn build(suite: &Suite<'_>) -> anyhow::Result<Vec<Tests>> {
    let mut command = suite.target.cargo("test");
    command.args(["--no-run", "--tests", "--message-format=json-render-diagnostics", "--workspace"]);
    suite.without.iter().for_each(|package| _ = command.args(["--exclude", package]));
    let built = command::output_shown(&mut command)?;
    let messages = built.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let tests: Vec<Tests> = messages.filter_map(|message| Tests::of(&message)).collect();
    ensure!(!tests.is_empty(), "cargo built no tests");
    Ok(tests)
}

impl Tests {
    /// The tests that cargo tells of, if it does.
    fn of(message: &Value) -> Option<Self> {
        let program = message["executable"].as_str()?.into();
        if message["profile"]["test"] != true {
            return None;
        }
        let folder = PathBuf::from(message["manifest_path"].as_str()?).parent()?.to_owned();
        // `path+file:///…/chunks#gosync-chunks@0.1.0`, or `…/gosync#0.1.0`
        let id = message["package_id"].as_str()?;
        let (path, version) = id.rsplit_once('#')?;
        let package = version.split_once('@').map_or_else(|| path.rsplit('/').next(), |(name, _)| Some(name))?;
        Some(Self { name: format!("{package} {}", message["target"]["name"].as_str()?), program, folder })
    }
}

/// Runs all of `tests`, even when some fail.
fn run_all(suite: &Suite<'_>, tests: &[&Tests], tier: Option<&str>) -> anyhow::Result<()> {
    let (mut passed, mut failed) = (0, Vec::new());
    for test in tests {
        let mut command = suite.runner.command(&test.program);
        command.current_dir(&test.folder).env("CARGO_MANIFEST_DIR", &test.folder);
        command.env("INSTA_WORKSPACE_ROOT", command::root()).env("PATH", crate::peers::path());
        for skip in suite.skips {
            command.args(["--skip", skip.test]);
        }
        tier.into_iter().for_each(|tier| _ = command.env("GOSYNC_TIER", tier));
        eprintln!("--- {}", test.name);
        match run_one(&mut command) {
            Ok(count) => passed += count,
            Err(error) => {
                eprintln!("--- {} FAILED: {error:#}", test.name);
                failed.push(test.name.as_str());
            }
        }
    }
    for Skip { test, why } in suite.skips {
        eprintln!("not run: {test}: {why}");
    }
    eprintln!("{passed} tests passed");
    if failed.is_empty() { Ok(()) } else { bail!("tests of {} failed", failed.join(", ")) }
}

/// Runs the tests of one program, and tells how many passed.
fn run_one(command: &mut Command) -> anyhow::Result<u64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot run it")?;
    let mut passed = None;
    for line in BufReader::new(child.stdout.take().context("it has no output")?).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        // Those that pass are too many to list.
        if !line.is_empty() && !line.ends_with(" ... ok") {
            eprintln!("{line}");
        }
        let counts = line.strip_prefix("test result: ok. ").and_then(|counts| counts.split_once(" passed"));
        passed = counts.and_then(|(count, _)| count.parse().ok()).or(passed);
    }
    let status = child.wait()?;
    // Wine's server kills programs now and then that have come to their end.
    let is_killed = status.code().is_none();
    match passed {
        Some(passed) if status.success() || is_killed => Ok(passed),
        _ => bail!("it ended with {status}"),
    }
}
