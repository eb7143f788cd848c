//! The project's chores: `cargo xtask test`, `cargo xtask ci`, `cargo xtask fuzz`, `cargo xtask bench`.

#![allow(clippy::print_stderr, reason = "a program that talks to its user")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod avx512;
mod bench;
mod checks;
mod command;
mod cross;
mod fuzz;
mod instructions;
mod miri;
mod packages;
mod peers;
mod python;
mod steps;
mod suite;

use bench::BenchOptions;
use cross::CrossOptions;
use steps::Steps;
use suite::TestOptions;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs every test, with the real programs to compare with, and builds the documentation
    Test {
        #[command(flatten)]
        options: TestOptions,
        /// Runs the tests that take long, and fuzzes every target for a minute, too
        #[arg(long)]
        long: bool,
    },
    /// Fuzzes one target, or one after another
    Fuzz {
        /// The target [default: all]
        target: Option<String>,
        /// How long to fuzz each target
        #[arg(long, default_value_t = 60, value_name = "N")]
        seconds: u32,
    },
    /// Measures gosync and its peers on the same work, and writes BENCHMARKS.md
    Bench {
        #[command(flatten)]
        options: BenchOptions,
    },
    /// Runs a program, and prints what it cost as JSON
    #[command(hide = true)]
    Measure {
        /// Where its standard output goes [default: nowhere]
        #[arg(long)]
        stdout: Option<PathBuf>,
        /// The program and its arguments
        #[arg(last = true, required = true)]
        words: Vec<OsString>,
    },
    /// Measures the scan alone, in this process, and prints the rates as JSON
    #[command(hide = true)]
    ScanRates {
        /// Fewer sizes and rounds
        #[arg(long)]
        quick: bool,
    },
    /// Counts the instructions of the scan and the sums, and compares them with their bounds
    Instructions {
        /// Installs nothing
        #[arg(long)]
        no_install: bool,
    },
    /// Has Miri interpret the plain code of the sums and of the shared vocabulary
    Miri,
    /// Tests the tier of 512-bit vectors, in an emulator where this machine lacks it
    Avx512 {
        /// Installs nothing
        #[arg(long)]
        no_install: bool,
    },
    /// Builds and tests for other platforms, with every choice of features, and by the oldest compiler
    Cross {
        #[command(flatten)]
        options: CrossOptions,
    },
    /// What a change has to pass: format, lints, dependencies, `test` and `instructions`
    Ci {
        #[command(flatten)]
        options: TestOptions,
        /// Fuzzes every target for a minute, and does `cross` too: what a release has to pass
        #[arg(long)]
        long: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut steps = Steps::default();
    match run(&mut steps, &arguments.chore) {
        Ok(()) => {
            steps.print_summary();
            match steps.finish() {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("\nerror: {error}");
                    ExitCode::FAILURE
                }
            }
        }
        Err(error) => {
            eprintln!("\nerror: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(steps: &mut Steps, chore: &Chore) -> anyhow::Result<()> {
    match chore {
        Chore::Test { options, long } => {
            suite::run(steps, options)?;
            if *long {
                suite::run_long(steps);
                fuzz::run(steps, None, 60)?;
            }
            Ok(())
        }
        Chore::Fuzz { target, seconds } => fuzz::run(steps, target.as_deref(), *seconds),
        Chore::Bench { options } => bench::run(steps, options),
        Chore::Instructions { no_install } => instructions::run(steps, !*no_install),
        Chore::Miri => miri::run(steps),
        Chore::Avx512 { no_install } => avx512::run(steps, !*no_install),
        Chore::Measure { stdout, words } => bench::accounting::measure(stdout.as_deref(), words),
        Chore::ScanRates { quick } => bench::scan::print_rates(*quick),
        Chore::Cross { options } => cross::run(steps, options),
        Chore::Ci { options, long } => {
            // The lints of the fuzz targets need one of them too.
            peers::provide(!options.no_install);
            checks::run(steps)?;
            cross::run_checks(steps, !options.no_install)?;
            suite::run(steps, options)?;
            suite::run_tiers(steps);
            instructions::run(steps, !options.no_install)?;
            if *long {
                suite::run_long(steps);
                fuzz::run(steps, None, 60)?;
                cross::run(steps, &CrossOptions::all(options.no_install))?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
        assert!(
            Arguments::try_parse_from(["xtask", "test", "--long", "--no-install", "-p", "one", "-p", "two"]).is_ok()
        );
        assert!(Arguments::try_parse_from(["xtask", "fuzz", "index", "--seconds", "5"]).is_ok());
        assert!(Arguments::try_parse_from(["xtask", "bench", "wire", "--quick", "--peers", "rdiff,zsync"]).is_ok());
        assert!(Arguments::try_parse_from(["xtask", "measure", "--", "program", "--quick"]).is_ok());
        assert!(Arguments::try_parse_from(["xtask"]).is_err());
    }
}
