//! A target behind an HTTP(S) server (RFC 9110, sections 13 and 14).

pub(crate) mod answer;
pub(crate) mod broken;
mod client;
mod content_range;
pub mod cost;
mod credentials;
mod document;
mod fetch;
mod hosts;
mod identity;
mod location;
pub mod multipart;
mod netrc;
pub(crate) mod options;
mod proxy;
mod receive;
pub(crate) mod status;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};
use ureq::http::{HeaderValue, Method, StatusCode};

pub use credentials::{Credentials, Secret};
pub use document::HttpDocument;
pub use hosts::Hosts;
pub use netrc::{Netrc, NetrcError};
pub use options::{HttpOptions, RootCertificates};
pub use proxy::Proxy;

use client::{Answer, Ask, Client, persist};
use content_range::ContentRange;
use cost::{Estimate, Terms};
use document::{Pace, Reading};
use fetch::Fetch;
use identity::Identity;

/// A file on an HTTP(S) server as a source.
///
/// Ranges are asked for many at a time, over several connections. What a server does not
/// understand it is not asked again: then come single ranges, and at last the whole
/// file, of which only what is wanted is handed on. Where the server is near, one request
/// finds that out for all. Whatever it sends, no byte is taken
/// whose `Content-Range` was not checked, or of another state of the file than the first
/// answer was of. Redirects are followed, and remembered until they do not hold any more;
/// headers and credentials go to the origin of the URL only.
pub struct HttpSource {
    client: Client,
    options: HttpOptions,
    /// What the first answers told; later ones have to agree.
    identity: Mutex<Identity>,
}

impl HttpSource {
    /// Serves what is at `url`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When `url` is no http or https URL, or an option makes no valid request.
    pub fn new(url: &str, options: HttpOptions) -> Result<Self, SourceError> {
        Ok(Self { client: Client::new(url, options.clone())?, options, identity: Mutex::default() })
    }

    /// The URL without user name, password and query.
    pub fn location(&self) -> &str {
        &self.client.location
    }

    /// How many requests were made so far, redirects and repetitions included.
    pub fn requests(&self) -> u64 {
        self.client.requests.load(Ordering::Relaxed)
    }

    /// The terms on which the server is asked: what was learned of it, and the options.
    pub fn terms(&self) -> Terms {
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

    /// What fetching `ranges`, which ascend and do not overlap, will cost, as far as can
    /// be told from what was learned of the server.
    pub fn estimate(&self, ranges: &[ByteRange]) -> Estimate {
        cost::estimate(ranges, self.known_size(), &self.terms())
    }

    /// Fetches the whole document, which is small: an index, a signature. If the
    /// connection breaks, only the rest is asked for again, where it can be made sure
    /// that it is of the same state.
    ///
    /// # Errors
    ///
    /// When it has more than `limit` bytes, or does not arrive complete.
    pub fn read_all(&self, limit: u64) -> Result<Vec<u8>, SourceError> {
        let read = self.read_document(limit, None)?;
        Ok(read.map(|document| document.bytes).unwrap_or_default())
    }

    /// As [`Self::read_all`], with what the answer told of the document; `None` where the
    /// server says that it was not changed after `since`.
    ///
    /// # Errors
    ///
    /// As [`Self::read_all`].
    pub fn read_document(&self, limit: u64, since: Option<SystemTime>) -> Result<Option<HttpDocument>, SourceError> {
        self.read_document_at(&|_| Ok(()), limit, since)
    }

    /// As [`Self::read_document`], no faster than `pace` lets it.
    pub(crate) fn read_document_at(
        &self,
        pace: Pace<'_>,
        limit: u64,
        since: Option<SystemTime>,
    ) -> Result<Option<HttpDocument>, SourceError> {
        Reading::run(&self.client, pace, limit, since)
    }

    fn known_size(&self) -> Option<u64> {
        self.identity().size
    }

    /// For requests of ranges, where the server understands it.
    fn if_range(&self) -> Option<HeaderValue> {
        let misread = self.client.host().learned().misreads_if_range;
        self.identity().if_range().filter(|_| !misread)
    }

    /// Takes note of what an answer tells of the file's state, and compares it with what
    /// is known already. Tells whether there was anything to compare.
    fn agree(&self, seen: Identity) -> Result<bool, SourceError> {
        let mut known = self.identity();
        let is_comparable = known.is_comparable(&seen);
        known.agree(seen).map_err(|reason| self.changed(reason))?;
        Ok(is_comparable)
    }

    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, reason: impl Into<String>) -> SourceError {
        SourceError::Changed { location: self.client.location.clone(), reason: reason.into() }
    }

    fn length(&self, expected: u64, actual: u64) -> SourceError {
        SourceError::Length { location: self.client.location.clone(), expected, actual }
    }

    /// The file's length, by HEAD, or by asking for its first byte where a server
    /// does not care for HEAD: URLs signed for GET alone are such a case.
    fn ask_size(&self, transfer: &mut Transfer) -> Result<Option<u64>, SourceError> {
        let deadline = self.client.deadline();
        let head = Ask { method: Method::HEAD, deadline, ..Ask::default() };
        let Answer { response, .. } = match persist(|| self.client.send(&head, transfer)) {
            // It may mean the method.
            Err(SourceError::Busy { .. }) => return self.size_of_first_byte(transfer),
            answer => answer?,
        };
        match response.status() {
            StatusCode::OK if !answer::is_encoded(&response) => {
                let Some(size) = answer::content_length(&response) else { return self.size_of_first_byte(transfer) };
                self.agree(Identity::of(&response, Some(size)))?;
                Ok(Some(size))
            }
            status if status::is_missing(status) => Err(self.client.failed(status)),
            _ => self.size_of_first_byte(transfer),
        }
    }

    fn size_of_first_byte(&self, transfer: &mut Transfer) -> Result<Option<u64>, SourceError> {
        let (range, deadline) = (Some("bytes=0-0".into()), self.client.deadline());
        let ask = Ask { method: Method::GET, range, deadline, ..Ask::default() };
        let Answer { response, .. } = persist(|| self.client.send(&ask, transfer))?;
        let size = match (response.status(), answer::content_range(&response)) {
            (StatusCode::PARTIAL_CONTENT, Some(ContentRange::Satisfied { range, total })) if range.start == 0 => total,
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(ContentRange::Unsatisfied { total })) => Some(total),
            (StatusCode::OK, _) if !answer::is_encoded(&response) => answer::content_length(&response),
            (status @ (StatusCode::OK | StatusCode::PARTIAL_CONTENT), _) => {
                return Err(self.client.refused(format!("{} without a usable length", status::reason(status))));
            }
            (status, _) => return Err(self.client.failed(status)),
        };
        self.agree(Identity::of(&response, size))?;
        self.client.drain(response);
        Ok(size)
    }
}

impl Source for HttpSource {
    /// Asks the server, the first time.
    fn size(&self) -> Result<Option<u64>, SourceError> {
        match self.known_size() {
            Some(size) => Ok(Some(size)),
            None => self.ask_size(&mut Transfer::default()),
        }
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        Fetch::new(self, ranges, sink).run()
    }

    fn limits(&self) -> Limits {
        let terms = self.terms();
        Limits {
            request_size: cost::request_size(&terms, u64::MAX),
            bridged_gap: cost::bridged_gap(&terms, usize::MAX),
            parallelism: terms.connections,
        }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpSource")
            .field("location", &self.client.location)
            .field("options", &self.options)
            .field("size", &self.known_size())
            .finish_non_exhaustive()
    }
}
