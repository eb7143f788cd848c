//! The other commands that this one is, where it is called by their names.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{ArgMatches, Args as _, CommandFactory, Error, FromArgMatches, Parser};

use crate::args::{Args, Command, Global};

/// A command that this one is too.
struct Personality {
    /// The name of a link to this program, and of the command that does the same.
    name: &'static str,
    /// What its arguments are.
    command: fn(&ArgMatches) -> Result<Command, Error>,
    /// Its exit code for a command line that makes no sense.
    usage_code: u8,
}

const PERSONALITIES: &[Personality] = &[
    Personality { name: "rdiff", command: |given| parsed(given, Command::Rdiff), usage_code: 101 },
    Personality { name: "zsync", command: |given| parsed(given, Command::Zsync), usage_code: crate::failure::USAGE },
    Personality {
        name: "zsyncmake",
        command: |given| parsed(given, Command::Zsyncmake),
        usage_code: crate::failure::USAGE,
    },
];

fn parsed<T: FromArgMatches>(given: &ArgMatches, command: fn(T) -> Command) -> Result<Command, Error> {
    T::from_arg_matches(given).map(command)
}

/// Takes the arguments apart, of which the first is the name this program is called by.
pub(crate) fn parse(given: &[OsString]) -> Result<Args, Error> {
    let Some(personality) = called(given) else { return Args::try_parse_from(given) };
    let all = Args::command();
    let own = all.find_subcommand(personality.name).expect("it is one of ours").clone();
    // By this name it is a program, but which one, its version says.
    let own = own.display_name(format!("gosync-{}", personality.name)).max_term_width(100).next_help_heading(None);
    let matches = Global::augment_args(own).try_get_matches_from(given)?;
    Ok(Args { global: Global::from_arg_matches(&matches)?, command: (personality.command)(&matches)? })
}

/// The exit code where the arguments make no sense.
pub(crate) fn usage_code(given: &[OsString]) -> u8 {
    let named = || PERSONALITIES.iter().find(|personality| given.get(1).is_some_and(|name| name == personality.name));
    called(given).or_else(named).map_or(crate::failure::USAGE, |personality| personality.usage_code)
}

/// What this program is called as, if not by its own name.
fn called(given: &[OsString]) -> Option<&'static Personality> {
    let name = given.first().and_then(|program| Path::new(program).file_stem()).unwrap_or(OsStr::new("gosync"));
    PERSONALITIES.iter().find(|personality| name == personality.name)
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
