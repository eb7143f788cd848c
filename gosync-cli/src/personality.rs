//! The other commands that this one is, where it is called by their names.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// A command that this one is too.
struct Personality {
    /// The name of a link to this program.
    name: &'static str,
    /// The arguments that do the same under our own name.
    prefix: &'static [&'static str],
    /// Its exit code for a command line that makes no sense.
    usage_code: u8,
}

const PERSONALITIES: &[Personality] = &[
    Personality { name: "rdiff", prefix: &["rdiff"], usage_code: 101 },
    Personality { name: "zsync", prefix: &["zsync"], usage_code: crate::failure::USAGE },
    Personality { name: "zsyncmake", prefix: &["zsyncmake"], usage_code: crate::failure::USAGE },
];

/// The arguments, under our own name, that what was `given` stands for.
pub(crate) fn arguments(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut given = given.into_iter();
    let program = given.next().unwrap_or_default();
    let called = Path::new(&program).file_stem().unwrap_or(OsStr::new("gosync"));
    match PERSONALITIES.iter().find(|personality| called == personality.name) {
        Some(Personality { prefix, .. }) => {
            let own = std::iter::once("gosync").chain(prefix.iter().copied());
            own.map(OsString::from).chain(given).collect()
        }
        None => std::iter::once(program).chain(given).collect(),
    }
}

/// The exit code where `arguments` make no sense.
pub(crate) fn usage_code(arguments: &[OsString]) -> u8 {
    let begins_with = |prefix: &[&str]| prefix.iter().zip(arguments.iter().skip(1)).filter(|(a, b)| a == b).count();
    let own = PERSONALITIES.iter().find(|personality| begins_with(personality.prefix) == personality.prefix.len());
    own.map_or(crate::failure::USAGE, |personality| personality.usage_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[&str], expected: &[&str], code: u8) {
        let arguments = arguments(given.iter().map(OsString::from));
        assert_eq!(arguments, expected.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(usage_code(&arguments), code, "{given:?}");
    }

    #[test]
    fn names_stand_for_arguments() {
        check(&["/usr/bin/rdiff", "-s", "delta"], &["gosync", "rdiff", "-s", "delta"], 101);
        check(&["rdiff.exe"], &["gosync", "rdiff"], 101);
        check(&["./gosync", "rdiff", "delta"], &["./gosync", "rdiff", "delta"], 101);
        check(&["gosync", "diff", "rdiff"], &["gosync", "diff", "rdiff"], 2);
        check(&["/usr/bin/zsync", "-q", "x"], &["gosync", "zsync", "-q", "x"], 2);
        check(&["zsyncmake.exe"], &["gosync", "zsyncmake"], 2);
        check(&["gosync"], &["gosync"], 2);
    }
}
