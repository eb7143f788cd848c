//! Why bytes are no section of a packed file, and why one is not closed.

use gosync_chunks::ErrorKind;
use gosync_packed::{CloseError, RecipeError};

/// What is wrong with the section of a packed file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SectionError {
    /// It cannot be read, or contradicts the rest of the index.
    #[error("what the index says of its packed file is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// Its recipe cannot be read.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

impl SectionError {
    pub(crate) fn new(what: &'static str) -> Self {
        Self::Damaged { what }
    }
}

impl From<SectionError> for gosync_update::Error {
    fn from(error: SectionError) -> Self {
        Self::target(ErrorKind::Corrupt, error)
    }
}

/// A packed file is not closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FinishError {
    /// Its recipe does not go with what was brought together.
    #[error("the packed file cannot be made of what is in it")]
    Close(#[source] CloseError),
    /// Streams were made by encoders that are not known here, and nobody says where the file is that
    /// has them.
    #[error(
        "{streams} streams of the packed file were compressed in ways that this version does not know, and the \
         file itself is not at hand; a newer version of this program may know them"
    )]
    Unknown {
        /// How many.
        streams: usize,
    },
}
