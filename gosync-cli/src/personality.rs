//! The tools that this program is when it is called by their names, through a link.

use std::ffi::OsString;
use std::path::Path;

/// Names of the program, and the subcommand that each stands for.
const NAMES: &[(&str, &str)] = &[("zsync", "zsync"), ("zsyncmake", "zsyncmake")];

/// The arguments of the command, with the subcommand that its name asks for.
pub(crate) fn arguments(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let name = arguments.first().and_then(|path| Path::new(path).file_stem()).map(|name| name.to_ascii_lowercase());
    if let Some((_, subcommand)) = NAMES.iter().find(|(known, _)| name.as_deref().is_some_and(|name| name == *known)) {
        arguments.insert(1, subcommand.into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_subcommands() {
        for (given, expected) in [
            (vec!["/usr/bin/gosync", "diff"], vec!["/usr/bin/gosync", "diff"]),
            (vec!["/usr/bin/zsync", "-q", "x"], vec!["/usr/bin/zsync", "zsync", "-q", "x"]),
            (vec!["zsyncmake.exe"], vec!["zsyncmake.exe", "zsyncmake"]),
            (vec![], vec![]),
        ] {
            assert_eq!(arguments(given.into_iter().map(Into::into)), expected);
        }
    }
}
