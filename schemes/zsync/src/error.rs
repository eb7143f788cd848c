//! What can go wrong.

use std::io;
use std::path::PathBuf;

use gosync_chunks::SourceError;
use gosync_comparer::CompareError;
use gosync_patcher::{PatchError, StageError, VerifyError};
use gosync_sums::SumError;

use crate::{ControlError, FileDigest, UnwritableError};

/// Why a control file was not made or a target not brought about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A file changed while its control file was made.
    #[error("{} changed while it was read; make the control file again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
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
    /// What was read as a control file is none, or is damaged.
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
    /// A file cannot be checked.
    #[error("cannot verify {}", path.display())]
    Verify {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: VerifyError,
    },
    /// A source cannot be reached or refuses.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Seeds cannot be compared.
    #[error("cannot compare")]
    Compare(#[from] CompareError),
    /// The output cannot be staged or put in place.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A plan could not be carried out.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// Every block has its sum, and the whole has another hash, also when all of it was
    /// fetched.
    #[error("the whole file has the {} {actual}, not {expected}", expected.algorithm())]
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
    /// The old file cannot be kept, or the new one not be given its date.
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
    /// The work was told to stop.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// Whether data is corrupt or fails verification.
    pub fn is_corrupt(&self) -> bool {
        match self {
            Self::Control { .. } | Self::Digest { .. } | Self::LostTail { .. } => true,
            Self::Source(error) | Self::Patch(PatchError::Source(error)) => error.is_corrupt(),
            Self::Patch(error) => error.is_corrupt(),
            _ => false,
        }
    }

    /// Whether the source cannot be reached, or refuses.
    pub fn is_source(&self) -> bool {
        match self {
            Self::Source(error) | Self::Patch(PatchError::Source(error)) => {
                !self.is_corrupt() && !matches!(error, SourceError::Sink(_))
            }
            Self::NoSource { .. } => true,
            _ => false,
        }
    }

    /// Whether the work was told to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Cancelled
                | Self::Sum { source: SumError::Cancelled(_), .. }
                | Self::Compare(CompareError::Cancelled(_))
                | Self::Verify { source: VerifyError::Cancelled, .. }
                | Self::Patch(PatchError::Cancelled)
        )
    }

    /// Whether a [`patch`](crate::patch) that ends so keeps what it has fetched.
    pub fn is_resumable(&self) -> bool {
        let is_whole = matches!(self, Self::Digest { .. } | Self::LostTail { .. });
        !is_whole && (self.is_corrupt() || self.is_source() || self.is_cancelled())
    }
}
