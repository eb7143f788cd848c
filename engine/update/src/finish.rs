//! How a target becomes what is wanted, where that is not its bytes.

use std::io::Write;

use gosync_chunks::{FileHash, Progress, ReadAt, Transfer};

use crate::error::Error;

/// The step behind a target that is right: a packed file is closed, say, of what was in it.
///
/// What it writes is compared with its hash before it takes its name.
pub trait Finish: Sync {
    /// Length in bytes of what is wanted.
    fn length(&self) -> u64;

    /// The BLAKE3 of that.
    fn file_hash(&self) -> FileHash;

    /// Writes it to `out`, made of `target`, on all threads of the current rayon pool. Returns what
    /// was fetched for it, beyond what the target was fetched for.
    ///
    /// # Errors
    ///
    /// When something cannot be read, fetched or written, nothing can be made of it, or `progress`
    /// cancels.
    fn write(
        &self,
        target: &dyn ReadAt,
        out: &mut (dyn Write + Send),
        progress: &dyn Progress,
    ) -> Result<Transfer, Error>;
}

/// What came of a [`Finish`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Length in bytes of what was made.
    pub bytes: u64,
    /// What was fetched for it, beyond what the target was fetched for.
    pub transfer: Transfer,
}
