//! A folder on a machine that ssh can log in to.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use gosync_blocksources::{Location, SourceOptions, SshDirectory};
use gosync_chunks::SourceError;

use crate::error::Error;
use crate::folder::{Caching, Folder, Held, WriteFile, within};

/// After so many seconds a lock is taken for that of a publisher who was killed. If it was not, it
/// is the one who is refused, when it comes to the pointer.
const STALE: u64 = 60 * 60;

/// The most bytes of a lock.
const LOCK_LEN: u64 = 1024;

pub(super) struct Remote {
    location: Location,
    directory: SshDirectory,
    lock: String,
    /// What is in the lock.
    owner: String,
}

impl Remote {
    pub(super) fn open(location: &Location, name: &str, who: &str, options: &SourceOptions) -> Result<Self, Error> {
        let url = match location {
            Location::Url(url) => url.as_str(),
            Location::Path(_) => "",
        };
        let directory = SshDirectory::new(url, options.ssh.clone())?;
        directory.make()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let lock = format!(".{name}.gosync-lock");
        let remote = Self { location: location.clone(), directory, lock, owner: format!("{now}\t{who}\n") };
        remote.acquire(now)?;
        Ok(remote)
    }

    fn acquire(&self, now: u64) -> Result<(), Error> {
        for _ in 0..2 {
            if self
                .directory
                .create(&self.lock, self.owner.as_bytes())
                .map_err(|error| self.failed(&self.lock, error))?
            {
                return Ok(());
            }
            let owner = match self.directory.read(&self.lock, LOCK_LEN) {
                Ok(owner) => String::from_utf8_lossy(&owner).into_owned(),
                // It is free again.
                Err(SourceError::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let (since, who) = owner.trim_end().split_once('\t').unwrap_or(("", "somebody"));
            let age = since.parse().map_or(0, |since| now.saturating_sub(since));
            if age < STALE {
                let who: String = who.chars().filter(|c| !c.is_control()).take(200).collect();
                let lock = within(&self.location, &self.lock);
                let owner = format!("{who}, for {} minutes (its lock is {lock})", age / 60);
                return Err(Error::Busy { location: self.location.to_string(), owner: Some(owner) });
            }
            self.directory.remove(&self.lock).map_err(|error| self.failed(&self.lock, error))?;
        }
        Err(Error::Busy { location: self.location.to_string(), owner: None })
    }

    fn is_held(&self) -> bool {
        self.directory.read(&self.lock, LOCK_LEN).is_ok_and(|owner| owner == self.owner.as_bytes())
    }

    fn failed(&self, name: &str, error: SourceError) -> Error {
        let location = within(&self.location, name).to_string();
        Error::Write { location, is_remote: true, source: io::Error::other(error) }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if self.is_held() {
            // Where that fails, it grows stale.
            let _ = self.directory.remove(&self.lock);
        }
    }
}

impl Folder for Remote {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Held>, Error> {
        match self.directory.read(name, limit) {
            Ok(bytes) => Ok(Some(Held::untagged(bytes))),
            Err(SourceError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn length(&self, name: &str) -> Result<Option<u64>, Error> {
        match self.directory.length(name) {
            Err(SourceError::NotFound { .. }) => Ok(None),
            length => Ok(length?),
        }
    }

    fn put(&self, name: &str, _: Caching, write: WriteFile<'_>) -> Result<(), Error> {
        let mut writer = self.directory.writer(name).map_err(|error| self.failed(name, error))?;
        write(&mut writer)?;
        writer.finish().map_err(|error| self.failed(name, error))
    }

    fn replace(&self, name: &str, bytes: &[u8], held: Option<&Held>) -> Result<bool, Error> {
        let limit = held.map_or(0, |held| held.bytes.len() as u64);
        let is_as_held = self.read(name, limit).is_ok_and(|now| now.as_ref() == held);
        if !is_as_held || !self.is_held() {
            return Ok(false);
        }
        let failed =
            |source| Error::Write { location: within(&self.location, name).to_string(), is_remote: true, source };
        self.put(name, Caching::Fresh, &mut |out| out.write_all(bytes).map_err(failed))?;
        Ok(true)
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        self.directory.remove(name).map_err(|error| self.failed(name, error))
    }
}
