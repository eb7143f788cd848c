//! The oldest compiler: what the manifests promise is kept.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::command::{self, cargo, root, succeeds};

/// Checks that no dependency wants a newer compiler than the manifests promise, and compiles the
/// published crates with the promised one where rustup has it. Where it has not, Clippy looks for
/// calls that its library lacks (`incompatible_msrv`); syntax that is newer goes unseen.
///
/// # Errors
///
/// When a newer compiler is needed.
pub(super) fn run() -> anyhow::Result<()> {
    let metadata = command::output_shown(&mut cargo(["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_slice(&metadata).context("cargo tells nothing of the workspace")?;
    let packages = metadata["packages"].as_array().context("there are no packages")?;
    let (dependencies, ours): (Vec<_>, Vec<_>) = packages.iter().partition(|package| package["source"].is_string());
    let oldest = ours.first().and_then(|package| package["rust_version"].as_str()).context("no rust-version")?;
    for package in dependencies {
        let wanted = package["rust_version"].as_str().unwrap_or("1");
        let name = &package["name"];
        ensure!(numbers(wanted) <= numbers(oldest), "{name} wants Rust {wanted}, and rust-version is {oldest}");
    }

    let mut command = if succeeds(Command::new("rustup").args(["run", oldest, "rustc", "--version"])) {
        let mut command = Command::new("rustup");
        command.args(["run", oldest, "cargo", "check", "--target-dir", "target/cross"]).current_dir(root());
        command
    } else {
        eprintln!("rustup has no Rust {oldest}: only Clippy looks for what that lacks");
        cargo(["clippy"])
    };
    for package in ours.iter().filter(|package| package["publish"].is_null()) {
        command.args(["--package", package["name"].as_str().context("a package has no name")?]);
    }
    command::run(&mut command)
}

/// `1.89` or `1.89.0` as numbers.
fn numbers(version: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap_or(0)).collect();
    numbers.resize(3, 0);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(numbers("1.89"), numbers("1.89.0"));
        assert!(numbers("1.100") > numbers("1.89.1") && numbers("1.9") < numbers("1.10"));
    }
}
