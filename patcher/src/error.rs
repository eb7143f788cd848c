//! Why a target could not be made.

use std::fmt;
use std::io;
use std::path::PathBuf;

use gosync_chunks::{ByteRange, Cancelled, ErrorKind, FileHash, SourceError};

use crate::patch::Report;

/// Why a plan could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The source delivered something else for these bytes of the target, or nothing,
    /// and did so again from every place that it has.
    #[error(
        "bytes {} are missing or wrong, also when fetched again; the source is not what the index was made for",
        List(ranges)
    )]
    Corrupt {
        /// The bytes of the target, ascending and merged.
        ranges: Vec<ByteRange>,
    },
    /// Every block has its sum and yet the whole has another hash: two blocks share a
    /// sum, or the index contradicts itself. Fetching everything helps against the first.
    #[error("every block has the sum that the index gives, but the whole file has the hash {actual}, not {expected}")]
    FileHash {
        /// The hash that the index gives.
        expected: FileHash,
        /// The hash of what came out.
        actual: FileHash,
        /// What making it took.
        report: Box<Report>,
    },
    /// The source does not deliver.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output cannot be written: the disk is full, for example.
    #[error("cannot write {path}")]
    Write {
        /// The temporary file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The output cannot be read back to verify it.
    #[error("cannot read back {path}")]
    ReadBack {
        /// The temporary file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The stream takes no more.
    #[error("cannot write the output")]
    Stream(#[source] io::Error),
    /// The caller wished to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl PatchError {
    /// The kind of trouble that this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Corrupt { .. } | Self::FileHash { .. } => ErrorKind::Corrupt,
            Self::Source(error) => error.kind(),
            Self::Write { .. } | Self::ReadBack { .. } | Self::Stream(_) => ErrorKind::Output,
            Self::Cancelled(_) => ErrorKind::Cancelled,
        }
    }

    /// Whether the same patch may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Source(error) if error.is_transient())
    }
}

/// The first few of some ranges: there may be thousands.
struct List<'a>(&'a [ByteRange]);

impl fmt::Display for List<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        for (at, range) in self.0.iter().take(SHOWN).enumerate() {
            write!(formatter, "{}{range}", if at > 0 { ", " } else { "" })?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more ranges"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let ranges = |count| (0..count).map(|at| ByteRange::at(at * 10, 5)).collect();
        let message = |count| PatchError::Corrupt { ranges: ranges(count) }.to_string();
        assert!(message(1).starts_with("bytes 0..5 are missing"), "{}", message(1));
        assert!(message(4).starts_with("bytes 0..5, 10..15, 20..25, 30..35 are missing"), "{}", message(4));
        assert!(message(6).starts_with("bytes 0..5, 10..15, 20..25, 30..35 and 2 more ranges are"), "{}", message(6));
    }
}
