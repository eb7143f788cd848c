//! Wine, which runs programs of Windows here: a folder with a drive C, and what it lacks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{Program, Runner};
use super::targets::{self, WINDOWS};
use crate::command;

/// Missing in Wine 8, and there in Windows since version 8.
const RANDOM: (&str, &str) = ("bcryptprimitives.dll", include_str!("random.c"));
const HELPER: (&str, &str) = ("helper.exe", include_str!("helper.c"));

/// A drive of its own, on which programs can be run; ends with what runs there.
pub(super) struct Wine {
    runner: Runner,
    folder: PathBuf,
}

impl Wine {
    /// Makes the drive, unless it is there.
    ///
    /// # Errors
    ///
    /// When Wine or the compiler for its DLL is missing.
    pub(super) fn prepare() -> anyhow::Result<Self> {
        let folder = targets::folder().join("wine");
        fs::create_dir_all(&folder)?;
        let prefix = folder.join("prefix");
        let runner = Runner::of(&WINDOWS)
            .with("WINEPREFIX", &prefix)
            .with("WINEDEBUG", "-all")
            // It asks for .NET and a browser otherwise.
            .with("WINEDLLOVERRIDES", "mscoree,mshtml=");
        let wine = Self { runner, folder };
        let system = prefix.join("drive_c/windows/system32");
        if !system.join(RANDOM.0).is_file() {
            command::run(wine.run("wineboot").arg("--init"))?;
            // Windows 7 otherwise.
            let version = ["add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f"];
            command::run(wine.run("reg").args(version))?;
            wine.compile(RANDOM, &["-shared", "-ladvapi32"])?;
            fs::copy(wine.folder.join(RANDOM.0), system.join(RANDOM.0))?;
        }
        wine.compile(HELPER, &["-municode"])?;
        Ok(wine)
    }

    /// What runs programs on this drive.
    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    pub(super) fn program(&self, path: PathBuf) -> Program {
        Program { path, runner: self.runner.clone() }
    }

    /// What does to programs what only programs of Windows can do.
    pub(super) fn helper(&self) -> Program {
        self.program(self.folder.join(HELPER.0))
    }

    fn run(&self, program: &str) -> Command {
        self.runner.command(Path::new(program))
    }

    fn compile(&self, (name, source): (&str, &str), options: &[&str]) -> anyhow::Result<()> {
        let path = self.folder.join(name).with_extension("c");
        fs::write(&path, source)?;
        let mut compiler = Command::new(WINDOWS.linker);
        command::run(
            compiler.args(["-O1", "-Wall", "-Werror", "-o"]).arg(self.folder.join(name)).arg(path).args(options),
        )
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // Wine's server stays for a while, and would hold the drive.
        command::succeeds(self.run("wineboot").arg("--kill"));
    }
}
