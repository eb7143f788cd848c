//! `gosync completions`: what a shell needs to complete command lines.

use std::io::{self, Write};
use std::process::ExitCode;

use clap_complete::Shell;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync completions bash > ~/.local/share/bash-completion/completions/gosync\n\
    \x20 gosync completions zsh > ~/.zfunc/_gosync         where fpath has ~/.zfunc\n\
    \x20 gosync completions fish > ~/.config/fish/completions/gosync.fish")]
pub(crate) struct Completions {
    /// The shell that is to read them
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints those of `command`.
    pub(crate) fn run(self, mut command: clap::Command) -> anyhow::Result<ExitCode> {
        let (mut script, name) = (Vec::new(), command.get_name().to_owned());
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        let mut out = io::stdout().lock();
        out.write_all(&script)?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
