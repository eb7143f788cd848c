//! A file on a server: how it is asked for, and what is known of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gosync_chunks::SourceError;

use super::client::Client;
use super::cost::{self, Terms};
use super::options::HttpOptions;

pub(super) struct Remote {
    pub(super) client: Arc<Client>,
    pub(super) options: HttpOptions,
    /// Length of the file in bytes, as the first answers told it; later ones have to agree. Tags and
    /// dates need not: machines behind one name have their own of the same file, and whether bytes
    /// are the right ones is told by their sums.
    size: Mutex<Option<u64>>,
}

impl Remote {
    pub(super) fn new(url: &str, options: HttpOptions) -> Result<Self, SourceError> {
        Ok(Self { client: Arc::new(Client::new(url, options.clone())?), options, size: Mutex::default() })
    }

    /// The terms on which the server is asked: what was learned of it, and the options.
    pub(super) fn terms(&self) -> Terms {
        let learned = self.client.host().learned();
        let connections = self.options.connections.max(1);
        Terms {
            line: learned.line(),
            support: learned.support,
            most_ranges: learned.most_ranges.unwrap_or(cost::MOST_RANGES),
            connections: learned.most_connections.map_or(connections, |most| most.min(connections)),
            request_size: self.options.request_size,
            bridged_gap: self.options.bridged_gap,
        }
    }

    pub(super) fn known_size(&self) -> Option<u64> {
        *self.size()
    }

    /// Takes note of the length that an answer tells, and compares it with what is known already.
    pub(super) fn agree(&self, told: Option<u64>) -> Result<(), SourceError> {
        let mut size = self.size();
        if let (Some(known), Some(told)) = (*size, told)
            && known != told
        {
            let reason = format!("it had {known} bytes and has {told}");
            return Err(SourceError::Changed { location: self.client.location.clone(), reason });
        }
        *size = size.or(told);
        Ok(())
    }

    /// Takes a length for what is known, whatever was known before.
    pub(super) fn learn(&self, told: Option<u64>) {
        *self.size() = told;
    }

    fn size(&self) -> MutexGuard<'_, Option<u64>> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn length(&self, expected: u64, actual: u64) -> SourceError {
        SourceError::Length { location: self.client.location.clone(), expected, actual }
    }
}
