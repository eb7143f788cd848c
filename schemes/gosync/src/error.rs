//! What can go wrong, and what kind of trouble it is.

use std::io;
use std::path::PathBuf;

use gosync_chunks::SourceError;
use gosync_comparer::CompareError;
use gosync_patcher::{PatchError, StageError, VerifyError};
use gosync_sums::SumError;

use crate::{FormatError, KeyError, PartError, SignatureError};

/// Why an index was not made or a target not brought about.
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
    /// A file changed while its index was made.
    #[error("{} changed while it was read; make the index again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A target cannot be summed.
    #[error("cannot make an index of {}", path.display())]
    Sum {
        /// The target.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: SumError,
    },
    /// A file cannot be checked against an index.
    #[error("cannot verify {}", path.display())]
    Verify {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: VerifyError,
    },
    /// What was read as an index is none, or is damaged.
    #[error("{location} is not a usable index")]
    Index {
        /// The path or URL, without secrets.
        location: String,
        /// What is wrong with it.
        #[source]
        source: FormatError,
    },
    /// A target cannot be cut into such layers.
    #[error(
        "the block sizes {sizes:?} make no layers: they have to be descending powers of two from {} to {}",
        crate::format::MIN_BLOCK_SIZE,
        gosync_chunks::MAX_BLOCK_SIZE
    )]
    Layers {
        /// The block sizes in bytes, from the coarsest to the finest.
        sizes: Vec<u32>,
    },
    /// A part of an index does not make one with the others.
    #[error("cannot merge {}", path.display())]
    Part {
        /// The part.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PartError,
    },
    /// An index is to be made of no parts.
    #[error("there are no parts to merge")]
    NoParts,
    /// A target that is cut into such layers can have no compressed payload.
    #[error(
        "the block sizes {sizes:?} allow no compressed payload: its frames are as large as the finest blocks, \
         which have to be of at most {} bytes",
        crate::build::MAX_FINE_FRAME
    )]
    PayloadLayers {
        /// The block sizes in bytes, from the coarsest to the finest.
        sizes: Vec<u32>,
    },
    /// An index that is to be signed does not count as such.
    #[error("{location} is not to be trusted")]
    Signature {
        /// The path or URL of the index, without secrets.
        location: String,
        /// What is wrong.
        #[source]
        source: SignatureError,
    },
    /// A key cannot be used.
    #[error("cannot use the key {key}")]
    Key {
        /// The file, or the key itself.
        key: String,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// An index or a payload cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// An index or a payload cannot be put where it is to be published, on another machine.
    #[error("cannot write {location}")]
    Publish {
        /// The URL.
        location: String,
        /// What went wrong.
        #[source]
        source: io::Error,
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
}

/// The kind of trouble that an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Data is corrupt or fails verification.
    Corrupt,
    /// The source cannot be reached, or refuses.
    Source,
    /// [`Progress::is_cancelled`](gosync_chunks::Progress::is_cancelled) said so.
    Cancelled,
    /// Anything else: a file that cannot be read or written.
    Other,
}

impl Error {
    /// The kind of trouble that this is.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Index { source: FormatError::Io(_), .. } => Trouble::Other,
            Self::Index { .. } | Self::Signature { .. } => Trouble::Corrupt,
            Self::Part { source, .. } if source.is_corrupt() => Trouble::Corrupt,
            Self::Source(error) | Self::Patch(PatchError::Source(error)) => of_source(error),
            Self::Publish { .. } => Trouble::Source,
            Self::Patch(error) if error.is_corrupt() => Trouble::Corrupt,
            Self::Sum { source: SumError::Cancelled(_), .. }
            | Self::Compare(CompareError::Cancelled(_))
            | Self::Verify { source: VerifyError::Cancelled, .. }
            | Self::Patch(PatchError::Cancelled) => Trouble::Cancelled,
            _ => Trouble::Other,
        }
    }

    /// Whether a [`patch`](crate::patch) that ends so keeps what it has fetched, for the
    /// next run to go on with.
    ///
    /// A full disk is not to stay full, and where every block is right but the whole is
    /// not, nobody can tell which ones to fetch again.
    pub fn is_resumable(&self) -> bool {
        match self {
            Self::Patch(PatchError::FileHash { .. }) => false,
            _ => matches!(self.trouble(), Trouble::Cancelled | Trouble::Source | Trouble::Corrupt),
        }
    }
}

fn of_source(error: &SourceError) -> Trouble {
    match error {
        SourceError::Sink(_) => Trouble::Other,
        error if error.is_corrupt() => Trouble::Corrupt,
        _ => Trouble::Source,
    }
}
