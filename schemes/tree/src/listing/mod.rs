//! The listing of a tree, and the bytes that it is.

pub(crate) mod entry;
pub(crate) mod error;
pub(crate) mod path;
pub(crate) mod read;
pub(crate) mod write;

use std::cmp::Ordering;

use entry::Entry;

/// All that is in a tree, by the bytes of the paths. The first entry is the tree itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub(crate) entries: Vec<Entry>,
}

impl Listing {
    /// Its entries in their order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where the entry of `path` is.
    pub fn find(&self, path: &[u8]) -> Option<usize> {
        self.entries.binary_search_by(|entry| order(&entry.path, path)).ok()
    }
}

/// The order of a listing.
pub(crate) fn order(one: &[u8], other: &[u8]) -> Ordering {
    one.cmp(other)
}
