//! The formats of index files.

use std::fmt;

use gosync_layers::format::FORMAT;

/// The format of an index file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Our own: layers of sums, and a hash of the whole target.
    #[default]
    Layered,
    /// go-sync's: weak sums of 32 bits, MD5, and nothing to check the result with.
    GoSync,
}

impl Format {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layered => FORMAT,
            Self::GoSync => "go-sync",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
