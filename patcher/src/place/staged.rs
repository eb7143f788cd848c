//! The temporary file beside a target, which takes its place once it is complete.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use gosync_chunks::ReadAt;
use gosync_files::{LocalFile, access, entry};

#[cfg(doc)]
use crate::patch::Patch;
use crate::place::error::StageError;
use crate::place::journal::{self, TargetId};
use crate::place::names::{directory_of, journal_path, resolve, temporary_path};

/// A temporary file in the target's directory, named `.NAME.gosync-part`.
///
/// It is created exclusively, for its owner alone, and locked as long as this lives, so
/// that no two processes make the same target at once. When this is dropped without
/// [`commit`](Self::commit) or [`keep`](Self::keep), the file is removed and the target
/// is as it was.
///
/// What is kept, or left by a run that was killed, the next run goes on with where both
/// [`resume`](Self::resume) the same target: its [`TargetId`] stands in
/// `.NAME.gosync-journal`. Otherwise it is a [left-over](Self::take_leftover).
///
/// A target that is a symbolic link to a file is resolved first: the file behind it is
/// replaced, and the link goes on pointing to it.
#[derive(Debug)]
pub struct StagedFile {
    target: PathBuf,
    path: PathBuf,
    journal: PathBuf,
    file: File,
    leftover: Option<LocalFile>,
    is_resumed: bool,
    has_fetched: AtomicBool,
    is_finished: bool,
    /// Whether the file is still where it was created and to be removed from there.
    is_temporary: bool,
}

/// Tries to win against other processes that come and go.
const ATTEMPTS: usize = 16;

impl StagedFile {
    /// Creates the temporary file of `target`, a file or the name of one to be.
    ///
    /// # Errors
    ///
    /// When `target` is anything but a file or cannot be looked at, another process has
    /// it staged, or its directory is missing or not to be written.
    pub fn create(target: &Path) -> Result<Self, StageError> {
        Self::open(target, None)
    }

    /// As [`create`](Self::create), but goes on with what an earlier run left that was to
    /// make the same target: [`Patch::write_to_file`] verifies what is there and leaves it
    /// out. What was to become anything else is there to be [taken](Self::take_leftover).
    ///
    /// # Errors
    ///
    /// As `create`.
    pub fn resume(target: &Path, id: TargetId) -> Result<Self, StageError> {
        Self::open(target, Some(id))
    }

