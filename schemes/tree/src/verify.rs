//! Whether a directory is what was published.

use crate::listing::Listing;
use crate::listing::entry::Kind;
use crate::platform;
use crate::scan::Scan;

/// Where a directory is not what was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Paths where something is missing.
    pub missing: Vec<Vec<u8>>,
    /// Paths where something else is: other contents, another link, a file for a directory.
    pub different: Vec<Vec<u8>>,
    /// Paths of what has another mode.
    pub modes: Vec<Vec<u8>>,
    /// Paths of what was not published. That is no fault.
    pub more: Vec<Vec<u8>>,
}

impl Differences {
    /// Whether the directory has all that was published, as it was.
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.different.is_empty() && self.modes.is_empty()
    }
}

/// How `own` differs from `listing`.
pub(crate) fn differences(listing: &Listing, own: &Scan) -> Differences {
    let mut found = Differences::default();
    for entry in listing.entries() {
        let Some((at, _, stat)) = own.find(&entry.path) else {
            found.missing.push(entry.path.clone());
            continue;
        };
        let here = &own.listing.entries()[at].kind;
        let is_same = match (&entry.kind, here) {
            (Kind::Directory(_), Kind::Directory(_)) => true,
            (Kind::Link { target, .. }, Kind::Link { target: here, .. }) => target == here,
            (Kind::File(_, content), _) => own.content(at) == Some(*content),
            (Kind::HardLink { of }, _) => own.find(&listing.entries()[*of].path).is_some_and(|(first, ..)| {
                let first_name = |at: usize| match own.listing.entries()[at].kind {
                    Kind::HardLink { of } => of,
                    _ => at,
                };
                own.content(at).is_some() && (first_name(at) == first_name(first) || !platform::HAS_MODES)
            }),
            _ => false,
        };
        match entry.kind {
            _ if !is_same => found.different.push(entry.path.clone()),
            Kind::Directory(attributes) | Kind::File(attributes, _)
                if platform::HAS_MODES && attributes.mode != stat.mode =>
            {
                found.modes.push(entry.path.clone());
            }
            _ => {}
        }
    }
    let more = own.listing.entries().iter().filter(|entry| listing.find(&entry.path).is_none());
    found.more = more.map(|entry| entry.path.clone()).collect();
    found
}
