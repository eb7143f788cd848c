//! What is printed, and where: data on stdout, messages on stderr.

use std::fmt::Display;
use std::io::{self, Write};

use gosync_files::Note;
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::options::global::Global;
use crate::table::without_controls;
use crate::text::without_secrets;

/// Prints what the flags allow.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    /// Whether results are JSON.
    pub(crate) json: bool,
    pub(crate) interrupt: Interrupt,
    quiet: bool,
    verbose: bool,
}

impl Console {
    pub(crate) fn new(global: &Global) -> Self {
        Self { json: global.json, interrupt: Interrupt::default(), quiet: global.quiet, verbose: global.verbose }
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
        self.verbose
    }

    /// The result of a command, as text. Not printed where JSON is wanted.
    pub(crate) fn data(&self, text: impl Display) -> io::Result<()> {
        if self.json { Ok(()) } else { write(io::stdout().lock(), visible(text)) }
    }

    /// An event, as JSON. Not printed where text is wanted.
    pub(crate) fn event(&self, event: &impl Serialize) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        // JSON lets through what some terminals take for commands as well.
        let text = without_secrets(&serde_json::to_string(event)?);
        write(io::stdout().lock(), without_controls(&text, |c| format!("\\u{:04x}", u32::from(c))))
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
        if self.verbose {
            self.error(text);
        }
    }

    /// Something to know in any case. A URL may have been given where a path was meant.
    pub(crate) fn error(&self, text: impl Display) {
        // A reader that closed stderr does not want to know.
        let _ = write(io::stderr().lock(), visible(without_secrets(&text.to_string())));
    }
}

/// `text` as lines in which nothing commands a terminal: names, URLs and what servers say
/// are from outside.
fn visible(text: impl Display) -> String {
    without_controls(&text.to_string(), |c| match c {
        '\n' | '\t' => c.to_string(),
        c => c.escape_default().to_string(),
    })
}

fn write(mut out: impl Write, text: impl Display) -> io::Result<()> {
    writeln!(out, "{text}")?;
    out.flush()
}
