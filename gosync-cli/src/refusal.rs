//! A command line that is not taken: what is printed, and what may have been meant.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::names::personality;
use crate::text::{visible, without_secrets};
use crate::version;

/// What users of rsync type by habit, and what to do instead.
const HABITS: &[(&[&str], &str)] = &[
    (&["-a", "--archive"], "permissions, links and the times of directories' files come along: leave it out"),
    (&["-r", "--recursive"], "a directory is taken whole: leave it out"),
    (&["--delete"], "`gosync patch` has it, for directories"),
    (
        &["--exclude", "--include", "-f", "--filter"],
        "the publisher says what is left out of a directory: `gosync build --exclude PATTERN`",
    ),
    (&["-z", "--compress"], "the publisher compresses, once for all: `gosync build --compress`"),
    (&["-c", "--checksum"], "what is written is verified in any case: leave it out"),
    (
        &["-I", "--ignore-times", "--size-only", "-W", "--whole-file"],
        "what to fetch, contents decide, not times: leave it out",
    ),
    (
        &["-t", "--times", "-g", "--group", "-o", "--owner", "-X", "--xattrs", "-A", "--acls"],
        "there is no such option: leave it out",
    ),
    (&["-u", "--update"], "a file that is the new version already is left alone: leave it out"),
    (&["-e", "--rsh"], "the program for ssh URLs is given with --ssh COMMAND"),
    (&["-b", "--backup", "--suffix"], "give the new version another name with -o: the old one then stays"),
    (
        &["--inplace", "--append", "--append-verify"],
        "the old version stays until the new one is verified, and an interrupted run is gone on with: leave it out",
    ),
    (
        &["-y", "--fuzzy", "--compare-dest", "--copy-dest", "--link-dest"],
        "other files that may hold parts are given with --seed PATH",
    ),
    (&["--bwlimit"], "give a rate and its unit to --limit-rate, such as --limit-rate 500KiB"),
    (&["--timeout"], "how long a server may be silent, --read-timeout says"),
    (&["--contimeout"], "how long connecting may take, --connect-timeout says"),
    (&["--password-file"], "put the password into GOSYNC_PASSWORD, or use --netrc-file"),
    (
        &["--info", "--out-format", "-i", "--itemize-changes", "--log-file"],
        "-v tells more, --stats what it took, --json everything for programs",
    ),
    (&["--port", "--address"], "the port belongs to the URL; that of `gosync serve` is given with --bind"),
];

/// The same for `pull` and `push`, before those above.
const HABITS_WITH_ANOTHER_MACHINE: &[(&[&str], &str)] = &[
    (&["-z", "--compress"], "what goes over the line is compressed in any case: leave it out"),
    (&["--rsh"], "the program to log in with is given with -e COMMAND"),
    (&["--bwlimit"], "`pull` and `push` have no limit of the rate: leave it out"),
    (&["--rsync-path"], "the gosync to run there is given with --remote-gosync COMMAND"),
];

/// Prints `error`, or the help or version that was asked for, and tells the exit code.
pub(crate) fn print(error: &clap::Error, given: &[OsString]) -> ExitCode {
    // Readers that closed the streams do not want to know.
    if error.kind() == ErrorKind::DisplayVersion && version::is_wanted_in_full(given) {
        let _ = writeln!(std::io::stdout(), "{}{}", error.render(), version::details());
        return ExitCode::SUCCESS;
    }
    if !error.use_stderr() {
        // Help has nothing of the user's in it, and names forms of URLs.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let told = error.render().to_string();
    let shown = visible(&without_secrets(&told));
    let _ = if shown == told { error.print() } else { write!(std::io::stderr(), "{shown}") };
    for hint in hints(error, given) {
        let _ = writeln!(std::io::stderr(), "hint: {hint}");
    }
    personality::usage_code(given).into()
}

/// What may help. rdiff and zsync have habits of their own.
fn hints(error: &clap::Error, given: &[OsString]) -> Vec<&'static str> {
    if personality::is_another(given) {
        return Vec::new();
    }
    let wrong = match (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidSubcommand)) {
        (Some(ContextValue::String(wrong)), _) | (None, Some(ContextValue::String(wrong))) => wrong.as_str(),
        _ => "",
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand if !wrong.starts_with('-') => {
            vec!["say what to do first: `gosync patch OLD INDEX` brings an old version to the new one"]
        }
        ErrorKind::UnknownArgument => {
            let has_level = given.windows(2).any(|words| words[0] == "--compress" && is_number(&words[1]));
            if has_level && !wrong.starts_with('-') {
                return vec!["the level of --compress needs a `=`, as in --compress=9"];
            }
            of_habit(wrong, given)
        }
        _ => Vec::new(),
    }
}

