//! Why bytes are no control file, or one cannot be written.

use gosync_chunks::{LayoutError, NameError};
use gosync_payloads::gzip::MapError;

/// What is wrong with a control file.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The bytes begin like nothing of zsync's.
    #[error("not a control file of zsync")]
    NotAControlFile,
    /// A line of the header has another form.
    #[error("line {line} of the header {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A key that is not known, and not declared to be safe to ignore.
    #[error("the header has {key:?}, which is not known here")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A key with a value that makes no sense, or is not supported.
    #[error("the header gives {value:?} for {key}")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// A key that there has to be.
    #[error("the header has no {key}")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A name with a path in it, or none at all.
    #[error("the control file gives its target a bad name")]
    Name(#[from] NameError),
    /// The length and block size are out of bounds.
    #[error("the control file describes a target that cannot be")]
    Layout(#[from] LayoutError),
    /// The file ends before its end.
    #[error("the control file is cut off: it has {len} bytes, and needs {needed}")]
    Truncated {
        /// How many bytes there are.
        len: u64,
        /// How many there should be.
        needed: u64,
    },
    /// Bytes follow the end of the file.
    #[error("{len} bytes follow the end of the control file")]
    Trailing {
        /// How many.
        len: u64,
    },
    /// The map of compressed blocks contradicts itself or the target.
    #[error("the map of the compressed file makes no sense")]
    BlockMap(#[source] MapError),
}

/// Why a control file cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnwritableError {
    /// Clients read lines of at most 1,023 bytes, without spaces at their end.
    #[error("{key} {value:?} cannot be written: it is empty, too long, ends with a space or has a line break")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// Clients refuse a target of no bytes.
    #[error("other clients refuse control files of an empty file")]
    Empty,
}
