//! Why an index cannot be used.

use gosync_chunks::SourceError;
use gosync_comparer::CompareError;
use gosync_patcher::VerifyError;

use crate::format::error::FormatError;

/// Why an index cannot be used, or seeds not be compared with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not an index, or a damaged one.
    #[error("{location} is not a usable index")]
    Index {
        /// The path or URL, without secrets.
        location: String,
        /// What is wrong with it.
        #[source]
        source: FormatError,
    },
    /// The index cannot be reached.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Seeds cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A file cannot be verified.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
