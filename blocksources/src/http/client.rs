//! Requests, one at a time, and what their failures mean.

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{ByteRange, SourceError, Transfer};
use ureq::http::header::{HeaderValue, RANGE};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, Body, Error, ResponseExt};

use super::location;
use super::options::HttpOptions;

/// How often a request that broke is made again.
const RETRIES: u32 = 2;

/// A URL and the connections to ask for it.
pub(super) struct Client {
    agent: Agent,
    uri: Uri,
    /// The URL without secrets.
    pub(super) location: String,
    /// All requests ever made.
    pub(super) requests: AtomicU64,
}

/// Why a request failed, and whether another may not.
pub(super) struct Failure {
    error: SourceError,
    is_worth_a_retry: bool,
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self { error, is_worth_a_retry: false }
    }
}

/// Makes `attempt` until it succeeds, fails for good or has broken too often.
pub(super) fn persist<T>(mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, SourceError> {
    let mut retries = RETRIES;
    loop {
        match attempt() {
            Err(failure) if failure.is_worth_a_retry && retries > 0 => retries -= 1,
            result => return result.map_err(|failure| failure.error),
        }
    }
}

impl Client {
    pub(super) fn new(url: &str, options: &HttpOptions) -> Result<Self, SourceError> {
        let location = location::redact(url);
        let refused = |reason: &str| SourceError::Refused { location: location.clone(), reason: reason.into() };
        let uri = location::parse(url).ok_or_else(|| refused("it is not a valid http or https URL"))?;
        if HeaderValue::from_str(&options.user_agent).is_err() {
            return Err(refused("the user agent to send is not valid in a header"));
        }
        Ok(Self { agent: options.agent(), uri, location, requests: AtomicU64::new(0) })
    }

    /// Asks for `range`, or the whole.
    pub(super) fn get(&self, range: Option<ByteRange>, transfer: &mut Transfer) -> Result<Response<Body>, Failure> {
        self.call(Method::GET, range, transfer)
    }

    pub(super) fn call(
        &self,
        method: Method,
        range: Option<ByteRange>,
        transfer: &mut Transfer,
    ) -> Result<Response<Body>, Failure> {
        let mut request = Request::builder().method(method).uri(self.uri.clone());
        if let Some(range) = range {
            request = request.header(RANGE, format!("bytes={}-{}", range.start, range.end - 1));
        }
        let request = request.body(()).expect("the URL is valid, and so are ranges");
        let result = self.agent.run(request);
        let redirects = result.as_ref().ok().and_then(|response| response.get_redirect_history());
        let requests = redirects.map_or(1, |urls| urls.len() as u64);
        transfer.requests += requests;
        self.requests.fetch_add(requests, Ordering::Relaxed);
        result.map_err(|error| self.broken(error))
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> SourceError {
        SourceError::Refused { location: self.location.clone(), reason: reason.into() }
    }

    fn unreachable(&self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> SourceError {
        SourceError::Unreachable { location: self.location.clone(), source: source.into() }
    }

    /// What it means that no answer came, or that it broke off.
    pub(super) fn broken(&self, error: Error) -> Failure {
        let error = match error {
            // Certificates and the like: that is how rustls wraps its errors.
            Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.refused(format!("there is no secure connection to it: {error}"))
            }
            Error::Io(error) => {
                let is_worth_a_retry = is_broken_connection(&error);
                return Failure { error: self.unreachable(error), is_worth_a_retry };
            }
            // The text of this one may hold a whole URL, secrets included.
            Error::BadUri(_) => self.refused("it redirects to what is not a valid http or https URL"),
            Error::TooManyRedirects | Error::RedirectFailed => self.refused("it redirects in circles"),
            Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => {
                self.refused(format!("its answer is not valid HTTP: {error}"))
            }
            Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => {
                self.refused(format!("there is no secure connection to it: {error}"))
            }
            other => self.unreachable(other),
        };
        error.into()
    }
}

/// Whether a new connection may do better at once. A time-out has cost its time already.
fn is_broken_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}
