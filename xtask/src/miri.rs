//! Miri: plain code, interpreted, with every access looked at.

use std::process::Command;

use anyhow::bail;

use crate::command::{self, root, succeeds};
use crate::steps::Steps;

/// What Miri can interpret: all that is left out hashes megabytes, or asks the system for what
/// Miri does not know.
const PACKAGES: [(&str, &[&str]); 3] = [
    ("gosync-rollsum", &["rolling_sum::", "polynomial::", "rsync::", "sieve::", "tier::"]),
    ("gosync-chunks", &["block::", "plan::", "data::tests::s"]),
    ("gosync-files", &["read_buffer::"]),
];

/// What of them sums so much that it would take minutes.
const SKIPPED: [&str; 6] = ["--skip", "blocks_of_every", "--skip", "golden_sums", "--skip", "zeros_behind"];

/// Runs those tests, scalar and with few random cases.
///
/// # Errors
///
/// When one fails or does what is not defined, or there is no Miri.
pub(crate) fn run(steps: &mut Steps) -> anyhow::Result<()> {
    // Asked of rustup, as for the fuzz targets.
    let miri = |arguments: &[&str]| {
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "miri"]).args(arguments).current_dir(root());
        command
    };
    if !succeeds(&mut miri(&["--version"])) {
        bail!("there is no Miri: get it with `rustup component add miri rust-src --toolchain nightly`");
    }
    for (package, tests) in PACKAGES {
        steps.run(&format!("miri, {package}"), || {
            let mut command = miri(&["test", "--package", package, "--lib", "--"]);
            // Without isolation the tests see their environment.
            command
                .args(tests)
                .args(SKIPPED)
                .envs([("MIRIFLAGS", "-Zmiri-disable-isolation"), ("PROPTEST_CASES", "4")]);
            command::run(command.env("GOSYNC_TIER", "portable"))
        })?;
    }
    Ok(())
}
