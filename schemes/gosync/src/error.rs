//! What can go wrong, and what kind of trouble it is.

use std::io;
use std::path::PathBuf;

use gosync_chunks::{ErrorKind, SourceError};
use gosync_layers::format::MergeError;
use gosync_sums::SumError;

use crate::pointer::error::PointerError;
use crate::publication::error::PublicationError;
use crate::signing::error::{KeyError, SigningError};

/// Why an index was not made, or is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A target was not brought about, or an index cannot be opened.
    #[error(transparent)]
    Update(#[from] gosync_update::Error),
    /// Something was not published.
    #[error(transparent)]
    Publish(#[from] gosync_publish::Error),
    /// A target cannot be summed.
    #[error("cannot make an index of {}", path.display())]
    Sum {
        /// The target.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: SumError,
    },
    /// An index that is to be signed does not count as such.
    #[error("{location} is not to be trusted")]
    Signing {
        /// The path or URL of the index, without secrets.
        location: String,
        /// What is wrong.
        #[source]
        source: SigningError,
    },
    /// A version is not published where the newest one is pointed to.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// A pointer is not to be followed, or what was kept of one cannot be used.
    #[error("{location} is not a pointer to be followed")]
    Pointer {
        /// The path or URL, without secrets.
        location: String,
        /// Why.
        #[source]
        source: PointerError,
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
    /// A key file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// The kind of trouble that this is.
    pub fn kind(&self) -> ErrorKind {
        use gosync_publish::Error as Publish;
        match self {
            Self::Update(error) => error.kind(),
            Self::Publish(Publish::Cancelled(_)) => ErrorKind::Cancelled,
            Self::Publish(Publish::Source(error)) => error.kind(),
            Self::Publish(
                Publish::Layers { .. }
                | Publish::PayloadLayers { .. }
                | Publish::Sections { .. }
                | Publish::SameFile(_),
            ) => ErrorKind::Usage,
            Self::Publish(Publish::Merge(MergeError::Part { source, .. })) if source.is_corrupt() => ErrorKind::Corrupt,
            Self::Publish(Publish::Merge(_)) => ErrorKind::Usage,
            Self::Publish(Publish::Write { is_remote: true, .. }) => ErrorKind::Source,
            Self::Publish(Publish::Write { .. } | Publish::Stage(_)) => ErrorKind::Output,
            Self::Publication(
                PublicationError::LongName { .. } | PublicationError::Name(_) | PublicationError::Expired,
            ) => ErrorKind::Usage,
            Self::Publication(PublicationError::NoPointer { .. } | PublicationError::NoVersions { .. }) => {
                ErrorKind::Corrupt
            }
            Self::Signing { .. } | Self::Pointer { .. } => ErrorKind::Corrupt,
            _ => ErrorKind::Other,
        }
    }

    /// A source that cannot be reached or refuses.
    pub fn source(error: SourceError) -> Self {
        Self::Update(error.into())
    }

    /// What went wrong with summing `target`.
    pub(crate) fn of_sums(target: &str, error: SumError) -> Self {
        match error {
            SumError::Read(source) => gosync_publish::Error::Read { target: target.into(), source }.into(),
            SumError::Cancelled(cancelled) => gosync_publish::Error::Cancelled(cancelled).into(),
            source => Self::Sum { path: target.into(), source },
        }
    }
}
