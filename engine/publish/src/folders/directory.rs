//! A folder on this machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gosync_files::{access, entry};
use gosync_patcher::{StagedFile, hidden_path};

use crate::error::Error;
use crate::folder::{Caching, Folder, Held, WriteFile};

/// The end of the name of the file that is locked by the publisher at work.
const LOCK_SUFFIX: &str = ".gosync-lock";

pub(super) struct Directory {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Directory {
    pub(super) fn open(path: &Path, name: &str) -> Result<Self, Error> {
        match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unwritable(path, error)),
            _ => {}
        }
        let lock_path = hidden_path(&path.join(name), LOCK_SUFFIX);
        let mut options = OpenOptions::new();
        let opened = entry::open(&lock_path, options.read(true).write(true).create(true).truncate(false));
        let lock = opened.map_err(|error| unwritable(&lock_path, error))?;
        match access::lock(&lock) {
            true => Ok(Self { path: path.to_owned(), _lock: lock }),
            false => Err(Error::Busy { location: path.display().to_string(), owner: None }),
        }
    }
}

impl Folder for Directory {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Held>, Error> {
        let path = self.path.join(name);
        let read = || {
            let mut bytes = Vec::new();
            entry::open(&path, OpenOptions::new().read(true))?.take(limit + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > limit {
                Err(io::Error::other(format!("it has more than {limit} bytes")))
            } else {
                Ok(bytes)
            }
        };
        match read() {
            Ok(bytes) => Ok(Some(Held::untagged(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { target: path.display().to_string(), source }),
        }
    }

    fn length(&self, name: &str) -> Result<Option<u64>, Error> {
        let path = self.path.join(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len()).filter(|_| metadata.is_file())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { target: path.display().to_string(), source }),
        }
    }

    fn put(&self, name: &str, _: Caching, write: WriteFile<'_>) -> Result<(), Error> {
        let staged = StagedFile::create(&self.path.join(name))?;
        write(&mut staged.file())?;
        staged.commit()?;
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8], held: Option<&Held>) -> Result<bool, Error> {
        // Nobody else replaces it who heeds the lock.
        let limit = held.map_or(0, |held| held.bytes.len() as u64) + 1;
        let is_as_held = match self.read(name, limit) {
            Ok(now) => now.as_ref() == held,
            Err(_) => false,
        };
        if !is_as_held {
            return Ok(false);
        }
        let path = self.path.join(name);
        self.put(name, Caching::Fresh, &mut |out| out.write_all(bytes).map_err(|error| unwritable(&path, error)))?;
        Ok(true)
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        // What a kill left of it is taken over, and dropped.
        drop(StagedFile::create(&path)?);
        match entry::remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(&path, error)),
            _ => Ok(()),
        }
    }

    /// On the same file system, where there is most likely room.
    fn scratch(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.path)
    }
}

fn unwritable(path: &Path, source: io::Error) -> Error {
    Error::Write { location: path.display().to_string(), is_remote: false, source }
}
