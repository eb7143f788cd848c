//! Other platforms: what builds for them here is built, and what runs here is run.
//!
//! All of it takes Debian 12 on x86-64, whose packages bring a compiler with the source of its
//! standard library, linkers for other processors, QEMU and Wine.

mod debian;
mod features;
mod main_job;
mod msrv;
mod musl;
mod program;
mod targets;
mod tests;
mod wine;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::command::{self, cargo, root};
use crate::steps::Steps;
use main_job::ground::Checked;
use program::{Program, Runner};
use targets::{AARCH64, I686, MACOS, MUSL, S390X, Target, WASI, WINDOWS};
use tests::{Skip, Suite};

/// What to build and to run.
#[derive(Args)]
pub(crate) struct CrossOptions {
    /// What to check; may be several [default: all]
    #[arg(value_enum, value_name = "WHAT")]
    what: Vec<What>,
    /// Installs nothing
    #[arg(long)]
    no_install: bool,
}

impl CrossOptions {
    /// Everything.
    pub(crate) fn all(no_install: bool) -> Self {
        Self { what: Vec::new(), no_install }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// 64-bit ARM: the tests of the libraries and the main job, in QEMU
    Aarch64,
    /// Big-endian: the tests of the libraries, in QEMU
    S390x,
    /// 32 bits: the tests of the libraries
    I686,
    /// A command that is one static file: the main job
    Musl,
    /// Windows: the main job and all tests, in Wine
    Windows,
    /// WASI, type checked
    Wasi,
    /// macOS, type checked
    Macos,
    /// Every choice of features
    Features,
    /// The oldest compiler that the manifests promise
    Msrv,
}

/// What is for this machine only: Python's interpreter is, and what this is part of.
const HERE_ONLY: [&str; 2] = ["gosync-python", "xtask"];

/// What tests in QEMU leave out too: programs that are started by their tests, which QEMU is not
/// asked for.
const NO_LIBRARIES: [&str; 4] = ["gosync-python", "xtask", "gosync-cli", "gosync-examples"];

/// What cannot pass in QEMU.
const IN_QEMU: &[Skip] = &[
    Skip { test: "guard::tests::what_is_outside_ends_the_process", why: "it starts itself, without QEMU" },
    Skip {
        test: "ssh::an_ssh_that_is_not_there_is_told",
        why: "QEMU forks for vfork, so nobody hears that a program is not there",
    },
];

/// What cannot pass in Wine.
const IN_WINE: &[Skip] = &[Skip { test: "publish_tar", why: "Wine has no tar, as Windows has" }];

/// What is no library that others build on; and directories, whose handles the standard library has
/// for WASI only in the compilers of each night.
const NOT_PORTABLE: [&str; 7] =
    ["gosync-python", "xtask", "gosync-cli", "gosync-server", "gosync-testkit", "gosync-tree", "gosync-examples"];

/// What has code for different instructions.
const TIERED: [&str; 3] = ["gosync-rollsum", "gosync-sums", "gosync-comparer"];

/// Does all that is asked for.
///
/// # Errors
///
/// When something does not build, a test or a check fails, or this is no machine for it.
pub(crate) fn run(steps: &mut Steps, options: &CrossOptions) -> anyhow::Result<()> {
    let whats = if options.what.is_empty() { What::value_variants() } else { &options.what[..] };
    let install = !options.no_install;
    for what in whats {
        match what {
            What::Aarch64 => {
                provide(steps, &AARCH64, install)?;
                test(steps, &AARCH64, &["portable"], IN_QEMU)?;
                command(steps, &AARCH64)?;
            }
            What::S390x => {
                provide(steps, &S390X, install)?;
                test(steps, &S390X, &[], IN_QEMU)?;
            }
            What::I686 => {
                provide(steps, &I686, install)?;
                test(steps, &I686, &[], &[])?;
            }
            What::Musl => {
                provide(steps, &MUSL, install)?;
                steps.run("musl: building the command", || {
                    command::run(musl::cargo("build")?.args(["--package", "gosync-cli"]))?;
                    musl::check_static()
                })?;
                main_job(steps, &MUSL, &Runner::of(&MUSL), None)?;
            }
            What::Windows => {
                provide(steps, &WINDOWS, install)?;
                windows(steps)?;
            }
            What::Wasi => check(steps, &WASI, false, install)?,
            What::Macos => check(steps, &MACOS, false, install)?,
            What::Features => features::run(steps)?,
            What::Msrv => steps.run("oldest compiler", msrv::run)?,
        }
    }
    Ok(())
}

/// Type checks what CI has the time for: where systems differ most. The lints, which CI runs in any
/// case, look for what the oldest compiler lacks.
///
/// # Errors
///
/// When something does not compile.
pub(crate) fn run_checks(steps: &mut Steps, install: bool) -> anyhow::Result<()> {
    check(steps, &WINDOWS, true, install)
}

fn provide(steps: &mut Steps, target: &Target, install: bool) -> anyhow::Result<()> {
    steps.run(&format!("{}: compilers and what runs programs", target.name), || {
        debian::provide_compiler(install)?;
        debian::provide(target.packages, install)
    })
}

/// Builds and runs the libraries' tests.
fn test(steps: &mut Steps, target: &Target, tiers: &[&str], skips: &[Skip]) -> anyhow::Result<()> {
    let runner = Runner::of(target);
    tests::run(steps, &Suite { target, runner: &runner, without: &NO_LIBRARIES, skips, tiers, tiered: &TIERED })
}

/// Builds the command, and has it do the main job.
fn command(steps: &mut Steps, target: &Target) -> anyhow::Result<()> {
    build_command(steps, target)?;
    main_job(steps, target, &Runner::of(target), None)
}

fn build_command(steps: &mut Steps, target: &Target) -> anyhow::Result<()> {
    steps.run(&format!("{}: building the command", target.name), || {
        command::run(target.cargo("build").args(["--package", "gosync-cli"]))
    })
}

/// Has the command of `target` do the main job beside that of this machine.
fn main_job(steps: &mut Steps, target: &Target, runner: &Runner, helper: Option<&Program>) -> anyhow::Result<()> {
    let name = if helper.is_some() { "gosync.exe" } else { "gosync" };
    steps.run(&format!("{}: main job", target.name), || {
        command::run(&mut cargo(["build", "--profile", "checked", "--package", "gosync-cli"]))?;
        let guest = Program { path: target.program(name), runner: runner.clone() };
        let host = Program { path: root().join("target/checked/gosync"), runner: Runner::default() };
        let checked = Checked { guest: &guest, host: &host, helper };
        main_job::run(&checked, &targets::folder().join("main-job").join(target.name))
    })
}

fn windows(steps: &mut Steps) -> anyhow::Result<()> {
    build_command(steps, &WINDOWS)?;
    let mut wine = None;
    steps.run("windows: a drive C", || {
        wine = Some(wine::Wine::prepare()?);
        Ok(())
    })?;
    let Some(wine) = wine else { bail!("there is no Wine") };
    main_job(steps, &WINDOWS, wine.runner(), Some(&wine.helper()))?;
    let suite =
        Suite { target: &WINDOWS, runner: wine.runner(), without: &HERE_ONLY, skips: IN_WINE, tiers: &[], tiered: &[] };
    tests::run(steps, &suite)
}

/// Type checks the libraries for `target`: with their tests' vocabulary, the server and the command
/// where `is_whole`, and without what asks for an operating system's network where not.
fn check(steps: &mut Steps, target: &Target, is_whole: bool, install: bool) -> anyhow::Result<()> {
    steps.run(&format!("{}: type check", target.name), || {
        debian::provide_compiler(install)?;
        let mut command = target.cargo("check");
        command.arg("--workspace");
        let without = if is_whole { &HERE_ONLY[..] } else { &NOT_PORTABLE };
        without.iter().for_each(|package| _ = command.args(["--exclude", package]));
        if !is_whole {
            command.arg("--no-default-features");
        }
        // Nothing is linked, so what is written in C need not be compiled.
        command::run(command.envs([("CC", "true"), ("AR", "true")]))
    })
}
