//! Format, lints and dependencies.

use std::process::Output;

use anyhow::bail;

use crate::command::{cargo, ensure_subcommand, output, root, run as run_command};
use crate::steps::Steps;

/// Checks everything that can be checked without running the code.
///
/// # Errors
///
/// When a check fails.
pub(crate) fn run(steps: &mut Steps) -> anyhow::Result<()> {
    let has_fuzz_targets = root().join("fuzz/Cargo.toml").is_file();
    steps.run("format", || {
        run_command(&mut cargo(["fmt", "--all", "--", "--check"]))?;
        if has_fuzz_targets {
            run_command(&mut cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--", "--check"]))?;
        }
        Ok(())
    })?;
    steps
        .run("lints", || run_command(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])))?;
    if has_fuzz_targets {
        // A workspace of their own, which nothing else builds in an ordinary run.
        steps.run("lints of the fuzz targets", || {
            run_command(&mut cargo(["clippy", "--manifest-path", "fuzz/Cargo.toml", "--", "-D", "warnings"]))
        })?;
    }
    steps.run("bans, licences and sources of dependencies", || {
        ensure_subcommand("deny")?;
        let checks = ["bans", "licenses", "sources"];
        run_command(cargo(["deny", "--all-features", "check", "--hide-inclusion-graph"]).args(checks))
    })?;
    steps.run("advisories on dependencies", advisories)
}

/// Fails on findings only: where the database cannot be had, that is said and no more,
/// since it lives on a host that not every machine can reach.
fn advisories() -> anyhow::Result<()> {
    let fresh = output(&mut cargo(["deny", "--all-features", "check", "advisories"]))?;
    match Verdict::of(&fresh) {
        Verdict::Clean => eprintln!("No findings, with the newest database."),
        Verdict::Findings(report) => bail!("there are advisories on dependencies:\n{report}"),
        Verdict::NotChecked(reason) => {
            let stale = output(&mut cargo(["deny", "--offline", "--all-features", "check", "advisories"]))?;
            match Verdict::of(&stale) {
                Verdict::Clean => eprintln!("WARNING: no findings, but with an old copy of the database:\n{reason}"),
                Verdict::Findings(report) => bail!("there are advisories on dependencies:\n{report}"),
                Verdict::NotChecked(_) => eprintln!(
                    "WARNING: ADVISORIES WERE NOT CHECKED, for lack of the database. \
                     Run `cargo deny check advisories` where it can be reached.\n{reason}"
                ),
            }
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Clean,
    Findings(String),
    NotChecked(String),
}

impl Verdict {
    fn of(output: &Output) -> Self {
        let printed = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat();
        Self::from_printed(output.status.success(), printed)
    }

    /// cargo-deny exits with the same code whether it found something or could not
    /// look, but closes with a verdict only after looking.
    fn from_printed(success: bool, printed: String) -> Self {
        if success {
            Self::Clean
        } else if printed.lines().any(|line| line.contains("advisories FAILED")) {
            Self::Findings(printed)
        } else {
            Self::NotChecked(printed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_not_a_missing_database() {
        let finding = "error[vulnerability]: out-of-bounds write\n\nadvisories FAILED\n".to_owned();
        assert_eq!(Verdict::from_printed(false, finding.clone()), Verdict::Findings(finding));
        let missing = "[ERROR] failed to fetch advisory database: could not resolve host\n".to_owned();
        assert_eq!(Verdict::from_printed(false, missing.clone()), Verdict::NotChecked(missing));
        assert_eq!(Verdict::from_printed(true, "advisories ok\n".into()), Verdict::Clean);
    }
}
