//! What is printed, and where: data on stdout, messages on stderr.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::ColorChoice;
use clap::builder::styling::AnsiColor;
use gosync_files::Note;
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::options::global::Global;
use crate::platform;
use crate::table::Facts;
use crate::text::{one_line, plain, visible, without_secrets};

/// Prints what the flags allow.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    /// Whether results are JSON.
    pub(crate) json: bool,
    pub(crate) interrupt: Interrupt,
    quiet: bool,
    verbose: u8,
    has_colors: bool,
}

impl Console {
    pub(crate) fn new(global: &Global) -> Self {
        let has_colors = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => io::stderr().is_terminal() && wants_colors() && platform::shows_colors(),
        };
        Self {
            json: global.json,
            interrupt: Interrupt::default(),
            quiet: global.quiet,
            verbose: global.verbose,
            has_colors,
        }
    }

    /// One that tells of errors only.
    pub(crate) fn silent(&self) -> Self {
        Self { quiet: true, ..self.clone() }
    }

    /// Whether progress is to be shown, where stderr is a terminal.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet
    }

    /// Whether programs that are run may ask the user something.
    pub(crate) fn may_ask(&self) -> bool {
        !self.quiet
    }

    /// Whether details are wanted.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Whether all that was counted is wanted too.
    pub(crate) fn is_very_verbose(&self) -> bool {
        self.verbose > 1
    }

    /// The result of a command, as text. Not printed where JSON or silence is wanted.
    pub(crate) fn data(&self, text: impl Display) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.asked(text) }
    }

    /// The same where an option asked for it by name: silence is no reason to leave it out.
    pub(crate) fn asked(&self, text: impl Display) -> io::Result<()> {
        if self.json { Ok(()) } else { write(io::stdout().lock(), visible(&text.to_string())) }
    }

    /// An event, as JSON. Not printed where text is wanted.
    pub(crate) fn event(&self, event: &impl Serialize) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        // JSON lets through what some terminals take for commands as well.
        let text = without_secrets(&serde_json::to_string(event)?);
        let escaped = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
        write(io::stdout().lock(), plain(&text, escaped))
    }

    /// Something to know when all goes well.
    pub(crate) fn message(&self, text: impl Display) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// What did not go as it should, though the result is right.
    pub(crate) fn notes(&self, notes: &[Note]) {
        notes.iter().for_each(|note| self.message(format_args!("warning: {note}")));
    }

    /// Something to know when one wants to know more.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.is_verbose() {
            self.error(text);
        }
    }

    /// Something to know in any case. A URL may have been given where a path was meant.
    pub(crate) fn error(&self, text: impl Display) {
        // A name with a line break in it is not to look like another message.
        let text = one_line(&without_secrets(&text.to_string()));
        // A reader that closed stderr does not want to know.
        let _ = write(io::stderr().lock(), if self.has_colors { colored(&text) } else { text });
    }

    /// What an option asked for by name, where standard output is for something else.
    pub(crate) fn aside(&self, facts: &Facts) {
        let _ = write(io::stderr().lock(), visible(&facts.to_string()));
    }
}

/// Whether the environment leaves colours to the program (no-color.org).
fn wants_colors() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// A message whose first word, which says what kind it is, has a colour.
fn colored(text: &str) -> String {
    let words = [("error:", AnsiColor::Red), ("warning:", AnsiColor::Yellow), ("hint:", AnsiColor::Cyan)];
    let word = words.iter().find_map(|(word, color)| Some((word, color, text.strip_prefix(word)?)));
    word.map_or_else(
        || text.to_owned(),
        |(word, color, rest)| {
            let style = color.on_default().bold();
            format!("{style}{word}{style:#}{rest}")
        },
    )
}

fn write(mut out: impl Write, text: impl Display) -> io::Result<()> {
    writeln!(out, "{text}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_says_what_it_is_has_a_colour() {
        assert_eq!(colored("hint: x"), "\u{1b}[1m\u{1b}[36mhint:\u{1b}[0m x");
        assert_eq!(colored("x: hint"), "x: hint");
    }
}
