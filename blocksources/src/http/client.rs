//! Requests, one at a time: where they go, what goes with them, and what it means when
//! they fail.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use gosync_chunks::{SourceError, Transfer};
use ureq::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_RANGE, LAST_MODIFIED, RANGE, TRANSFER_ENCODING,
};
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode};
use ureq::{Agent, Body, BodyReader, Error, Timeout};

use super::answer;
use super::broken;
use super::cost::RangeSupport;
use super::credentials::Credentials;
use super::hosts::Host;
use super::location::{self, BadRedirect, Target};
use super::options::HttpOptions;
use super::status;
use crate::location::redact;

/// How often a request that broke is made again at once.
const RETRIES: u32 = 2;

const MOST_REDIRECTS: usize = 10;

/// A body that brings less in the time that a server may be silent is taken for silent.
const LEAST_PROGRESS: u64 = 1 << 10;

/// More than this is not read for nothing.
pub(super) const MOST_REST: u64 = 64 << 10;

/// Headers that say what is asked for and how, which is our business.
const OURS: [HeaderName; 8] =
    [ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, IF_MODIFIED_SINCE, IF_RANGE, RANGE, TRANSFER_ENCODING];

/// A URL and the connections to ask for it.
pub(super) struct Client {
    /// What makes requests, by origin.
    agents: Mutex<HashMap<String, Agent>>,
    original: Target,
    /// Where the original redirects to, once that is known.
    resolved: Mutex<Option<Target>>,
    /// As the last answer told it.
    modified: Mutex<Option<SystemTime>>,
    /// The URL without secrets.
    pub(super) location: String,
    /// What only the original's origin may see.
    headers: HeaderMap,
    options: HttpOptions,
    /// All requests ever made.
    pub(super) requests: AtomicU64,
}

/// What a request asks for, apart from the URL.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// The value of the `Range` header.
    pub(super) range: Option<String>,
    pub(super) if_range: Option<HeaderValue>,
    pub(super) if_modified_since: Option<HeaderValue>,
}

impl Ask {
    /// What the server has to understand.
    fn support(&self) -> RangeSupport {
        match &self.range {
            None => RangeSupport::None,
            Some(range) if range.contains(',') => RangeSupport::Several,
            Some(_) => RangeSupport::One,
        }
    }
}

/// The head of an answer, and who gave it.
pub(super) struct Answer {
    pub(super) response: Response<Body>,
    pub(super) host: Arc<Host>,
}

