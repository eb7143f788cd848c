//! What this program is made of, beyond its version.

use std::env::consts::{ARCH, OS};
use std::ffi::OsString;

/// Whether more than the version is wanted: `--version -v`, in any order, or `-vV`.
pub(crate) fn is_wanted_in_full(given: &[OsString]) -> bool {
    let words = given.iter().skip(1).filter_map(|word| word.to_str());
    words.into_iter().any(|word| {
        let letters = word.strip_prefix('-').filter(|letters| letters.chars().all(|c| matches!(c, 'v' | 'V')));
        word == "--verbose" || letters.is_some_and(|letters| letters.contains('v'))
    })
}

/// A line for each thing that may differ from one program of this version to the next.
pub(crate) fn details() -> String {
    let checked = if cfg!(debug_assertions) { ", with assertions" } else { "" };
    format!(
        "system: {ARCH} {OS}{checked}\ninstructions: {} (of {})\nsources: file http https ssh s3 gs az\n\
         formats: gosync go-sync zsync rdiff",
        gosync::tier(),
        gosync::available_tiers().join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_told_where_it_is_asked_for() {
        for (words, more) in [
            (&["gosync", "--version"][..], false),
            (&["gosync", "-V"], false),
            (&["gosync", "--version", "-v"], true),
            (&["gosync", "-vV"], true),
            (&["gosync", "--verbose", "--version"], true),
        ] {
            let given: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(is_wanted_in_full(&given), more, "{words:?}");
        }
        assert!(details().contains(&gosync::tier()));
    }
}
