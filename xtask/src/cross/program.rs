//! Programs of another target, and how they are run on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::targets::Target;

/// What runs the programs of a target.
#[derive(Clone, Default)]
pub(super) struct Runner {
    words: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
}

impl Runner {
    /// This machine itself, or the emulator that the target names.
    pub(super) fn of(target: &Target) -> Self {
        Self { words: target.runner.iter().map(Into::into).collect(), environment: Vec::new() }
    }

    /// The same, with a variable set.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs `program`.
    pub(super) fn command(&self, program: &Path) -> Command {
        let words: Vec<&OsString> = self.words.iter().collect();
        let mut command = match words.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A program, and what runs it.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) runner: Runner,
}

impl Program {
    /// Runs it.
    pub(super) fn command(&self) -> Command {
        self.runner.command(&self.path)
    }
}
