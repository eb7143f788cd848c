//! What a directory can have against being published or updated.

use std::io;
use std::path::{Path, PathBuf};

use gosync_chunks::{Cancelled, ErrorKind};
use gosync_packed::RecipeError;

use crate::listing::error::ListingError;

/// Why a directory was not published, looked at or brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something in a directory cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// Something cannot be written, or be put in its place.
    #[error("cannot write {}", path.display())]
    Write {
        /// What.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A listing is damaged.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// The listing that came is not the one that the index was made for.
    #[error(
        "the listing of the directory is not the one that the index was made for; get the index and the payload of the same build"
    )]
    WrongListing,
    /// The contents of a file are not those that the listing has.
    #[error("{path} came out wrong, though its blocks are right; get the index and the payload of the same build")]
    WrongContent {
        /// The file.
        path: String,
    },
    /// The recipe of a packed file is damaged.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A packed file does not come out as it was published.
    #[error("{path} cannot be made of what is in it; get the index and the payload of the same build")]
    WrongPacked {
        /// The file.
        path: String,
    },
    /// Streams of a packed file were made by encoders that are not known here, and the file itself is not
    /// at hand.
    #[error(
        "{streams} streams of {path} were compressed in ways that this version does not know, and the file itself is \
         not at hand; a newer version of this program may know them"
    )]
    UnknownEncoder {
        /// The file.
        path: String,
        /// How many.
        streams: usize,
    },
    /// Something changed while it was read.
    #[error("{} changed while it was read; run this again", path.display())]
    Changed {
        /// What.
        path: PathBuf,
    },
    /// A name cannot be on this system, or a listing cannot have it.
    #[error("{path} cannot be a name here: {why}")]
    Name {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two names would be one on this file system.
    #[error("{one} and {other} are one name on this file system, so that one would overwrite the other")]
    Collision {
        /// A path.
        one: String,
        /// Another.
        other: String,
    },
    /// A directory is in the way of a file.
    #[error("{path} is a directory here, and something else in the new version; --delete removes what is in it")]
    InTheWay {
        /// The path.
        path: String,
    },
    /// A pattern of what to leave out cannot be understood.
    #[error("the pattern {pattern:?} cannot be understood: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something else is at work in the directory.
    #[error("another process is updating {}; run this again when it is done", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The progress said to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// The kind of trouble that this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { .. } | Self::Changed { .. } | Self::Busy { .. } | Self::UnknownEncoder { .. } => {
                ErrorKind::Other
            }
            Self::Write { .. } | Self::InTheWay { .. } | Self::Collision { .. } => ErrorKind::Output,
            Self::Listing(_)
            | Self::WrongListing
            | Self::WrongContent { .. }
            | Self::Recipe(_)
            | Self::WrongPacked { .. } => ErrorKind::Corrupt,
            Self::Name { .. } | Self::Pattern { .. } => ErrorKind::Usage,
            Self::Cancelled(_) => ErrorKind::Cancelled,
        }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }
}

impl From<Error> for gosync_update::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Read { path, source } => Self::Read { path, source },
            Error::Write { path, source } => Self::Write { path, source },
            Error::Cancelled(cancelled) => cancelled.into(),
            error => Self::target(error.kind(), error),
        }
    }
}

impl From<ListingError> for gosync_update::Error {
    fn from(error: ListingError) -> Self {
        Error::from(error).into()
    }
}