/// What to do instead of the option `wrong`, and of those in one word with it.
fn of_habit(wrong: &str, given: &[OsString]) -> Vec<&'static str> {
    let wrong = wrong.split('=').next().unwrap_or_default();
    let words = given.iter().filter_map(|word| word.to_str());
    let cluster = words.filter(|word| is_cluster(word)).find(|word| is_cluster(wrong) && word.contains(&wrong[1..]));
    let letters = cluster.map_or_else(Vec::new, |word| word[1..].chars().map(|letter| format!("-{letter}")).collect());
    let meant = |habit: &str| habit == wrong || letters.iter().any(|letter| letter == habit);
    let known = |all: &[(&[&str], &'static str)]| -> Vec<&'static str> {
        all.iter().filter(|(habits, _)| habits.iter().any(|habit| meant(habit))).map(|(_, hint)| *hint).collect()
    };
    let has_another_machine = given.iter().any(|word| word == "pull" || word == "push");
    match known(HABITS_WITH_ANOTHER_MACHINE) {
        hints if has_another_machine && !hints.is_empty() => hints,
        _ => known(HABITS),
    }
}

/// Whether `word` is a letter or several behind one dash.
fn is_cluster(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| letters.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn is_number(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| word.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints_of(words: &[&str]) -> Vec<&'static str> {
        let given: Vec<OsString> = words.iter().map(OsString::from).collect();
        hints(&personality::parse(&given).unwrap_err(), &given)
    }

    #[test]
    fn what_is_typed_by_habit_is_answered() {
        for (words, hint) in [
            (&["gosync", "patch", "-avz", "old", "x.gosync"][..], "permissions, links"),
            (&["gosync", "patch", "-avz", "old", "x.gosync"], "build --compress"),
            (&["gosync", "-rv", "old", "new"], "taken whole"),
            (&["gosync", "diff", "--delete", "old", "x.gosync"], "`gosync patch` has it"),
            (&["gosync", "patch", "--exclude=x", "old", "x.gosync"], "build --exclude"),
            (&["gosync", "patch", "--bwlimit=500", "old", "x.gosync"], "--limit-rate"),
            (&["gosync", "diff", "-c", "old", "x.gosync"], "verified in any case"),
            (&["gosync", "patch", "-e", "ssh -p 22", "old", "x.gosync"], "--ssh"),
            (&["gosync", "build", "--compress", "9", "new"], "--compress=9"),
            (&["gosync", "old", "x.gosync"], "`gosync patch OLD INDEX`"),
        ] {
            let hints = hints_of(words);
            assert!(hints.iter().any(|found| found.contains(hint)), "{words:?}: {hints:?}");
        }
        for words in [&["gosync", "rdiff", "-a"][..], &["rdiff", "-a"], &["zsync", "-z"], &["gosync", "diff", "--frob"]]
        {
            assert!(hints_of(words).is_empty(), "{words:?}");
        }
    }

    #[test]
    fn what_means_the_same_is_taken() {
        for words in [
            &["gosync", "patch", "-nP", "--stats", "-vv", "old", "x.gosync"][..],
            &["gosync", "patch", "--partial", "--progress", "old", "x.gosync"],
            &["gosync", "--color", "never", "diff", "-q", "--stats", "old", "x.gosync"],
            &["gosync", "build", "--compress", "new"],
            &["gosync", "build", "--compress=9", "new"],
            &["gosync", "serve", ".", "--bind", ":8731"],
            &["gosync", "serve", ".", "--bind", "8731"],
        ] {
            let given: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert!(personality::parse(&given).is_ok(), "{words:?}");
        }
    }
}
