//! What can go wrong.

use std::io;

use gosync_chunks::{Cancelled, SourceError};

/// Bytes are no recipe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recipe is damaged: {what}")]
pub struct RecipeError {
    what: &'static str,
}

impl RecipeError {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what }
    }
}

/// Streams cannot be had as they were published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is no room for them.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// They are not delivered.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// A file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be read, or what is in it not be put anywhere.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The caller wished to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A file cannot be closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// What is in it cannot be read, or the file not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What is to be closed has another length than the recipe says.
    #[error("there are {actual} opened bytes, but the recipe is for {expected}")]
    Length {
        /// How long it is to be.
        expected: u64,
        /// How long it is.
        actual: u64,
    },
    /// A stream was made by an encoder that is not known here; see
    /// [`Recipe::unknown`](crate::Recipe::unknown).
    #[error("this version does not know how the stream at {start} was compressed; a newer one may")]
    UnknownEncoder {
        /// Where the stream begins in the packed file.
        start: u64,
    },
    /// A stream comes out with another length than the recipe says, because what is in it is not
    /// what was opened, or the recipe was made up.
    #[error("the stream at {start} comes out with another length: these are not the bytes that were opened")]
    Differs {
        /// Where the stream begins in the packed file.
        start: u64,
    },
    /// The caller wished to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
