//! Fuzzing: every parser against bytes from nowhere, for as long as one likes.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{self, cargo, ensure_subcommand, output, root, succeeds};
use crate::steps::Steps;

/// Fuzzes `target`, or every target, for `seconds` each.
///
/// # Errors
///
/// When there is no such target, one cannot be built, or an input is found that
/// crashes it, takes more than 20 seconds, or more than 2 GiB.
pub(crate) fn run(steps: &mut Steps, target: Option<&str>, seconds: u32) -> anyhow::Result<()> {
    let mut all = Vec::new();
    steps.run("fuzz targets", || {
        ensure_subcommand("fuzz")?;
        all = targets()?;
        eprintln!("{}", all.join("\n"));
        Ok(())
    })?;
    let chosen = match target {
        None => all,
        Some(target) if all.iter().any(|name| name == target) => vec![target.to_owned()],
        Some(target) => bail!("there is no fuzz target \"{target}\""),
    };

    let toolchain = Toolchain::choose();
    for target in chosen {
        steps.run(&format!("fuzz {target} for {seconds} s"), || toolchain.fuzz(&target, seconds))?;
    }
    Ok(())
}

fn targets() -> anyhow::Result<Vec<String>> {
    let listed = output(&mut cargo(["fuzz", "list"]))?;
    if !listed.status.success() {
        bail!("`cargo fuzz list` failed: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let targets: Vec<String> = String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect();
    if targets.is_empty() {
        bail!("there are no fuzz targets");
    }
    Ok(targets)
}

/// What can build with libFuzzer's instrumentation, which is not stable.
enum Toolchain {
    /// With AddressSanitizer, which sees more.
    Nightly,
    /// The stable toolchain, told to look away, without a sanitizer.
    Bootstrap,
}

impl Toolchain {
    fn choose() -> Self {
        // Asked of rustup rather than as `cargo +nightly`: the cargo that runs this
        // program is not rustup's proxy and does not know what `+nightly` means.
        if succeeds(Command::new("rustup").args(["run", "nightly", "cargo", "--version"])) {
            Self::Nightly
        } else {
            eprintln!("There is no nightly toolchain: fuzzing without AddressSanitizer.");
            Self::Bootstrap
        }
    }

    fn fuzz(&self, target: &str, seconds: u32) -> anyhow::Result<()> {
        let mut command = match self {
            Self::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", "cargo", "fuzz", "run", target]);
                command
            }
            Self::Bootstrap => {
                let mut command = cargo(["fuzz", "run", "--sanitizer", "none", target]);
                command.env("RUSTC_BOOTSTRAP", "1");
                command
            }
        };
        // libFuzzer writes what it finds to the first folder and only reads the others,
        // so the corpus in the tree grows only by hand.
        let found = Path::new("fuzz/target/corpus").join(target);
        fs::create_dir_all(root().join(&found)).with_context(|| format!("cannot make {}", found.display()))?;
        command.current_dir(root()).arg(found);
        let corpus = Path::new("fuzz/corpus").join(target);
        if root().join(&corpus).is_dir() {
            command.arg(corpus);
        }
        command.args(["--", &format!("-max_total_time={seconds}"), "-timeout=20", "-rss_limit_mb=2048"]);
        command::run(&mut command)
    }
}
