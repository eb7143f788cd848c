//! Where ssh logs in to, and what it means when that goes wrong.

use std::io;
use std::time::Instant;

use gosync_chunks::SourceError;

use super::address::Address;
use super::link::{Broken, Link};
use super::options::SshOptions;
use super::process::{End, Ended};
use crate::sftp::{SftpError, status};

/// A place that ssh logs in to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) address: &'a Address,
    pub(super) options: &'a SshOptions,
}

impl Place<'_> {
    /// Logs in.
    pub(super) fn connect(&self) -> Result<Link, SourceError> {
        if self.options.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(self.unreachable(NO_TIME.into(), false));
        }
        let started = Link::start(self.address, self.options).map_err(|error| self.no_ssh(&error))?;
        started.map_err(|broken| self.broken(broken, true))
    }

    /// That ssh cannot be run.
    pub(super) fn no_ssh(&self, error: &io::Error) -> SourceError {
        let program = self.options.program.display();
        self.unreachable(format!("{program} cannot be run ({error}); install OpenSSH's client"), false)
    }

    /// What it means that the server says no.
    pub(super) fn said(&self, error: SftpError) -> SourceError {
        self.broken(Broken { error, ended: Ended::default() }, false)
    }

    /// What it means that the conversation broke, or did not begin.
    pub(super) fn broken(&self, broken: Broken, is_start: bool) -> SourceError {
        let Broken { error, ended } = broken;
        let (is_ssh, Ended { told, end, .. }) = (ended.is_of_ssh(), ended);
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
                    () if is_denied => SourceError::Denied { location: self.address.to_string(), reason },
                    () if is_refused => self.refused(reason),
                    () => self.unreachable(reason, !is_final),
                }
            }
            (error @ SftpError::Status { code: status::NO_SUCH_FILE, .. }, _) => {
                SourceError::NotFound { location: self.address.to_string(), reason: error.to_string() }
            }
            (error @ SftpError::Status { code: status::PERMISSION_DENIED, .. }, _) => {
                SourceError::Denied { location: self.address.to_string(), reason: error.to_string() }
            }
            (error @ SftpError::Status { code: status::NO_CONNECTION | status::CONNECTION_LOST, .. }, _) => {
                self.unreachable(with_told(error.to_string()), true)
            }
            (error, _) => self.refused(with_told(error.to_string())),
        }
    }

    pub(super) fn refused(&self, reason: String) -> SourceError {
        SourceError::Refused { location: self.address.to_string(), reason }
    }

    pub(super) fn changed(&self, reason: String) -> SourceError {
        SourceError::Changed { location: self.address.to_string(), reason }
    }

    fn unreachable(&self, reason: String, is_transient: bool) -> SourceError {
        SourceError::Unreachable { location: self.address.to_string(), is_transient, source: reason.into() }
    }
}

const NO_TIME: &str = "the time for all of it is over";

/// What ssh says when this user may not log in. Its exit code tells nothing of all this.
const DENIED: [&str; 2] = ["Permission denied (", "Too many authentication failures"];

/// What it says when to try again is in vain.
const FINAL: [&str; 4] =
    ["Host key verification failed", "IDENTIFICATION HAS CHANGED", "Bad configuration option", "no matching"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_servers() {
        let (address, options) = (Address::parse("ssh://host/x").unwrap(), SshOptions::default());
        let place = Place { address: &address, options: &options };
        let error = |code| {
            let error = SftpError::Status { code, message: "said".into() };
            place.broken(Broken { error, ended: Ended::default() }, false)
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
