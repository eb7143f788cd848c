//! Python: environments with what its index has, and the tests of our own package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::command::{self, root};
use crate::packages::make_environment;
use crate::peers;

/// The name of the package in the workspace.
pub(crate) const PACKAGE: &str = "gosync-python";

/// What the package is built and tested with.
const TOOLS: [&str; 8] = [
    "blake3==1.0.11",
    "distributed==2026.8.0",
    "maturin==1.16.0",
    "mypy==2.4.1",
    "pytest==9.2.0",
    "python-librsync==0.1.post5",
    "xxhash==4.1.0",
    "zstandard==0.25.0",
];

/// Builds the wheel as users get it, but with every assertion kept, and runs the tests of
/// the package with it, in an environment that is made when it is not there.
///
/// # Errors
///
/// When a test fails, or, where `required`, when the environment cannot be made.
pub(crate) fn test(install: bool, required: bool) -> anyhow::Result<()> {
    let environment = root().join("target/python");
    let Some(program) = provide(&environment, install, required)? else { return Ok(()) };
    let wheels = environment.join("wheels");
    if wheels.exists() {
        fs::remove_dir_all(&wheels)?;
    }
    let folder = root().join("bindings/python");
    let mut build = Command::new(program("maturin"));
    build.args(["build", "--profile", "checked", "--compatibility", "linux", "--out"]).arg(&wheels);
    command::run(build.arg("--interpreter").arg(program("python")).current_dir(&folder))?;

    let wheel = fs::read_dir(&wheels)?.next().context("maturin made no wheel")??.path();
    let install = ["install", "--quiet", "--force-reinstall", "--no-deps", "--no-index"];
    command::run(Command::new(program("pip")).args(install).arg(wheel))?;
    command::run(Command::new(program("mypy")).args(["--strict", "-p", "gosync"]).current_dir(&environment))?;
    let mut tests = Command::new(program("python"));
    tests
        .args(["-m", "pytest", "-p", "no:cacheprovider"])
        .env("PATH", peers::path())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if required {
        tests.env("GOSYNC_REQUIRE_PEERS", "1");
    }
    command::run(tests.current_dir(&folder))
}

/// Where the programs of the environment are; `None`, said loudly, where it is missing
/// and need not be there.
fn provide(
    environment: &Path,
    install: bool,
    required: bool,
) -> anyhow::Result<Option<impl Fn(&str) -> PathBuf + use<>>> {
    let made_with = environment.join("made-with");
    let tools = TOOLS.join("\n");
    if !fs::read_to_string(&made_with).is_ok_and(|made_with| made_with == tools) {
        let made = if install {
            make_environment(environment, TOOLS.into_iter())
        } else {
            Err(anyhow::anyhow!("{} is missing, and nothing is to be installed", environment.display()))
        };
        match made {
            Ok(()) => fs::write(&made_with, tools)?,
            Err(error) if required => return Err(error),
            Err(error) => {
                eprintln!("SKIPPED: the Python package is not tested: {error:#}");
                return Ok(None);
            }
        }
    }
    let programs = environment.join("bin");
    Ok(Some(move |name: &str| programs.join(name)))
}
