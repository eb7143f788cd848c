//! A file on a machine that ssh can log in to, as a source.

use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use super::address::Address;
use super::link::{Broken, End, Link};
use super::options::SshOptions;
use crate::sftp::{Attributes, OpenFile, READ_SIZE, SftpError, status};

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
        if self.options.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(self.unreachable(NO_TIME.into(), false));
        }
        let started = Link::start(&self.address, &self.options).map_err(|error| {
            let program = self.options.program.display();
            self.unreachable(format!("{program} cannot be run ({error}); install OpenSSH's client"), false)
        })?;
        let mut link = started.map_err(|broken| self.broken(broken, true))?;
        let file = match link.session.open(&self.address.path) {
            Ok(file) => file,
            Err(error) => return Err(self.broken(link.broken(error), false)),
        };
        if file.attributes.mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000) {
            return Err(self.refused("it is a directory".into()));
        }
        let found = *self.found.get_or_init(|| file.attributes);
        if (found.size, found.modified) != (file.attributes.size, file.attributes.modified) {
            return Err(self.changed("it was written to meanwhile".into()));
        }
        Ok((link, file))
    }

    /// What it means that the conversation broke, or did not begin.
    fn broken(&self, broken: Broken, is_start: bool) -> SourceError {
        let Broken { error, told, is_ssh, end } = broken;
        let with_told = |text: String| if told.is_empty() { text } else { format!("{text}; ssh says: {told}") };
        match (error, end) {
            (SftpError::Sink(error), _) => SourceError::Sink(error),
            (_, Some(End::Late)) => self.unreachable(NO_TIME.into(), false),
            (error @ SftpError::End(_), _) => self.changed(error.to_string()),
            (_, Some(End::Silent)) => self.unreachable(format!("no answer within {:?}", self.options.silence), true),
            (SftpError::Io(error), _) => {
                let says = |signs: &[&str]| is_start && signs.iter().any(|sign| told.contains(sign));
                let (is_denied, is_final) = (says(&DENIED), says(&FINAL));
                let is_refused = says(&["subsystem request failed"]) || (is_start && !is_ssh);
                let reason = if told.is_empty() { format!("the connection broke ({error})") } else { told };
                match () {
                    () if is_denied => SourceError::Denied { location: self.location(), reason },
                    () if is_refused => self.refused(reason),
                    () => self.unreachable(reason, !is_final),
                }
            }
            (error @ SftpError::Status { code: status::NO_SUCH_FILE, .. }, _) => {
                SourceError::NotFound { location: self.location(), reason: error.to_string() }
            }
            (error @ SftpError::Status { code: status::PERMISSION_DENIED, .. }, _) => {
                SourceError::Denied { location: self.location(), reason: error.to_string() }
            }
            (error @ SftpError::Status { code: status::NO_CONNECTION | status::CONNECTION_LOST, .. }, _) => {
                self.unreachable(with_told(error.to_string()), true)
            }
            (error, _) => self.refused(with_told(error.to_string())),
        }
    }

    fn refused(&self, reason: String) -> SourceError {
        SourceError::Refused { location: self.location(), reason }
    }

    fn changed(&self, reason: String) -> SourceError {
        SourceError::Changed { location: self.location(), reason }
    }

    fn unreachable(&self, reason: String, is_transient: bool) -> SourceError {
        SourceError::Unreachable { location: self.location(), is_transient, source: reason.into() }
    }

    fn idle(&self) -> MutexGuard<'_, Option<(Link, OpenFile)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NO_TIME: &str = "the time for all of it is over";

/// What ssh says when this user may not log in. Its exit code tells nothing of all this.
const DENIED: [&str; 2] = ["Permission denied (", "Too many authentication failures"];

/// What it says when to try again is in vain.
const FINAL: [&str; 4] =
    ["Host key verification failed", "IDENTIFICATION HAS CHANGED", "Bad configuration option", "no matching"];

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
            Err(error) => Err(self.broken(link.broken(error), false)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_servers() {
        let source = SshSource::new("ssh://host/x", SshOptions::default()).unwrap();
        let error = |code| {
            let error = SftpError::Status { code, message: "said".into() };
            source.broken(Broken { error, told: String::new(), is_ssh: true, end: None }, false)
        };
        let said = |code| format!("the SFTP server says: said (status {code})");
        assert_eq!(error(2).to_string(), format!("cannot find ssh://host/x: {}", said(2)));
        assert_eq!(error(3).to_string(), format!("access to ssh://host/x is denied: {}", said(3)));
        assert_eq!(error(4).to_string(), format!("ssh://host/x does not deliver: {}", said(4)));
        for code in [6, 7] {
            assert!(matches!(error(code), SourceError::Unreachable { is_transient: true, .. }));
        }
    }
}
