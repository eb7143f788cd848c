//! Debian's packages: whether they are there, and how they get there.

use std::process::Command;

use anyhow::{Context, bail};

use crate::command;
use crate::packages;

/// A compiler for every target, with the source of its standard library: Debian keeps it fit for
/// its browsers.
const COMPILER: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// The compiler's minor version that this wants at least: Debian had an older one, 1.85, under
/// the same name.
const OLDEST: u32 = 89;

/// Sees to it that the compiler is there.
///
/// # Errors
///
/// When it is not, and cannot be installed.
pub(super) fn provide_compiler(install: bool) -> anyhow::Result<()> {
    provide(&COMPILER, install)?;
    if minor()? < OLDEST && !(install && packages::install_newest(&COMPILER) && minor()? >= OLDEST) {
        bail!("Debian's Rust is older than 1.{OLDEST}: run `apt-get update` and install {}", COMPILER.join(" "));
    }
    Ok(())
}

/// Sees to it that `packages` are installed.
///
/// # Errors
///
/// When they are not, and cannot be installed.
pub(super) fn provide(packages: &[&'static str], install: bool) -> anyhow::Result<()> {
    if packages.iter().all(|package| is_installed(package)) || (install && packages::install_newest(packages)) {
        return Ok(());
    }
    bail!("this takes Debian 12 on x86-64: install what is missing with `apt-get install {}`", packages.join(" "))
}

fn is_installed(package: &str) -> bool {
    let query = ["--show", "--showformat", "${db:Status-Status}", package];
    command::output(Command::new("dpkg-query").args(query)).is_ok_and(|output| output.stdout == b"installed")
}

/// The 96 of 1.96.0.
fn minor() -> anyhow::Result<u32> {
    let output = command::output(Command::new("/usr/bin/rustc").arg("--version"))?;
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
    minor.with_context(|| format!("the compiler calls itself {version:?}"))
}
