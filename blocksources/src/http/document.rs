//! Files that are read from their first byte on: whole ones that are small, and the beginnings
//! of others.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use gosync_chunks::{SourceError, Transfer};
use ureq::http::{HeaderValue, Method, StatusCode};
use url::Url;

use super::answer;
use super::client::{Answer, Ask, Client, Failure, Incoming, persist};
use super::content_range::ContentRange;
use super::cost::RangeSupport;
use super::identity::Identity;
use super::remote::Remote;
use super::status;

const PIECE: usize = 16 << 10;

/// Is told how many bytes have come, and waits until more may.
pub(crate) type Pace = Box<dyn Fn(u64) -> Result<(), SourceError> + Send + Sync>;

/// A small file from an HTTP(S) server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpDocument {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Where redirects led, if there were any.
    pub url: Option<Url>,
    /// When it was last changed, if the server tells.
    pub modified: Option<SystemTime>,
}

/// A file on its way, from its first byte on. No more of it is read than is asked for, so a
/// server may send without end. Where a connection breaks, only the rest is asked for again, if
/// that can be made sure to be of the same state; otherwise the reading begins anew.
pub(crate) struct Reading {
    remote: Arc<Remote>,
    pace: Pace,
    limit: u64,
    since: Option<HeaderValue>,
    /// Whether it may end with the first bytes.
    is_beginning: bool,
    /// As many bytes the first request asks for, where it does not ask for all.
    beginning: Option<u64>,
    identity: Identity,
    state: State,
    /// Grows with what arrives: a declared length alone reserves nothing.
    bytes: Vec<u8>,
    received: u64,
}

enum State {
    /// Nobody has been asked, or the connection broke.
    Waiting,
    /// The bytes up to `end` are to come, or up to where they end.
    /// Those of a compressed form begin with `encoded`, if anything says that it may be one.
    Coming { body: Box<Incoming<Arc<Client>>>, end: Option<u64>, is_part: bool, encoded: Option<&'static [u8]> },
    /// The beginning is here, and the rest can be had by range.
    Begun,
    /// All of it is here.
    Whole,
    /// It was not changed since.
    Unchanged,
}

impl Reading {
    /// Reads what is at `remote`, of which more than `limit` bytes are refused. Where it matters
    /// little how much there is, the first request asks for the `beginning` only.
    pub(super) fn new(
        remote: Arc<Remote>,
        pace: Pace,
        limit: u64,
        beginning: Option<u64>,
        since: Option<SystemTime>,
    ) -> Self {
        Self {
            since: since.and_then(|since| HeaderValue::from_str(&httpdate::fmt_http_date(since)).ok()),
            identity: Identity::default(),
            state: State::Waiting,
            bytes: Vec::new(),
            received: 0,
            remote,
            pace,
            limit,
            is_beginning: beginning.is_some(),
            beginning,
        }
    }

    /// Makes sure that the first `len` bytes are here, or all, or as many as the server has sent
    /// in its first answer, where it gives the rest by range.
    pub(crate) fn read_to(&mut self, len: u64) -> Result<(), SourceError> {
        persist(|| {
            while (self.bytes.len() as u64) < len {
                match self.state {
                    State::Waiting => self.ask()?,
                    State::Coming { .. } => self.take(len)?,
                    State::Begun | State::Whole | State::Unchanged => break,
                }
            }
            Ok(())
        })
    }

    /// Whether another byte comes. One that does not come in time, or cannot, is none.
    pub(crate) fn is_followed(&mut self) -> bool {
        match &mut self.state {
            State::Coming { body, end: None, .. } => body.read(&mut [0]).is_ok_and(|read| read > 0),
            State::Coming { end: Some(end), .. } => *end > self.bytes.len() as u64,
            _ => false,
        }
    }

    /// What is here.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes that were received, also those of an attempt that was begun anew.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// All requests to the server.
    pub(crate) fn requests(&self) -> u64 {
        self.remote.client.requests.load(Ordering::Relaxed)
    }

    /// When the file was last changed, if the server tells.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.remote.client.modified()
    }

    /// Takes out what is here.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Length of the whole in bytes, where the server tells it.
    pub(crate) fn size(&self) -> Option<u64> {
        match self.state {
            State::Whole => Some(self.bytes.len() as u64),
            _ => self.identity.size,
        }
    }

    /// Whether the rest can be had by range.
    pub(crate) fn is_begun(&self) -> bool {
        matches!(self.state, State::Begun)
    }

    /// Where redirects led.
    pub(crate) fn redirected(&self) -> Option<Url> {
        self.remote.client.redirected()
    }

    /// What was read, and what the answer told of it; `None` where it was not changed.
    pub(crate) fn finish(self) -> Option<HttpDocument> {
        let (url, modified) = (self.redirected(), self.modified());
        let is_changed = !matches!(self.state, State::Unchanged);
        is_changed.then_some(HttpDocument { bytes: self.bytes, url, modified })
    }

