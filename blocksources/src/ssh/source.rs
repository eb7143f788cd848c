//! A file on a machine that ssh can log in to, as a source.

use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use super::address::Address;
use super::link::Link;
use super::options::SshOptions;
use super::place::Place;
use crate::sftp::{Attributes, OpenFile, READ_SIZE};

/// A file behind an `ssh://[user@]host[:port]/path` URL as a source. A path that begins
/// with `/~/` is relative to where a login begins.
///
/// The system's ssh makes the connections, with its own configuration, keys and known
/// hosts. One that is idle is used again; calls at the same time have one each.
pub struct SshSource {
    address: Address,
    options: SshOptions,
    idle: Mutex<Option<(Link, OpenFile)>>,
    /// What the first connection found; others have to find the same.
    found: OnceLock<Attributes>,
}

impl SshSource {
    /// Serves what is at `url`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When `url` is no ssh URL, or holds what is not safe to hand to ssh.
    pub fn new(url: &str, options: SshOptions) -> Result<Self, SourceError> {
        match Address::parse(url) {
            Ok(address) => Ok(Self { address, options, idle: Mutex::default(), found: OnceLock::new() }),
            // The whole text may hold a password.
            Err(reason) => Err(SourceError::Refused { location: "the ssh URL".into(), reason: reason.into() }),
        }
    }

    /// The URL.
    pub fn location(&self) -> String {
        self.address.to_string()
    }

    fn connection(&self) -> Result<(Link, OpenFile), SourceError> {
        match self.idle().take() {
            Some(connection) => Ok(connection),
            None => self.connect(),
        }
    }

    fn connect(&self) -> Result<(Link, OpenFile), SourceError> {
        let place = self.place();
        let mut link = place.connect()?;
        let file = match link.session.open(&self.address.path) {
            Ok(file) => file,
            Err(error) => return Err(place.broken(link.broken(error), false)),
        };
        if file.attributes.mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000) {
            return Err(place.refused("it is a directory".into()));
        }
        let found = *self.found.get_or_init(|| file.attributes);
        if (found.size, found.modified) != (file.attributes.size, file.attributes.modified) {
            return Err(place.changed("it was written to meanwhile".into()));
        }
        Ok((link, file))
    }

    fn place(&self) -> Place<'_> {
        Place { address: &self.address, options: &self.options }
    }

    fn idle(&self) -> MutexGuard<'_, Option<(Link, OpenFile)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for SshSource {
    /// Asks the server, the first time.
    fn size(&self) -> Result<Option<u64>, SourceError> {
        if self.found.get().is_none() {
            let connection = self.connection()?;
            *self.idle() = Some(connection);
        }
        Ok(self.found.get().and_then(|found| found.size))
    }

    /// Delivers pieces of up to 32 KiB, on the current thread.
    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let Some(last) = ranges.iter().rev().find(|range| !range.is_empty()) else { return Ok(Transfer::default()) };
        let (mut link, file) = self.connection()?;
        if let Some(actual) = file.attributes.size.filter(|&size| size < last.end) {
            *self.idle() = Some((link, file));
            return Err(SourceError::Length { location: self.location(), expected: last.end, actual });
        }
        match link.session.read(&file, ranges, self.options.requests, sink) {
            Ok(transfer) => {
                *self.idle() = Some((link, file));
                Ok(transfer)
            }
            Err(error) => Err(self.place().broken(link.broken(error), false)),
        }
    }

    fn limits(&self) -> Limits {
        // Asking around a gap costs a few bytes, and no round trip.
        Limits { request_size: READ_SIZE, bridged_gap: 0, parallelism: self.options.requests.max(1) }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }

    fn modified(&self) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(self.found.get()?.modified?.into()))
    }
}

impl fmt::Debug for SshSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SshSource")
            .field("address", &self.address)
            .field("options", &self.options)
            .field("found", &self.found.get())
            .finish_non_exhaustive()
    }
}
