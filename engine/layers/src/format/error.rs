//! Why bytes are no index of ours.

use std::io;

use gosync_chunks::{LayoutError, NameError};

use super::damage::Damage;

/// Why an index could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes begin like no index that is known here.
    #[error("not an index of gosync or go-sync")]
    NotAnIndex,
    /// A version of a format that came later, or never.
    #[error("version {version} of the {format} format is not supported; a newer gosync may read it")]
    Version {
        /// What the format is called.
        format: &'static str,
        /// Its version.
        version: String,
    },
    /// Something in an index of a known version that came later.
    #[error("the index has {what} {value}, which is not supported; a newer gosync may read it")]
    Unsupported {
        /// What it is, up to the value.
        what: &'static str,
        /// The value that is unknown.
        value: u32,
    },
    /// The index ends before its end.
    #[error("the index is cut off after {len} bytes")]
    Truncated {
        /// How many bytes there are.
        len: u64,
    },
    /// Bytes follow the end of the index.
    #[error("the index has {len} bytes, but more follow")]
    Trailing {
        /// How many bytes the index has.
        len: u64,
    },
    /// A checksum does not hold, or a value makes no sense.
    #[error("the index is corrupt: {what}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
    },
    /// A part of the index does not have the hash that its header gives.
    #[error("the index is corrupt: {what} does not have the hash that the header gives")]
    Damaged {
        /// The part.
        what: Damage,
    },
    /// The index is larger than [`max_bytes`](crate::format::ReadOptions::max_bytes) allows.
    #[error("the index has {len} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The size that the header declares, in bytes.
        len: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The name in the index could lead outside a directory.
    #[error("the index gives its target a bad name")]
    Name(#[from] NameError),
    /// The length and block size are out of bounds.
    #[error("the index describes a target that cannot be")]
    Layout(#[from] LayoutError),
    /// The reader failed.
    #[error("the index cannot be read")]
    Io(#[from] io::Error),
}
