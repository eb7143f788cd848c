//! Counting instructions, in valgrind.

use std::process::Command;

use anyhow::bail;

use crate::command::{self, cargo, output};
use crate::packages;
use crate::steps::Steps;

/// The version that the workspace's `Cargo.toml` pins; the two have to be the same.
const RUNNER: &str = "0.20.0";

/// The benchmarks `instructions`: which packages have one.
const PACKAGES: [&str; 2] = ["gosync-rollsum", "gosync-sums"];

/// Counts, and compares with the bounds in the benchmarks.
///
/// # Errors
///
/// When a count is above its bound, or valgrind is missing.
pub(crate) fn run(steps: &mut Steps, install: bool) -> anyhow::Result<()> {
    steps.run("counts of instructions", || {
        if command::find("valgrind").is_none() && !(install && packages::install(&["valgrind"])) {
            bail!("valgrind counts the instructions: install it, on Debian with `sudo apt-get install valgrind`");
        }
        let installed = output(Command::new("gungraun-runner").arg("--version"));
        if !installed.is_ok_and(|printed| String::from_utf8_lossy(&printed.stdout).trim().ends_with(RUNNER)) {
            command::run(&mut cargo(["install", "gungraun-runner", "--locked", "--version", RUNNER]))?;
        }
        PACKAGES.iter().try_for_each(|package| {
            command::run(&mut cargo(["bench", "--package", package, "--bench", "instructions"]))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_is_of_the_version_that_is_pinned() {
        let manifest = std::fs::read_to_string(command::root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("gungraun = \"={RUNNER}\"")));
    }
}
