//! What did not go as it should, and costs nothing of the content.

use std::fmt;
use std::path::{Path, PathBuf};

/// Something to know of a file that was read or written: it could not be synced, say. Its
/// content is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub path: PathBuf,
    /// What could not be done, why, and what that means.
    pub what: String,
}

impl Note {
    /// Of the file at `path`.
    pub fn new(path: &Path, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path.display(), self.what)
    }
}
