//! The tests, and the documentation, whose examples and links are tests too.

use std::process::Command;

use clap::Args;
use gosync_rollsum::Tier;

use crate::command::{self, cargo, succeeds};
use crate::steps::Steps;
use crate::{peers, python};

/// What to test.
#[derive(Args)]
pub(crate) struct TestOptions {
    /// Installs nothing
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Tests this package only; may be given several times [default: all]
    #[arg(short, long = "package", value_name = "PACKAGE")]
    pub(crate) packages: Vec<String>,
}

/// Provides the peers, then runs every test and builds the documentation.
///
/// Tests run optimised and with every assertion kept (the profile `checked`), the
/// replay of the fuzzers' corpora among them. Where one step fails the others run all the same.
///
/// # Errors
///
/// When it cannot be told what is there to compare with.
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
        steps.run_alone("tests", || test(&["nextest", "run", "--no-fail-fast", "--cargo-profile", "checked"]));
        steps.run_alone("examples in the documentation", || {
            test(&["test", "--doc", "--no-fail-fast", "--profile", "checked"])
        });
    } else {
        steps.run_alone("tests", || test(&["test", "--no-fail-fast", "--profile", "checked"]));
    }

    if options.packages.is_empty() || options.packages.iter().any(|package| package == python::PACKAGE) {
        steps.run_alone("tests of the Python package", || python::test(!options.no_install, required));
    }

    steps.run_alone("documentation", || {
        let mut command = cargo(["doc", "--no-deps"]);
        select(&mut command, options);
        command::run(command.env("RUSTDOCFLAGS", "-D warnings"))
    });
    Ok(())
}

/// The tests of all that has tiers of instructions, and of the command that is made of
/// it, once more for every tier of this machine but the best, which is what all tests use.
pub(crate) fn run_tiers(steps: &mut Steps) {
    const PACKAGES: [&str; 4] = ["gosync-rollsum", "gosync-sums", "gosync-comparer", "gosync-cli"];
    // Files of gigabytes and processes that are killed are the same on all tiers.
    const SKIPPED: [&str; 5] = ["--", "--skip", "large::", "--skip", "resume::"];
    for tier in Tier::available().filter(|tier| *tier != Tier::detect()) {
        steps.run_alone(&format!("tests of the tier {tier}"), || {
            let mut command = cargo(["test", "--no-fail-fast", "--profile", "checked", "--tests"]);
            PACKAGES.iter().for_each(|package| _ = command.args(["--package", package]));
            command::run(command.args(SKIPPED).env("GOSYNC_TIER", tier.to_string()))
        });
    }
}

/// The tests that take too long for each time.
pub(crate) fn run_long(steps: &mut Steps) {
    steps.run_alone("tests that take long", || {
        let test = ["test", "--profile", "checked", "--package", "gosync-cli", "--test", "it", "--", "--ignored"];
        command::run(&mut cargo(test))
    });
}

fn select(command: &mut Command, options: &TestOptions) {
    if options.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &options.packages {
        command.args(["--package", package]);
    }
}
