//! Why a target was not brought about.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use gosync_chunks::{Cancelled, ErrorKind, FileHash, SourceError};
use gosync_comparer::CompareError;
use gosync_layers::format::FormatError;
use gosync_patcher::{PatchError, StageError, VerifyError};

/// Why a target was not brought about.
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
    /// The bytes are not an index, or a damaged one.
    #[error("{location} is not a usable index")]
    Index {
        /// The path or URL, without secrets.
        location: String,
        /// What is wrong with it.
        #[source]
        source: FormatError,
    },
    /// A source cannot be reached or refuses.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Seeds cannot be compared.
    #[error("cannot compare")]
    Compare(#[source] CompareError),
    /// The output cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The output cannot be staged or put in place.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A plan could not be carried out.
    #[error(transparent)]
    Patch(PatchError),
    /// What was made of a target is not what is wanted, though all of the target is right.
    #[error(
        "{} comes out with the hash {actual} and not {expected}, though all that it is made of is right; get the \
         index again",
        path.display()
    )]
    Unlike {
        /// The output.
        path: PathBuf,
        /// The hash that it is to have.
        expected: FileHash,
        /// The hash that it has.
        actual: FileHash,
    },
    /// What a scheme has to say of its target.
    #[error(transparent)]
    Target(TargetError),
    /// The caller wished to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// An error of a scheme.
#[derive(Debug)]
pub struct TargetError {
    kind: ErrorKind,
    is_of_whole: bool,
    error: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl StdError for TargetError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

impl TargetError {
    /// The scheme's own error.
    pub fn inner(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.error
    }
}

impl Error {
    /// An error of a scheme, of some kind.
    pub fn target(kind: ErrorKind, error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Target(TargetError { kind, is_of_whole: false, error: Box::new(error) })
    }

    /// That the whole is not what it should be, though every block is right: nobody can tell
    /// which ones to fetch again, so none is kept.
    pub fn whole(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Target(TargetError { kind: ErrorKind::Corrupt, is_of_whole: true, error: Box::new(error) })
    }

    /// The kind of trouble that this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { .. } | Self::Index { source: FormatError::Io(_), .. } => ErrorKind::Other,
            Self::Index { .. } | Self::Unlike { .. } => ErrorKind::Corrupt,
            Self::Source(error) => error.kind(),
            Self::Patch(error) => error.kind(),
            Self::Write { .. } | Self::Stage(_) => ErrorKind::Output,
            Self::Target(error) => error.kind,
            Self::Cancelled(_) => ErrorKind::Cancelled,
            Self::Compare(_) => ErrorKind::Usage,
        }
    }

    /// What a source had to say, where it was that.
    pub fn source_error(&self) -> Option<&SourceError> {
        match self {
            Self::Source(error) | Self::Patch(PatchError::Source(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether an update that ends so keeps what it has fetched, for the next run to go on
    /// with.
    ///
    /// All but one kind do: where every block is right but the whole is not, nobody can tell
    /// which ones to fetch again.
    pub fn is_resumable(&self) -> bool {
        match self {
            Self::Patch(PatchError::FileHash { .. }) => false,
            Self::Target(error) => !error.is_of_whole,
            _ => true,
        }
    }
}

impl Error {
    /// What went wrong with verifying the file at `path`.
    pub fn of_verify(path: &Path, error: VerifyError) -> Self {
        match error {
            VerifyError::Read(source) => Self::Read { path: path.to_owned(), source },
            VerifyError::Cancelled(cancelled) => cancelled.into(),
            error => Self::target(ErrorKind::Other, error),
        }
    }
}

impl From<CompareError> for Error {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Cancelled(cancelled) => cancelled.into(),
            error => Self::Compare(error),
        }
    }
}

impl From<PatchError> for Error {
    fn from(error: PatchError) -> Self {
        match error {
            PatchError::Cancelled(cancelled) => cancelled.into(),
            error => Self::Patch(error),
        }
    }
}

impl From<gosync_layers::Error> for Error {
    fn from(error: gosync_layers::Error) -> Self {
        match error {
            gosync_layers::Error::Index { location, source } => Self::Index { location, source },
            gosync_layers::Error::Source(error) => error.into(),
            gosync_layers::Error::Compare(error) => error.into(),
            gosync_layers::Error::Verify(VerifyError::Cancelled(cancelled)) => cancelled.into(),
            error => Self::target(ErrorKind::Other, error),
        }
    }
}
