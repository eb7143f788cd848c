//! What can go wrong.

use std::io;
use std::path::PathBuf;

use gosync_chunks::{Cancelled, ErrorKind, SourceError};
use gosync_patcher::StageError;
use gosync_sums::SumError;

use crate::control::error::{ControlError, UnwritableError};
use crate::file_digest::FileDigest;

/// Why a control file was not made, or is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A target was not brought about, or a control file cannot be reached.
    #[error(transparent)]
    Update(#[from] gosync_update::Error),
    /// A file cannot be read, or changed while its control file was made.
    #[error(transparent)]
    Publish(#[from] gosync_publish::Error),
    /// A target cannot be summed.
    #[error("cannot make a control file of {}", path.display())]
    Sum {
        /// The target.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: SumError,
    },
    /// A control file of this target would be of no use.
    #[error("cannot make a control file of {}", path.display())]
    Unwritable {
        /// The target.
        path: PathBuf,
        /// Why.
        #[source]
        source: UnwritableError,
    },
    /// The bytes are not a control file, or a damaged one.
    #[error("{location} is not a usable control file")]
    Control {
        /// The path or URL, without secrets.
        location: String,
        /// What is wrong with it.
        #[source]
        source: ControlError,
    },
    /// A control file gives no URL that can be used.
    #[error("{location} gives no URL that can be used: {reason}")]
    NoSource {
        /// The control file's path or URL.
        location: String,
        /// What is wrong with those that it gives.
        reason: String,
    },
    /// A compressed target cannot be written.
    #[error("cannot prepare {}", path.display())]
    Prepare {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The gzip file that was published cannot be made again of a target.
    #[error("cannot compress {} again with gzip; it is complete as it is", path.display())]
    Recompress {
        /// The target.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A compressed target cannot be put in place.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The caller wished to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Why a target is not the one that its control file describes, though every block has its sum.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WholeError {
    /// The whole has another hash, also when all of it was fetched.
    #[error("checksum mismatch: the whole file has the {} {actual}, not {expected}", expected.algorithm())]
    Digest {
        /// What the control file says.
        expected: FileDigest,
        /// What came out.
        actual: FileDigest,
    },
    /// The hash is that of a longer file: zsync2 leaves out a last block that is short.
    #[error(
        "the control file describes only the first {length} of {actual} bytes, as zsync2 does; make it with zsyncmake"
    )]
    LostTail {
        /// Length of the target as the control file has it, in bytes.
        length: u64,
        /// Length of what is at the source.
        actual: u64,
    },
}

impl Error {
    /// The kind of trouble that this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Update(error) => error.kind(),
            Self::Publish(gosync_publish::Error::Cancelled(_)) | Self::Cancelled(_) => ErrorKind::Cancelled,
            Self::Control { .. } => ErrorKind::Corrupt,
            Self::NoSource { .. } => ErrorKind::Source,
            Self::Prepare { .. } | Self::Stage(_) => ErrorKind::Output,
            _ => ErrorKind::Other,
        }
    }

    pub(crate) fn source(error: SourceError) -> Self {
        Self::Update(error.into())
    }
}