    /// Asks for what has not come yet: all of it, unless the rest of the same state can
    /// be had.
    fn ask(&mut self) -> Result<(), Failure> {
        let client = &self.remote.client;
        let if_range = self.identity.if_range().filter(|_| !self.bytes.is_empty());
        let start = if if_range.is_some() { self.bytes.len() as u64 } else { 0 };
        let has_ranges = client.host().learned().support != RangeSupport::None;
        let range = match self.beginning.filter(|_| has_ranges) {
            Some(end) => Some(format!("bytes={start}-{}", end - 1)),
            None => if_range.as_ref().map(|_| format!("bytes={start}-")),
        };
        let if_modified_since = self.since.clone().filter(|_| range.is_none());
        let ask = Ask { method: Method::GET, range, if_range, if_modified_since };
        let Answer { response, host } = client.send(&ask, &mut Transfer::default())?;
        let status = response.status();
        let total = answer::total(&response);
        let seen = Identity::of(&response, total);
        // It may be a label only: what is read here is never compressed itself.
        let encoded = answer::encoding(&response).filter(|_| status.is_success() && !self.is_beginning);
        if encoded.is_some_and(<[u8]>::is_empty) {
            return Err(self.compressed().into());
        }
        let (end, is_part) = match (status, answer::content_range(&response)) {
            (StatusCode::NOT_MODIFIED, _) if ask.if_modified_since.is_some() => {
                self.state = State::Unchanged;
                return Ok(());
            }
            (StatusCode::OK, _) => {
                self.identity = seen;
                self.bytes.clear();
                (total, false)
            }
            (StatusCode::PARTIAL_CONTENT, Some(ContentRange::Satisfied { range, .. }))
                if ask.range.is_some()
                    && range.start == start
                    && self.beginning.is_none_or(|end| range.end <= end)
                    && answer::content_length(&response).is_none_or(|length| length == range.len())
                    && (start == 0 || self.identity.agree(seen.clone()).is_ok()) =>
            {
                if start == 0 {
                    self.identity = seen;
                    self.bytes.clear();
                }
                host.note_ranges(RangeSupport::One);
                self.remote.learn(self.identity.size);
                (Some(range.end), self.beginning.is_some())
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(ContentRange::Unsatisfied { total: 0 })) if start == 0 => {
                self.identity = seen;
                client.drain(response);
                self.state = State::Whole;
                return Ok(());
            }
            // Neither the rest nor all: once more, from the start, and without a range where
            // that is what it minds.
            _ if ask.range.is_some()
                && (status == StatusCode::PARTIAL_CONTENT || status::means_ranges(status, RangeSupport::One)) =>
            {
                client.drain(response);
                if start == 0 {
                    self.beginning = None;
                }
                self.bytes.clear();
                return self.ask();
            }
            _ => return Err(client.failed(status).into()),
        };
        // Of what is only begun nobody wants all.
        if !self.is_beginning && total.is_some_and(|total| total > self.limit) {
            return Err(self.too_long().into());
        }
        let body = Box::new(Incoming::new(client.clone(), response));
        self.state = State::Coming { body, end, is_part, encoded };
        Ok(())
    }

    /// Takes the next bytes of a body, of all up to `len`.
    fn take(&mut self, len: u64) -> Result<(), Failure> {
        let State::Coming { body, end, is_part, encoded } = &mut self.state else { return Ok(()) };
        let (end, is_part, encoded) = (*end, *is_part, *encoded);
        let mut buffer = [0; PIECE];
        let left = end.map_or(len, |end| end.min(len)).saturating_sub(self.bytes.len() as u64);
        let most = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
        let read = match body.read(&mut buffer[..most]) {
            Ok(read) => read,
            Err(failure) => {
                self.state = State::Waiting;
                return Err(failure);
            }
        };
        (self.pace)(read as u64)?;
        self.received += read as u64;
        self.bytes.extend_from_slice(&buffer[..read]);
        if encoded.is_some_and(|magic| self.bytes.starts_with(magic)) {
            return Err(self.compressed().into());
        }
        let got = self.bytes.len() as u64;
        if got > self.limit {
            return Err(self.too_long().into());
        }
        match end {
            Some(end) if read == 0 && got < end => {
                return Err(self.remote.client.refused(format!("{end} bytes were promised, and {got} sent")).into());
            }
            None if read > 0 => return Ok(()),
            Some(end) if got < end => return Ok(()),
            _ => {}
        }
        let next = match self.identity.size {
            Some(size) if got < size && !is_part => State::Waiting,
            Some(size) if got >= size => State::Whole,
            _ if is_part => State::Begun,
            _ => State::Whole,
        };
        if let State::Coming { body, .. } = std::mem::replace(&mut self.state, next) {
            body.finish();
        }
        Ok(())
    }

    fn compressed(&self) -> SourceError {
        self.remote.client.refused("it sends a compressed form of the file")
    }

    fn too_long(&self) -> SourceError {
        SourceError::TooLong { location: self.remote.client.location.clone(), limit: self.limit }
    }
}
