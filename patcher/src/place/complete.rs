//! The last steps: owner and mode, the disk, and the name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gosync_files::{Note, access, entry};

use crate::place::error::StageError;
use crate::place::journal::Journal;
use crate::place::temporary::TemporaryFile;

/// How long others that put their files in place in the same directory are waited for, each of
/// which takes milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// A temporary file, what it is to replace, and the note of that.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) target: PathBuf,
    pub(crate) temporary: TemporaryFile,
    /// Of one of many the journal is the caller's.
    pub(crate) journal: Option<Journal>,
    /// Whether the disk is waited for.
    pub(crate) is_synced: bool,
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
pub struct CompleteFile {
    placement: Placement,
    notes: Vec<Note>,
}

impl CompleteFile {
    pub(crate) fn new(mut placement: Placement) -> Result<Self, StageError> {
        match prepare(&placement) {
            Ok(notes) => Ok(Self { placement, notes }),
            Err(source) => {
                placement.temporary.keep();
                let Placement { target, temporary, .. } = &placement;
                Err(StageError::Commit { path: target.clone(), kept: temporary.path().to_owned(), source })
            }
        }
    }

    /// What will be replaced.
    pub fn target(&self) -> &Path {
        &self.placement.target
    }

    /// Gives the file its target's name. That outlasts a power failure once its directory is
    /// [synced](gosync_files::entry::sync_directory), which is left to the caller: for many
    /// files in a directory once is enough. Returns what could not be done for the file, apart
    /// from its content.
    ///
    /// What takes the name is the file that was written: what its path leads to is compared with
    /// it before and after.
    ///
    /// # Errors
    ///
    /// When it cannot be renamed. It is then kept, for a later run to go on with.
    pub fn put_in_place(mut self) -> Result<Vec<Note>, StageError> {
        let Placement { target, temporary, journal, .. } = &mut self.placement;
        let path = temporary.path().to_owned();
        // Another run for the same target may put its own file in place at once after this one. One
        // of many has nobody beside it: its caller sees to that.
        let alone = journal.is_some().then(|| access::lock_directory(entry::directory_of(target), PATIENCE));
        if !temporary.is_there() {
            return Err(StageError::Foreign { path });
        }
        // First, while the name that the lock is for is still taken.
        let renamed = journal.as_ref().map_or(Ok(()), Journal::remove).and_then(|()| temporary.replace(target));
        drop(alone);
        match renamed {
            Ok(true) => Ok(self.notes),
            Ok(false) => Err(StageError::Foreign { path: target.clone() }),
            Err(source) => {
                temporary.keep();
                // Without one it is still a seed.
                let _ = journal.as_ref().map_or(Ok(()), Journal::write);
                Err(match entry::is_in_use(target) {
                    true => StageError::InUse { path: target.clone() },
                    false => StageError::Commit { path: target.clone(), kept: path, source },
                })
            }
        }
    }

    /// Leaves the file where it is, for a later run to go on with.
    pub fn keep(mut self) {
        self.placement.temporary.keep();
    }
}

/// Gives the file its rights and writes it to disk. Returns what the system refuses and the
/// content does not need.
fn prepare(Placement { target, temporary, is_synced, .. }: &Placement) -> io::Result<Vec<Note>> {
    let replaced = match fs::symlink_metadata(target) {
        Ok(metadata) => Some(metadata).filter(fs::Metadata::is_file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut notes = Vec::new();
    let lost = access::adopt(temporary.file(), target, replaced.as_ref());
    if !lost.is_empty() {
        let what = format!("the system does not let the new file have {}; set what is needed by hand", lost.join(", "));
        notes.push(Note::new(target, what));
    }
    let synced = if *is_synced { temporary.file().sync_all() } else { Ok(()) };
    match synced {
        Err(error) if is_refusal(&error) => notes.push(unsynced(target, &error)),
        synced => synced?,
    }
    Ok(notes)
}

/// That a file may not outlast a power failure.
pub(crate) fn unsynced(path: &Path, error: &io::Error) -> Note {
    Note::new(path, format!("it could not be synced ({error}); it is safe once the system has written it to disk"))
}

/// Whether a file system refuses something that it does not know or does not allow, rather than
/// failing at it.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}
