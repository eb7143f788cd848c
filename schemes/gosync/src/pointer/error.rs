//! Why a pointer is refused.

use std::path::PathBuf;

use gosync_chunks::NameError;

/// Why a pointer is not followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PointerError {
    /// It is of a later version of the format.
    #[error("it is of version {version}, which this program does not know; get a newer one")]
    Version {
        /// The version.
        version: u16,
    },
    /// Its bytes are not those of a pointer, or were changed on their way.
    #[error("it is damaged: {what}")]
    Damaged {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A name in it is not one that a file can have.
    #[error("it gives a name that is none")]
    Name(#[from] NameError),
    /// It is the pointer of something else.
    #[error(
        "it points to {actual:?}, and {expected:?} was asked for; the server has put one in the place of the other"
    )]
    OtherName {
        /// What was asked for.
        expected: String,
        /// What it is of.
        actual: String,
    },
    /// A newer version was here before.
    #[error(
        "it is version {serial}, but version {seen} was here before, as {} says: somebody brings an old version back",
        kept_in.display()
    )]
    Rollback {
        /// The serial number that the pointer has.
        serial: u64,
        /// The one that was seen.
        seen: u64,
        /// Where that is written down.
        kept_in: PathBuf,
    },
    /// Another pointer with its serial number was here before.
    #[error(
        "it is version {serial}, but not the version {serial} that was here before, as {} says",
        kept_in.display()
    )]
    Replaced {
        /// The serial number that both have.
        serial: u64,
        /// Where the other one is written down.
        kept_in: PathBuf,
    },
    /// Its time is over.
    #[error("it expired at {at}: somebody may be keeping newer versions back")]
    Expired {
        /// When, in words.
        at: String,
    },
    /// The index is not the one that it names.
    #[error("the index {index} is not the one that it points to")]
    OtherIndex {
        /// Where the index is.
        index: String,
    },
}

impl PointerError {
    pub(super) fn damaged(what: &'static str) -> Self {
        Self::Damaged { what }
    }
}
