//! `gosync man`: pages of the manual, made of the help texts.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Command;
use clap_mangen::roff::{Roff, bold, roman};
use serde_json::json;

use crate::console::Console;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync man | man -l -                            read the first page\n\
    \x20 gosync man --dir ~/.local/share/man/man1         then `man gosync-patch`")]
pub(crate) struct Man {
    /// Write the pages of all commands here, and those of the names rdiff, zsync and zsyncmake [default:
    /// print the first page]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    /// Makes the pages of `programs`, of which the first is this one, and of their commands.
    pub(crate) fn run(self, programs: Vec<Command>, console: &Console) -> anyhow::Result<ExitCode> {
        let mut commands = Vec::new();
        for mut program in programs {
            program = program.disable_help_subcommand(true);
            program.build();
            collect(&program, &mut commands);
        }
        let Some(dir) = self.dir else {
            let mut out = io::stdout().lock();
            out.write_all(&page(&commands[0])?)?;
            out.flush()?;
            return Ok(ExitCode::SUCCESS);
        };
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for command in &commands {
            let path = dir.join(format!("{}.1", name(command)));
            fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
        }
        console.message(format_args!("{}: {} pages", dir.display(), commands.len()));
        console.event(&json!({ "event": "done", "output": dir, "pages": commands.len() }))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn collect(command: &Command, into: &mut Vec<Command>) {
    into.push(command.clone());
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).for_each(|sub| collect(sub, into));
}

/// As its page is called: `gosync-patch`.
fn name(command: &Command) -> String {
    command.get_bin_name().unwrap_or(command.get_name()).replace(' ', "-")
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let name = name(command);
    let usage = command.clone().render_usage().to_string().trim_start_matches("Usage: ").to_owned();
    let described = command
        .clone()
        .display_name(&name)
        .override_usage(usage)
        .mut_args(|argument| if argument.is_positional() { argument.help_heading("Arguments") } else { argument });
    let man = clap_mangen::Man::new(described);

    // Without a date, of which there is none, its own would have the version for one.
    let mut page = format!(".TH {name} 1 \"\" \"gosync {}\"\n", env!("CARGO_PKG_VERSION")).into_bytes();
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for paragraph in after.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        match paragraph.split_once(":\n") {
            Some((heading, lines)) => {
                rest.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
                for line in lines.lines() {
                    rest.text([roman(line)]);
                }
                rest.control("fi", []);
            }
            None => {
                let heading = if paragraph.starts_with("Exit codes") { "EXIT STATUS" } else { "NOTES" };
                rest.control("SH", [heading]).text([roman(paragraph)]);
            }
        }
    }
    // The page of the command that this one belongs to.
    if let Some((parent, _)) = name.rsplit_once('-') {
        rest.control("SH", ["SEE ALSO"]).text([bold(parent), roman("(1)")]);
    }
    rest.to_writer(&mut page)?;
    Ok(page)
}
