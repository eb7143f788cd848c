//! One thing to do to a directory.

use crate::extra::Extra;
use crate::listing::entry::Attributes;
use crate::root::Stat;

/// One thing to do. Each can be done again without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Moves the file at `path`, as long as it is what it was, to what is made, under this number,
    /// and gives it this mode and time.
    Take { number: u64, path: Vec<u8>, attributes: Attributes, was: Stat },
    /// Removes what is at `path`, as long as it is what it was.
    Remove { path: Vec<u8>, was: Stat },
    /// Makes a directory.
    Create { path: Vec<u8> },
    /// Moves what was made under this number to `path`, as long as that is what it was.
    Place { number: u64, path: Vec<u8>, was: Option<Stat> },
    /// Gives a file or directory its mode and time, and what else is asked for; a file, as long as it
    /// is what it was.
    Set { path: Vec<u8>, attributes: Attributes, extra: Extra, was: Option<Stat> },
}

impl Step {
    /// What it is done to.
    pub(crate) fn path(&self) -> &[u8] {
        match self {
            Self::Take { path, .. }
            | Self::Remove { path, .. }
            | Self::Create { path }
            | Self::Place { path, .. }
            | Self::Set { path, .. } => path,
        }
    }
}