/// Why a request failed, and whether another may not.
pub(super) struct Failure {
    pub(super) error: SourceError,
    is_worth_a_retry: bool,
    /// How the request ended, where that may be because of what was asked for.
    pub(super) end: Option<broken::End>,
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self { error, is_worth_a_retry: false, end: None }
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
    pub(super) fn new(url: &str, options: HttpOptions) -> Result<Self, SourceError> {
        let location = redact(url);
        let refused = |reason: String| SourceError::Refused { location: location.clone(), reason };
        let original = location::parse(url)
            .and_then(|url| Some((user_info(&url), Target::new(url)?)))
            .ok_or_else(|| refused("it is not a valid http or https URL".into()));
        let (user_info, original) = original?;
        if HeaderValue::from_str(&options.user_agent).is_err() {
            return Err(refused("the user agent to send is not valid in a header".into()));
        }
        let headers = headers(&options, user_info, &original).map_err(refused)?;
        let (agents, resolved, modified) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self { agents, original, resolved, modified, location, headers, options, requests: AtomicU64::new(0) })
    }

    /// The host that answers, as far as is known.
    pub(super) fn host(&self) -> Arc<Host> {
        let resolved = self.resolved();
        self.options.hosts.host(&resolved.as_ref().unwrap_or(&self.original).origin)
    }

    /// Where the last answer came from, where that is not the URL that was given.
    pub(super) fn redirected(&self) -> Option<url::Url> {
        Some(self.resolved().as_ref()?.url().clone())
    }

    /// Makes a request, follows redirects, and remembers where they led. What was
    /// remembered and does not hold any more, such as a signed URL that has expired, is
    /// found out anew, once.
    pub(super) fn send(&self, ask: &Ask, transfer: &mut Transfer) -> Result<Answer, Failure> {
        let remembered = self.resolved().clone();
        if let Some(target) = remembered {
            match self.follow(ask, target.clone(), transfer) {
                Ok(answer) => {
                    let status = answer.response.status();
                    if !status::is_missing(status) && !status::is_denied(status) {
                        return Ok(answer);
                    }
                    self.drain(answer.response);
                }
                Err(failure) => {
                    self.forget(&target);
                    return Err(failure);
                }
            }
            self.forget(&target);
        }
        self.follow(ask, self.original.clone(), transfer)
    }

    fn follow(&self, ask: &Ask, mut target: Target, transfer: &mut Transfer) -> Result<Answer, Failure> {
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.request(ask, &target, transfer)?;
            let response = answer.response;
            let location = match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 => answer::redirect(&response),
                _ => None,
            };
            let Some(location) = location else {
                if target != self.original && response.status().is_success() {
                    *self.resolved() = Some(target);
                }
                return Ok(Answer { response, ..answer });
            };
            target = target.join(&location).map_err(|bad| match bad {
                BadRedirect::NoUrl => self.refused("it redirects to what is not a valid http or https URL"),
                BadRedirect::Downgrade => {
                    self.refused("it redirects from https to http, where anyone could read and change what is sent")
                }
            })?;
            self.drain(response);
        }
        Err(self.refused(format!("it redirects in circles, or more than {MOST_REDIRECTS} times")).into())
    }

    fn request(&self, ask: &Ask, target: &Target, transfer: &mut Transfer) -> Result<Answer, Failure> {
        let mut request = Request::new(());
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = target.uri.clone();
        if target.origin == self.original.origin {
            *request.headers_mut() = self.headers.clone();
        }
        let range = ask.range.as_deref().and_then(|range| HeaderValue::from_str(range).ok());
        let conditions = [(IF_RANGE, ask.if_range.clone()), (IF_MODIFIED_SINCE, ask.if_modified_since.clone())];
        for (name, value) in [(RANGE, range)].into_iter().chain(conditions) {
            request.headers_mut().extend(value.map(|value| (name, value)));
        }
        let agent = self.agent(target);
        if let Some(left) = self.options.time_left() {
            if left.is_zero() {
                return Err(self.broken(&Error::Timeout(Timeout::Global)));
            }
            request = agent.configure_request(request).timeout_global(Some(left)).build();
        }
        transfer.requests += 1;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        let response = agent.run(request).map_err(|error| self.broken(&error))?;
        let host = self.options.hosts.host(&target.origin);
        // TCP takes one to connect, TLS another.
        host.note_round_trip(start.elapsed(), if target.uri.scheme_str() == Some("https") { 3 } else { 2 });
        let status = response.status();
        if status::is_busy(status) && !status::means_ranges(status, ask.support()) {
            host.note_overload(self.options.connections.max(1));
            let retry_after = answer::retry_after(&response, SystemTime::now());
            self.drain(response);
            return Err(status::error(&self.location, status, retry_after).into());
        }
        if status.is_success() {
            let told = answer::header(&response, LAST_MODIFIED);
            let told = told.and_then(|date| httpdate::parse_http_date(date).ok());
            *self.modified.lock().unwrap_or_else(PoisonError::into_inner) = told;
        }
        Ok(Answer { response, host })
    }

    /// When the file was last changed, as the last answer told.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        *self.modified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body of an answer, for as long as it makes progress.
    pub(super) fn incoming(&self, response: Response<Body>) -> Incoming<&Self> {
        Incoming::new(self, response)
    }

    /// Reads what little body an answer has that is not wanted.
    pub(super) fn drain(&self, response: Response<Body>) {
        if answer::content_length(&response).is_none_or(|length| length <= MOST_REST) {
            self.incoming(response).finish();
        }
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> SourceError {
        SourceError::Refused { location: self.location.clone(), reason: reason.into() }
    }

    /// What it means that an answer has this status.
    pub(super) fn failed(&self, status: StatusCode) -> SourceError {
        status::error(&self.location, status, None)
    }

    fn unreachable(&self, is_transient: bool, what: &str) -> SourceError {
        SourceError::Unreachable { location: self.location.clone(), is_transient, source: what.into() }
    }

    /// What it means that no answer came, or that it broke off.
    fn broken(&self, error: &Error) -> Failure {
        Failure {
            error: broken::error(&self.location, error),
            is_worth_a_retry: broken::is_worth_a_retry(error),
            end: broken::end(error),
        }
    }

    fn agent(&self, target: &Target) -> Agent {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        match agents.get(&target.origin) {
            Some(agent) => agent.clone(),
            None => agents.entry(target.origin.clone()).or_insert(self.options.agent(&target.uri)).clone(),
        }
    }

    fn resolved(&self) -> MutexGuard<'_, Option<Target>> {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, target: &Target) {
        let mut resolved = self.resolved();
        if resolved.as_ref() == Some(target) {
            *resolved = None;
        }
    }
}

