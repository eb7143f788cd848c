//! Packages of Debian, and environments with what Python's index has.

use std::path::Path;
use std::process::Command;

use crate::command;

/// Tries to install packages of Debian; a failure is told, and left to the tests to complain about.
pub(crate) fn install(packages: &[&str]) -> bool {
    let Some(as_root) = as_root() else {
        eprintln!("Nothing was installed: that takes apt-get, and root or sudo without a password.");
        return false;
    };
    let install = || command::run(as_root().arg("sh").arg(command::root().join("xtask/install.sh")).args(packages));
    // A package list may be absent or too old; fetching it each time would take longer.
    let update = || command::run(as_root().args(["apt-get", "update"]));
    let installed = install().or_else(|_| update().and_then(|()| install()));
    if let Err(error) = &installed {
        eprintln!("{error}");
    }
    installed.is_ok()
}

/// The same, of the newest version that Debian has.
pub(crate) fn install_newest(packages: &[&str]) -> bool {
    let Some(as_root) = as_root() else { return false };
    let updated = command::run(as_root().args(["apt-get", "update"]));
    updated.is_ok() && install(packages)
}

/// Makes an environment at `environment` with `packages` of Python's index in it, since
/// systems guard that of their own Python.
///
/// # Errors
///
/// When there is no Python, or its index cannot be reached.
pub(crate) fn make_environment<'a>(environment: &Path, packages: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
    let make = || command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment));
    // Debian has this part of Python in a package of its own.
    make().or_else(|error| if install(&["python3-venv"]) { make() } else { Err(error) })?;
    command::run(Command::new(environment.join("bin/pip")).args(["install", "--quiet"]).args(packages))
}

/// Makes commands that root runs, where this user may do so without being asked.
fn as_root() -> Option<impl Fn() -> Command> {
    command::find("apt-get")?;
    let is_root = command::output(Command::new("id").arg("-u")).is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !is_root && !command::succeeds(Command::new("sudo").args(["-n", "true"])) {
        return None;
    }
    Some(move || {
        let mut command = Command::new(if is_root { "env" } else { "sudo" });
        if !is_root {
            command.args(["-n", "env"]);
        }
        command
    })
}
