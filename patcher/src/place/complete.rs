//! The last steps: owner and mode, the disk, and the name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gosync_files::{access, entry};

use crate::place::error::StageError;
use crate::place::journal::Journal;
use crate::place::temporary::TemporaryFile;

/// A temporary file, what it is to replace, and the note of that.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) target: PathBuf,
    pub(crate) temporary: TemporaryFile,
    /// Of one of many the journal is the caller's.
    pub(crate) journal: Option<Journal>,
}

impl Drop for Placement {
    fn drop(&mut self) {
        // While the file is still there, which is removed after this.
        if let Some(journal) = self.journal.as_ref().filter(|_| self.temporary.is_to_be_removed()) {
            // Nobody is left to tell, and the next run removes it.
            let _ = journal.remove();
        }
    }
}

/// A [`StagedFile`](crate::StagedFile) that only wants its name: complete, with its owner and
/// mode, and written to disk.
///
/// When this is dropped, the file is removed and the target is as it was.
#[derive(Debug)]
pub struct CompleteFile(Placement);

impl CompleteFile {
    pub(crate) fn new(placement: Placement) -> Result<Self, StageError> {
        let Placement { target, temporary, .. } = &placement;
        let failed = |source| StageError::Commit { path: target.clone(), source };
        let replaced = match fs::symlink_metadata(target) {
            Ok(metadata) => Some(metadata).filter(|metadata| metadata.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        access::adopt(temporary.file(), replaced.as_ref()).map_err(failed)?;
        temporary.file().sync_all().map_err(failed)?;
        Ok(Self(placement))
    }

    /// What will be replaced.
    pub fn target(&self) -> &Path {
        &self.0.target
    }

    /// Gives the file its target's name. That outlasts a power failure once its directory is
    /// [synced](gosync_files::entry::sync_directory), which is left to the caller: for many
    /// files in a directory once is enough.
    ///
    /// # Errors
    ///
    /// When it cannot be renamed. It is then removed, unless [the target is in
    /// use](StageError::InUse).
    pub fn put_in_place(mut self) -> Result<(), StageError> {
        let Placement { target, temporary, journal } = &mut self.0;
        let failed = |source| StageError::Commit { path: target.clone(), source };
        // First, while the name that the lock is for is still taken.
        journal.as_ref().map_or(Ok(()), Journal::remove).map_err(failed)?;
        let Err(source) = temporary.replace(target) else { return Ok(()) };
        if !entry::is_in_use(target) {
            return Err(failed(source));
        }
        journal.as_ref().map_or(Ok(()), Journal::write)?;
        temporary.keep();
        Err(StageError::InUse { path: target.clone() })
    }

    /// Leaves the file where it is, for a later run to go on with.
    pub fn keep(mut self) {
        self.0.temporary.keep();
    }
}