    fn open(target: &Path, id: Option<TargetId>) -> Result<Self, StageError> {
        let target = resolve(target)?;
        let path = temporary_path(&target);
        let journal = journal_path(&target);
        let mut leftover = None;
        for _ in 0..ATTEMPTS {
            let (file, is_old) = match entry::create(&path) {
                Ok(file) => (file, false),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let Some(old) = open_leftover(&path)? else { continue };
                    let failed = |source| StageError::Leftover { path: path.clone(), source };
                    if id.is_none() || journal::read(&journal) != id || !access::is_ours(&old, &target) {
                        entry::remove(&path).map_err(failed)?;
                        let old = LocalFile::new(&path, old).map_err(failed)?;
                        leftover = Some(old).filter(|old| old.size() > 0).or(leftover);
                        continue;
                    }
                    access::restrict(&old).map_err(failed)?;
                    (old, true)
                }
                Err(source) => return Err(StageError::Create { path, source }),
            };
            let is_resumed = is_old && file.metadata().is_ok_and(|metadata| metadata.len() > 0);
            let mut staged = Self {
                target,
                path,
                journal,
                file,
                leftover,
                is_resumed,
                has_fetched: AtomicBool::new(is_resumed),
                is_finished: true,
                is_temporary: true,
            };
            if !is_old {
                staged.claim(id)?;
            }
            return Ok(staged);
        }
        Err(StageError::Busy { path })
    }

    /// Locks a file that was just created, and says what it is to become.
    fn claim(&mut self, id: Option<TargetId>) -> Result<(), StageError> {
        match access::lock(&self.file) {
            Ok(true) if entry::is_at(&self.file, &self.path) => {}
            // Somebody took it for a leftover, and for theirs, before it was locked.
            Ok(_) => {
                self.is_temporary = false;
                return Err(StageError::Busy { path: self.path.clone() });
            }
            Err(source) => return Err(StageError::Create { path: self.path.clone(), source }),
        }
        let noted = match id {
            Some(id) => journal::write(&self.journal, id),
            None => journal::remove(&self.journal),
        };
        noted.map_err(|source| StageError::Create { path: self.journal.clone(), source })
    }

    /// What an earlier run left that was killed or [kept](Self::keep) its file, and that
    /// this one does not go on with: good for one more seed. Its name is gone, so its bytes are lost with the returned value.
    pub fn take_leftover(&mut self) -> Option<LocalFile> {
        self.leftover.take()
    }

    /// The file that is or will be replaced, behind symbolic links.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where the temporary file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The temporary file, open for reading and writing. Whoever writes to it answers
    /// for what is committed.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The temporary file as data.
    ///
    /// # Errors
    ///
    /// When it cannot be opened once more.
    pub fn reader(&self) -> io::Result<LocalFile> {
        LocalFile::new(&self.path, self.file.try_clone()?)
    }

    /// Whether the file holds something that was fetched, by this run or the one that it
    /// goes on with: what is worth being [kept](Self::keep).
    pub fn has_fetched(&self) -> bool {
        self.has_fetched.load(Ordering::Relaxed)
    }

    /// Puts the file in the target's place, so that even after a power failure there is
    /// the old file or the new.
    ///
    /// A replaced file's mode is kept, and its owner and group as far as this process
    /// may set them; a new one gets the mode that the umask allows. Access control lists
    /// and extended attributes are not kept.
    ///
    /// # Errors
    ///
    /// When a patch into it failed or it cannot be written to disk or renamed. The
    /// temporary file is then removed.
    pub fn commit(mut self) -> Result<(), StageError> {
        if !self.is_finished {
            return Err(StageError::Unfinished { path: self.path.clone() });
        }
        let failed = |source| StageError::Commit { path: self.target.clone(), source };
        let replaced = match fs::metadata(&self.target) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        access::adopt(&self.file, replaced.as_ref()).map_err(failed)?;
        self.file.sync_all().map_err(failed)?;
        // First, while the name that the lock is for is still taken.
        journal::remove(&self.journal).map_err(failed)?;
        entry::replace(&self.path, &self.target).map_err(failed)?;
        let synced = entry::sync_directory(directory_of(&self.target)).map_err(failed);
        self.is_temporary = false;
        synced
    }

    /// Leaves the temporary file for a later run to go on with.
    pub fn keep(mut self) {
        self.is_temporary = false;
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    pub(crate) fn fetched_flag(&self) -> &AtomicBool {
        &self.has_fetched
    }

    pub(crate) fn set_finished(&mut self, is_finished: bool) {
        self.is_finished = is_finished;
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if self.is_temporary && entry::is_at(&self.file, &self.path) {
            // Nobody is left to tell, and the next run removes them.
            let _ = journal::remove(&self.journal);
            let _ = entry::remove(&self.path);
        }
        // A child process that is just being started may hold the file a little longer.
        let _ = self.file.unlock();
    }
}

/// Opens and locks what is at `path`; `None` when it is gone.
fn open_leftover(path: &Path) -> Result<Option<File>, StageError> {
    let failed = |source| StageError::Leftover { path: path.to_owned(), source };
    let refuse_others = |metadata: io::Result<Metadata>| match metadata {
        Ok(metadata) => match entry::kind_of(&metadata) {
            Some(kind) => Err(StageError::NotAFile { path: path.to_owned(), kind }),
            None => Ok(true),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(error)),
    };
    if !refuse_others(fs::symlink_metadata(path))? {
        return Ok(None);
    }
    // Some file systems lock only what may be written.
    let file = match entry::open(path, OpenOptions::new().read(true).write(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    refuse_others(file.metadata())?;
    if !access::lock(&file).map_err(failed)? {
        return Err(StageError::Busy { path: path.to_owned() });
    }
    // It may have become the target, or have been removed, before it was locked.
    Ok(entry::is_at(&file, path).then_some(file))
}
