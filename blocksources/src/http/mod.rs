//! A target behind an HTTP(S) server that answers range requests (RFC 9110, section 14).

mod answer;
mod client;
mod fetch;
mod location;
mod options;

use std::fmt;
use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};
use ureq::http::{Method, StatusCode};

pub use options::{HttpOptions, RootCertificates};

use answer::ContentRange;
use client::Client;
use fetch::Fetch;

/// A file on an HTTP(S) server as a source.
///
/// Ranges are asked for over several connections at once. Nothing but a 206 with
/// exactly the range that was asked for is taken for it; a server that ignores ranges
/// is an error, unless it is the whole file that is wanted. Up to 10 redirects are
/// followed, to http and https only; credentials in the URL go to its own host only.
pub struct HttpSource {
    client: Client,
    options: HttpOptions,
    /// Set by the first answer that tells it; later answers have to agree.
    size: OnceLock<u64>,
}

impl HttpSource {
    /// Serves what is at `url`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When `url` is no http or https URL, or an option makes no valid request.
    pub fn new(url: &str, options: HttpOptions) -> Result<Self, SourceError> {
        Ok(Self { client: Client::new(url, &options)?, options, size: OnceLock::new() })
    }

    /// The URL without user name, password and query.
    pub fn location(&self) -> &str {
        &self.client.location
    }

    /// How many requests were made so far, redirects and repetitions included.
    pub fn requests(&self) -> u64 {
        self.client.requests.load(Ordering::Relaxed)
    }

    /// Fetches the whole document, which is small: an index, a signature.
    ///
    /// # Errors
    ///
    /// When it has more than `limit` bytes, or does not arrive complete.
    pub fn read_all(&self, limit: u64) -> Result<Vec<u8>, SourceError> {
        let mut transfer = Transfer::default();
        client::persist(|| {
            let response = self.client.get(None, &mut transfer)?;
            answer::check_whole(&response).map_err(|reason| self.client.refused(reason))?;
            let too_long = || self.client.refused(format!("it has more than {limit} bytes"));
            if answer::content_length(&response).is_some_and(|length| length > limit) {
                return Err(too_long().into());
            }
            // Grows with what arrives: a declared length alone reserves nothing.
            let mut data = Vec::new();
            let mut body = response.into_body().into_reader().take(limit.saturating_add(1));
            body.read_to_end(&mut data).map_err(|error| self.client.broken(error.into()))?;
            if data.len() as u64 > limit { Err(too_long().into()) } else { Ok(data) }
        })
    }

    /// Takes note of the file's length, and compares it with what is known already.
    fn agree_on_size(&self, actual: u64) -> Result<(), SourceError> {
        let expected = *self.size.get_or_init(|| actual);
        if expected == actual { Ok(()) } else { Err(self.length(expected, actual)) }
    }

    fn length(&self, expected: u64, actual: u64) -> SourceError {
        SourceError::Length { location: self.client.location.clone(), expected, actual }
    }

    /// The file's length, by HEAD, or by asking for its first byte where a server
    /// does not care for HEAD: URLs signed for GET alone are such a case.
    fn ask_size(&self, transfer: &mut Transfer) -> Result<Option<u64>, SourceError> {
        if let Some(&size) = self.size.get() {
            return Ok(Some(size));
        }
        let response = client::persist(|| self.client.call(Method::HEAD, None, transfer))?;
        let size = match response.status() {
            StatusCode::OK if !answer::is_encoded(&response) => answer::content_length(&response),
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => {
                return Err(self.client.refused(answer::status_reason(status)));
            }
            _ => None,
        };
        let size = match size {
            Some(size) => Some(size),
            None => self.size_of_first_byte(transfer)?,
        };
        if let Some(size) = size {
            self.agree_on_size(size)?;
        }
        Ok(size)
    }

    fn size_of_first_byte(&self, transfer: &mut Transfer) -> Result<Option<u64>, SourceError> {
        let first = ByteRange::at(0, 1);
        let response = client::persist(|| self.client.get(Some(first), transfer))?;
        match (response.status(), answer::content_range(&response)) {
            (StatusCode::PARTIAL_CONTENT, Some(ContentRange::Satisfied { range, total })) if range == first => {
                // The rest of the answer is a byte, and reading it keeps the connection.
                let mut body = response.into_body().into_reader().take(2);
                transfer.bytes += std::io::copy(&mut body, &mut std::io::sink()).unwrap_or(0);
                Ok(total)
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(ContentRange::Unsatisfied { total })) => Ok(Some(total)),
            (StatusCode::OK, _) if !answer::is_encoded(&response) => Ok(answer::content_length(&response)),
            (status @ (StatusCode::OK | StatusCode::PARTIAL_CONTENT), _) => {
                Err(self.client.refused(format!("{} without a usable length", answer::status_reason(status))))
            }
            (status, _) => Err(self.client.refused(answer::status_reason(status))),
        }
    }
}

impl Source for HttpSource {
    /// Asks the server, the first time.
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.ask_size(&mut Transfer::default())
    }

    /// Asks for the length first, where all may be wanted and it is not known.
    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        Fetch { source: self, ranges, sink }.run()
    }

    fn limits(&self) -> Limits {
        Limits {
            request_size: self.options.request_size.max(1),
            bridged_gap: self.options.bridged_gap,
            parallelism: self.options.connections.max(1),
        }
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpSource")
            .field("location", &self.client.location)
            .field("options", &self.options)
            .field("size", &self.size.get())
            .finish_non_exhaustive()
    }
}
