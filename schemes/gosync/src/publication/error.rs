//! Why a version is not published.

use gosync_chunks::NameError;

use crate::pointer::error::PointerError;

/// Why a version is not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// Somebody else published meanwhile.
    #[error(
        "somebody else has published version {serial} of {name} meanwhile; what was uploaded is of no use: publish again"
    )]
    Overtaken {
        /// What is published.
        name: String,
        /// The version that was to be published, and was.
        serial: u64,
    },
    /// What is there under the name of the pointer is none.
    #[error("{location} is no pointer: find out what it is, and remove it to begin anew")]
    NoPointer {
        /// Where it is.
        location: String,
        /// What is wrong with it.
        #[source]
        source: PointerError,
    },
    /// What is there under the name of the list of versions is none.
    #[error("{location} is no list of versions: remove it, and old versions by hand")]
    NoVersions {
        /// Where it is.
        location: String,
    },
    /// There are no more numbers for versions.
    #[error("the pointer has the last serial number that there is; publish under another name")]
    NoMoreNumbers,
    /// A name is too long.
    #[error("{name:?} is longer than {most} bytes; give a shorter one with --name")]
    LongName {
        /// The name.
        name: String,
        /// The most bytes that one may have.
        most: usize,
    },
    /// A name is none.
    #[error("it cannot be published under that name; give another one with --name")]
    Name(#[from] NameError),
    /// The time when the pointer is to expire is over already.
    #[error("it would expire before it is published")]
    Expired,
}
