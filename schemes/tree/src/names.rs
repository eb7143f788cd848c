//! Names that a file system takes for one.

use std::borrow::Cow;

use hashbrown::HashMap;
use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::error::Error;
use crate::listing::Listing;
use crate::listing::path::shown;
use crate::platform;

/// What a file system makes no difference of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folding {
    /// Small and capital letters.
    pub(crate) case: bool,
    /// Letters with marks, and letters and marks.
    pub(crate) form: bool,
}

impl Folding {
    /// What stands for all names that are taken for the same as `path`.
    fn key(self, path: &[u8]) -> Cow<'_, str> {
        let form = DecomposingNormalizerBorrowed::new_nfd();
        let mut text = String::from_utf8_lossy(path);
        if self.form && !text.is_ascii() {
            text = form.normalize(&text).into_owned().into();
        }
        if self.case {
            text = text.to_lowercase().into();
        }
        // A small letter may be one with a mark where the capital was not.
        if self.form && self.case && !text.is_ascii() {
            text = form.normalize(&text).into_owned().into();
        }
        text
    }
}

/// Refuses names that this system, or a file system that folds some, cannot have beside each other.
pub(crate) fn check_names(listing: &Listing, folding: Folding) -> Result<(), Error> {
    let mut folded: HashMap<Cow<'_, str>, &[u8]> = HashMap::new();
    for entry in listing.entries() {
        if let Some(why) = platform::fault_of(&entry.path).filter(|_| !entry.path.is_empty()) {
            return Err(Error::Name { path: shown(&entry.path), why });
        }
        if folding == Folding::default() {
            continue;
        }
        if let Some(other) = folded.insert(folding.key(&entry.path), &entry.path) {
            return Err(Error::Collision { one: shown(other), other: shown(&entry.path) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::entry::{Attributes, Entry, Kind, Time};

    fn refused(folding: (bool, bool), paths: &[&str]) -> bool {
        let attributes = Attributes { mode: 0o755, modified: Time::default() };
        let entry = |path: &&str| Entry { path: path.as_bytes().to_vec(), kind: Kind::Directory(attributes) };
        let listing = Listing { entries: paths.iter().map(entry).collect(), ..Listing::default() };
        let (case, form) = folding;
        match check_names(&listing, Folding { case, form }) {
            Err(Error::Collision { .. }) => true,
            checked => checked.map(|()| false).unwrap(),
        }
    }

    #[test]
    fn names_that_a_file_system_takes_for_one_are_refused() {
        for (paths, by_case, by_form) in [
            (&["", "A", "a", "b"][..], true, false),
            (&["\u{c4}", "b", "\u{e4}"], true, false),
            (&["A", "b", "c"], false, false),
            (&["e\u{301}", "\u{e9}"], false, true),
            (&["d", "d/\u{1e9b}\u{323}", "d/\u{17f}\u{323}\u{307}"], false, true),
            (&["\u{212b}", "\u{c5}"], true, true),
            (&["A", "A/x", "b", "b/x"], false, false),
        ] {
            assert!(!refused((false, false), paths), "{paths:?}");
            assert_eq!(refused((true, false), paths), by_case, "{paths:?}");
            assert_eq!(refused((false, true), paths), by_form, "{paths:?}");
            assert_eq!(refused((true, true), paths), by_case || by_form, "{paths:?}");
        }
        assert!(refused((true, true), &["E\u{301}", "\u{e9}"]));
        assert!(!refused((true, false), &["E\u{301}", "\u{e9}"]));
    }
}
