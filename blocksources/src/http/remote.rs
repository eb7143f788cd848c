//! A file on a server: how it is asked for, and what is known of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gosync_chunks::SourceError;
use ureq::http::HeaderValue;

use super::client::Client;
use super::cost::Terms;
use super::identity::Identity;
use super::options::HttpOptions;

pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) options: HttpOptions,
    /// What the first answers told; later ones have to agree.
    identity: Mutex<Identity>,
}

impl Remote {
    pub(super) fn new(url: &str, options: HttpOptions) -> Result<Self, SourceError> {
        Ok(Self { client: Client::new(url, options.clone())?, options, identity: Mutex::default() })
    }

    /// The terms on which the server is asked: what was learned of it, and the options.
    pub(super) fn terms(&self) -> Terms {
        let learned = self.client.host().learned();
        let connections = self.options.connections.max(1);
        Terms {
            line: learned.line(),
            support: learned.support,
            connections: learned.most_connections.map_or(connections, |most| most.min(connections)),
            request_size: self.options.request_size,
            bridged_gap: self.options.bridged_gap,
        }
    }

    pub(super) fn known_size(&self) -> Option<u64> {
        self.identity().size
    }

    /// For requests of ranges, where the server understands it.
    pub(super) fn if_range(&self) -> Option<HeaderValue> {
        let misread = self.client.host().learned().misreads_if_range;
        self.identity().if_range().filter(|_| !misread)
    }

    /// Takes note of what an answer tells of the file's state, and compares it with what
    /// is known already. Tells whether there was anything to compare.
    pub(super) fn agree(&self, seen: Identity) -> Result<bool, SourceError> {
        let mut known = self.identity();
        let is_comparable = known.is_comparable(&seen);
        known.agree(seen).map_err(|reason| self.changed(reason))?;
        Ok(is_comparable)
    }

    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changed(&self, reason: impl Into<String>) -> SourceError {
        SourceError::Changed { location: self.client.location.clone(), reason: reason.into() }
    }

    pub(super) fn length(&self, expected: u64, actual: u64) -> SourceError {
        SourceError::Length { location: self.client.location.clone(), expected, actual }
    }
}
