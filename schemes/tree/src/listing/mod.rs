//! The listing of a tree, and the bytes that it is.

pub(crate) mod entry;
pub(crate) mod error;
pub(crate) mod extras;
pub(crate) mod path;
pub(crate) mod read;
pub(crate) mod write;

use std::cmp::Ordering;

use entry::{Content, Entry, Kind};
use extras::{Extras, Owner};

/// All that is in a tree, by the bytes of the paths. The first entry is the tree itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub(crate) entries: Vec<Entry>,
    pub(crate) extras: Extras,
}

impl Listing {
    /// Its entries in their order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whose the entry with this number is, where that was recorded.
    pub fn owner(&self, at: usize) -> Option<&Owner> {
        self.extras.owners.as_ref()?.of(at)
    }

    /// The extended attributes of the entry with this number, by name, where these were recorded.
    pub fn xattrs(&self, at: usize) -> Option<&[(Vec<u8>, Vec<u8>)]> {
        Some(self.extras.xattrs.as_ref()?.get(&at).map_or(&[], Vec::as_slice))
    }

    /// What is in the file of an entry, whichever of its names that is.
    pub(crate) fn content(&self, at: usize) -> Option<Content> {
        match &self.entries[at].kind {
            Kind::File(_, content) => Some(*content),
            Kind::HardLink { of } => self.content(*of),
            _ => None,
        }
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