/// A body on its way. Dropped before its end, it takes the connection with it.
pub(super) struct Incoming<C> {
    client: C,
    reader: BodyReader<'static>,
    /// When progress was last looked at, and what has come since.
    since: Instant,
    bytes: u64,
}

impl<C: Deref<Target = Client>> Incoming<C> {
    pub(super) fn new(client: C, response: Response<Body>) -> Self {
        Self { client, reader: response.into_body().into_reader(), since: Instant::now(), bytes: 0 }
    }

    /// The next bytes; none at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let read = self.reader.read(buffer).map_err(|error| self.client.broken(&error.into()))?;
        self.bytes += read as u64;
        let patience = self.client.options.read_timeout;
        if self.since.elapsed() >= patience.max(Duration::from_millis(1)) {
            if self.bytes < LEAST_PROGRESS && read > 0 {
                let slow = format!("only {} bytes came in {} seconds", self.bytes, patience.as_secs_f32());
                return Err(self.client.unreachable(true, &slow).into());
            }
            (self.since, self.bytes) = (Instant::now(), 0);
        }
        Ok(read)
    }

    /// Reads on to the end if that is near, so that the connection can be used again.
    /// Should it break only now, nothing is lost.
    pub(super) fn finish(mut self) {
        let mut buffer = [0; 4 << 10];
        for _ in 0..MOST_REST / buffer.len() as u64 {
            if !self.read(&mut buffer).is_ok_and(|read| read > 0) {
                break;
            }
        }
    }
}

/// Who the URL says is asking.
fn user_info(url: &url::Url) -> Option<Credentials> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let is_given = !url.username().is_empty() || url.password().is_some();
    is_given.then(|| Credentials::Basic {
        user: decode(url.username()),
        password: decode(url.password().unwrap_or_default()).into(),
    })
}

fn headers(options: &HttpOptions, user_info: Option<Credentials>, target: &Target) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let is_meant = options.for_origin.as_ref().is_none_or(|origin| origin.ascii_serialization() == target.origin);
    for (name, value) in &options.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().zip(value.header());
        let (parsed, value) = parsed.ok_or_else(|| format!("the header {name:?} to send is not valid"))?;
        if OURS.contains(&parsed) {
            return Err(format!("the header {name:?} cannot be set: it says what is asked for"));
        }
        if is_meant {
            headers.append(parsed, value);
        }
    }
    let host = target.host();
    let credentials = match options.credentials.clone().filter(|_| is_meant).or(user_info) {
        Some(Credentials::Basic { user, password }) if password.reveal().is_empty() => {
            let password = options.netrc.password(host, &user).unwrap_or(password);
            Some(Credentials::Basic { user, password })
        }
        given => given.or_else(|| options.netrc.credentials(host)),
    };
    if let Some(credentials) = credentials.filter(|_| !headers.contains_key(AUTHORIZATION)) {
        let value = credentials.header().ok_or("the credentials to send are not valid in a header")?;
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}
