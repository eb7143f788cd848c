//! A file that only this process has: created exclusively or taken over, and locked.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use gosync_files::entry::Identity;
use gosync_files::{access, entry};

use crate::place::error::StageError;

/// Removed from its path when this is dropped, unless it is [kept](Self::keep) or was moved.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl TemporaryFile {
    /// Creates and locks a file at `path`; `None` when something is there.
    pub(crate) fn create(path: &Path) -> Result<Option<Self>, StageError> {
        let failed = |source| StageError::Create { path: path.to_owned(), source };
        let file = match entry::create(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let mut created = Self::own(path, file);
        if !access::lock(&created.file) || !entry::is_at(&created.file, path) {
            // Somebody took it for a leftover, and for theirs, before it was locked.
            created.is_kept = true;
            return Err(StageError::Busy { path: path.to_owned() });
        }
        Ok(Some(created))
    }

    /// `file`, which is at `path` and locked.
    pub(crate) fn own(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file, is_kept: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Whether dropping this removes it.
    pub(crate) fn is_to_be_removed(&self) -> bool {
        !self.is_kept && self.is_there()
    }

    /// Leaves it where it is.
    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Whether its path still leads to it.
    pub(crate) fn is_there(&self) -> bool {
        entry::is_at(&self.file, &self.path)
    }

    /// Moves what is at its path to `target`, in place of what is there, and tells whether it
    /// is this file.
    pub(crate) fn replace(&mut self, target: &Path) -> io::Result<bool> {
        let identity = Identity::of(&self.file)?;
        entry::replace(&self.path, target)?;
        self.is_kept = true;
        Ok(identity.is_at(target))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if self.is_to_be_removed() {
            // Nobody is left to tell, and the next run removes it.
            let _ = entry::remove(&self.path);
        }
        // A child process that is just being started may hold the file a little longer.
        let _ = self.file.unlock();
    }
}

/// Opens and locks what another run left at `path`; `None` when it is gone.
pub(crate) fn open_leftover(path: &Path) -> Result<Option<File>, StageError> {
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
    if !access::lock(&file) {
        return Err(StageError::Busy { path: path.to_owned() });
    }
    // It may have become the target, or have been removed, before it was locked.
    Ok(entry::is_at(&file, path).then_some(file))
}
