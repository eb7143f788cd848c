//! A file on an HTTP(S) server, as a source and as a document.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};
use ureq::http::StatusCode;

use super::client::{Answer, Ask, persist};
use super::content_range::ContentRange;
use super::cost::{self, Estimate, RangeSupport, Terms};
use super::document::{HttpDocument, Pace, Reading};
use super::fetch::Fetch;
use super::options::HttpOptions;
use super::remote::Remote;
use super::{answer, status};

/// A file on an HTTP(S) server as a source.
///
/// Ranges are asked for many at a time, over several connections. A server that does not
/// understand that is asked for single ranges, and at last for the whole file, of which only
/// what is wanted is handed on. Where the server is near, one request finds that out for
/// all. No byte is taken whose `Content-Range` was not checked, or that is of a file of another
/// length than the first answer told. Redirects are followed, and remembered until they do not
/// hold any more; headers and credentials go to one origin only.
pub struct HttpSource {
    remote: Arc<Remote>,
}

impl HttpSource {
    /// Serves what is at `url`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When `url` is no http or https URL, or an option makes no valid request.
    pub fn new(url: &str, options: HttpOptions) -> Result<Self, SourceError> {
        Ok(Self { remote: Arc::new(Remote::new(url, options)?) })
    }

    /// The URL without user name, password and query.
    pub fn location(&self) -> &str {
        &self.remote.client.location
    }

    /// How many requests were made so far, redirects and repetitions included.
    pub fn requests(&self) -> u64 {
        self.remote.client.requests.load(Ordering::Relaxed)
    }

    /// The terms on which the server is asked: what was learned of it, and the options.
    pub fn terms(&self) -> Terms {
        self.remote.terms()
    }

    /// What fetching `ranges`, which ascend and do not overlap, will cost, as far as can
    /// be told from what was learned of the server.
    pub fn estimate(&self, ranges: &[ByteRange]) -> Estimate {
        cost::estimate(ranges, self.remote.known_size(), &self.remote.terms())
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
        let mut reading = self.reading(Box::new(|_| Ok(())), limit, None, since);
        reading.read_to(u64::MAX)?;
        Ok(reading.finish())
    }

    /// Reads the file from its first byte on, no faster than `pace` lets it: see [`Reading`].
    pub(crate) fn reading(&self, pace: Pace, limit: u64, beginning: Option<u64>, since: Option<SystemTime>) -> Reading {
        Reading::new(self.remote.clone(), pace, limit, beginning, since)
    }

    /// The file's length, by asking for its first byte. What a server says to HEAD is another
    /// answer, which need not be true: URLs may be signed for GET alone.
    fn ask_size(&self, range: Option<&str>, transfer: &mut Transfer) -> Result<Option<u64>, SourceError> {
        let client = &self.remote.client;
        let ask = Ask { range: range.map(str::to_owned), ..Ask::default() };
        let Answer { response, .. } = persist(|| client.send(&ask, transfer))?;
        let size = match (response.status(), answer::content_range(&response)) {
            (StatusCode::PARTIAL_CONTENT, Some(ContentRange::Satisfied { range, total })) if range.start == 0 => total,
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(ContentRange::Unsatisfied { total })) => Some(total),
            // An encoding may be a label only; of what is in fact compressed, the length is another.
            (StatusCode::OK, _) => answer::content_length(&response),
            // It may mean the range.
            (status, _)
                if range.is_some()
                    && (status == StatusCode::PARTIAL_CONTENT || status::means_ranges(status, RangeSupport::One)) =>
            {
                client.drain(response);
                return self.ask_size(None, transfer);
            }
            (StatusCode::PARTIAL_CONTENT, _) => None,
            (status, _) => return Err(client.failed(status)),
        };
        self.remote.agree(size)?;
        client.drain(response);
        Ok(size)
    }
}

impl Source for HttpSource {
    /// Asks the server, the first time.
    fn size(&self) -> Result<Option<u64>, SourceError> {
        match self.remote.known_size() {
            Some(size) => Ok(Some(size)),
            None => self.ask_size(Some("bytes=0-0"), &mut Transfer::default()),
        }
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        Fetch::new(&self.remote, ranges, sink).run()
    }

    fn limits(&self) -> Limits {
        let terms = self.remote.terms();
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

    fn modified(&self) -> Option<SystemTime> {
        self.remote.client.modified()
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpSource")
            .field("location", &self.remote.client.location)
            .field("options", &self.remote.options)
            .field("size", &self.remote.known_size())
            .finish_non_exhaustive()
    }
}
