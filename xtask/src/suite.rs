//! The tests, and the documentation, whose examples and links are tests too.

use std::process::Command;

use crate::command::{self, cargo, succeeds};
use crate::steps::Steps;
use crate::{TestOptions, peers};

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

    steps.run("documentation", || {
        let mut command = cargo(["doc", "--no-deps"]);
        select(&mut command, options);
        command::run(command.env("RUSTDOCFLAGS", "-D warnings"))
    })
}

fn select(command: &mut Command, options: &TestOptions) {
    if options.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &options.packages {
        command.args(["--package", package]);
    }
}
