//! The other commands that this one is, where it is called by their names.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Error, FromArgMatches, Parser};

use super::rdiff::{self, Rdiff};
use super::zsync::Zsync;
use super::zsyncmake::Zsyncmake;
use crate::args::{Args, Command, LINKS};
use crate::failure;
use crate::options::global::Global;

/// Makes a command of the arguments of a link.
type FromMatches = fn(&ArgMatches) -> Result<Command, Error>;

/// Those of [`LINKS`].
const PERSONALITIES: [FromMatches; 3] = [
    |given| Rdiff::from_arg_matches(given).map(Command::Rdiff),
    |given| Zsync::from_arg_matches(given).map(Command::Zsync),
    |given| Zsyncmake::from_arg_matches(given).map(Command::Zsyncmake),
];

/// Takes the arguments apart, of which the first is the name this program is called by.
pub(crate) fn parse(given: &[OsString]) -> Result<Args, Error> {
    take_apart(given).map_err(|error| if is_rdiff(given) { in_words_of_rdiff(error) } else { error })
}

fn take_apart(given: &[OsString]) -> Result<Args, Error> {
    let name = called(given);
    let Some((name, command)) = LINKS.iter().zip(PERSONALITIES).find(|(known, _)| name == **known) else {
        return Args::try_parse_from(given);
    };
    let matches = Args::of_link(name).try_get_matches_from(given)?;
    Ok(Args { global: Global::from_arg_matches(&matches)?, command: command(&matches)? })
}

/// Whether another program is meant, by its name or by the command that does the same.
pub(crate) fn is_another(given: &[OsString]) -> bool {
    let names = [Some(called(given)), given.get(1).map(OsString::as_os_str)];
    LINKS.iter().any(|known| names.contains(&Some(OsStr::new(known))))
}

/// The exit code where the arguments make no sense.
pub(crate) fn usage_code(given: &[OsString]) -> u8 {
    if is_rdiff(given) { rdiff::USAGE } else { failure::USAGE }
}

fn is_rdiff(given: &[OsString]) -> bool {
    called(given) == "rdiff" || given.get(1).is_some_and(|name| name == "rdiff")
}

/// Scripts that try what an rdiff can do look for its words.
fn in_words_of_rdiff(error: Error) -> Error {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(option))) if option.starts_with('-') => {
            Error::raw(error.kind(), format!("unknown option: {option}\n\nTry `rdiff --help' for more information.\n"))
        }
        _ => error,
    }
}

/// What this program is called as.
fn called(given: &[OsString]) -> &OsStr {
    given.first().and_then(|program| Path::new(program).file_stem()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn names_stand_for_commands() {
        for (one, other) in [
            (&["/usr/bin/rdiff", "-s", "delta", "a", "-v"][..], &["gosync", "rdiff", "-s", "delta", "a", "-v"][..]),
            (&["rdiff.exe", "-p", "2", "sig"], &["./gosync", "-p", "2", "rdiff", "sig"]),
            (&["/usr/bin/zsync", "-q", "x"], &["gosync", "zsync", "-q", "x"]),
            (&["zsyncmake.exe", "x"], &["gosync", "zsyncmake", "x"]),
        ] {
            let [one, other] = [one, other].map(|words| format!("{:?}", parse(&given(words)).unwrap()));
            assert_eq!(one, other);
        }
    }

    #[test]
    fn help_speaks_of_the_name_it_is_called_by() {
        for (words, usage) in [
            (&["/usr/bin/rdiff", "--help"][..], "Usage: rdiff [OPTIONS] <COMMAND>"),
            (&["rdiff", "delta", "-?"], "Usage: rdiff delta [OPTIONS] <SIGNATURE> [NEWFILE] [DELTA]"),
            (&["gosync", "rdiff", "--help"], "Usage: gosync rdiff [OPTIONS] <COMMAND>"),
            (&["zsync", "--help"], "Usage: zsync [OPTIONS] <URL|FILE>"),
        ] {
            let help = parse(&given(words)).unwrap_err().to_string();
            assert!(help.contains(usage), "{help}");
        }
    }

    #[test]
    fn each_has_its_exit_code() {
        for (words, code) in [
            (&["/usr/bin/rdiff", "-s", "delta"][..], 101),
            (&["./gosync", "rdiff", "delta"], 101),
            (&["gosync", "diff", "rdiff"], 2),
            (&["zsync"], 2),
            (&["gosync"], 2),
            (&[], 2),
        ] {
            assert_eq!(usage_code(&given(words)), code, "{words:?}");
        }
    }
}
