//! The tests, and the documentation, whose examples and links are tests too.

use std::process::Command;

use gosync_rollsum::Tier;

use crate::command::{self, cargo, succeeds};
use crate::steps::Steps;
use crate::{TestOptions, peers, python};

/// Provides the peers, then runs every test and builds the documentation.
///
/// Tests run optimised and with every assertion kept (the profile `checked`), the
/// replay of the fuzzers' corpora among them.
///
/// # Errors
///
/// When a step fails.
pub(crate) fn run(steps: &mut Steps, options: &TestOptions) -> anyhow::Result<()> {
    let mut required = false;
    steps.run("programs to compare with", || {
        required = peers::provide(!options.no_install);
        Ok(())
    })?;

    let test = |arguments: &[&str]| {
        let mut command = cargo(arguments);
        select(&mut command, options);
        command.env("PATH", peers::path());
        if required {
            command.env("GOSYNC_REQUIRE_PEERS", "1");
        }
        command::run(&mut command)
    };
    // `cargo test --doc` fails on packages that are no library, chosen alone.
    if options.packages.is_empty() && succeeds(&mut cargo(["nextest", "--version"])) {
        steps.run("tests", || test(&["nextest", "run", "--no-fail-fast", "--cargo-profile", "checked"]))?;
        steps.run("examples in the documentation", || {
            test(&["test", "--doc", "--no-fail-fast", "--profile", "checked"])
        })?;
    } else {
        steps.run("tests", || test(&["test", "--no-fail-fast", "--profile", "checked"]))?;
    }

    if options.packages.is_empty() || options.packages.iter().any(|package| package == python::PACKAGE) {
        steps.run("tests of the Python package", || python::test(!options.no_install, required))?;
    }

    steps.run("documentation", || {
        let mut command = cargo(["doc", "--no-deps"]);
        select(&mut command, options);
        command::run(command.env("RUSTDOCFLAGS", "-D warnings"))
    })
}

/// The tests of all that has tiers of instructions, and of the command that is made of
/// it, once more for every tier of this machine but the best, which is what all tests use.
///
/// # Errors
///
/// When a test fails.
pub(crate) fn run_tiers(steps: &mut Steps) -> anyhow::Result<()> {
    const PACKAGES: [&str; 4] = ["gosync-rollsum", "gosync-sums", "gosync-comparer", "gosync-cli"];
    // Files of gigabytes and processes that are killed are the same on all tiers.
    const SKIPPED: [&str; 5] = ["--", "--skip", "large::", "--skip", "resume::"];
    for tier in Tier::available().filter(|tier| *tier != Tier::detect()) {
        steps.run(&format!("tests of the tier {tier}"), || {
            let mut command = cargo(["test", "--no-fail-fast", "--profile", "checked", "--tests"]);
            PACKAGES.iter().for_each(|package| _ = command.args(["--package", package]));
            command::run(command.args(SKIPPED).env("GOSYNC_TIER", tier.to_string()))
        })?;
    }
    Ok(())
}

fn select(command: &mut Command, options: &TestOptions) {
    if options.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &options.packages {
        command.args(["--package", package]);
    }
}
