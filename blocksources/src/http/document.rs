//! Small files that are read whole: indexes, signatures.

use std::time::SystemTime;

use gosync_chunks::{SourceError, Transfer};
use ureq::http::header::LAST_MODIFIED;
use ureq::http::{HeaderValue, Method, StatusCode};
use url::Url;

use super::answer;
use super::client::{Answer, Ask, Client, Failure, persist};
use super::content_range::ContentRange;
use super::identity::Identity;

const PIECE: usize = 16 << 10;

/// Is told how many bytes have come, and waits until more may.
pub(crate) type Pace<'a> = &'a dyn Fn(u64) -> Result<(), SourceError>;

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

/// A document on its way.
pub(super) struct Reading<'a> {
    client: &'a Client,
    pace: Pace<'a>,
    limit: u64,
    identity: Identity,
    modified: Option<SystemTime>,
    since: Option<HeaderValue>,
    is_unchanged: bool,
    /// Grows with what arrives: a declared length alone reserves nothing.
    data: Vec<u8>,
}

impl<'a> Reading<'a> {
    pub(super) fn run(
        client: &'a Client,
        pace: Pace<'a>,
        limit: u64,
        since: Option<SystemTime>,
    ) -> Result<Option<HttpDocument>, SourceError> {
        let mut reading = Reading {
            client,
            pace,
            limit,
            identity: Identity::default(),
            modified: None,
            since: since.and_then(|since| HeaderValue::from_str(&httpdate::fmt_http_date(since)).ok()),
            is_unchanged: false,
            data: Vec::new(),
        };
        persist(|| reading.attempt())?;
        let Reading { data, modified, is_unchanged, .. } = reading;
        Ok((!is_unchanged).then(|| HttpDocument { bytes: data, url: client.redirected(), modified }))
    }

    /// Asks for what has not come yet: all of it, unless the rest of the same state can
    /// be had.
    fn attempt(&mut self) -> Result<(), Failure> {
        let start = self.data.len() as u64;
        let if_range = self.identity.if_range().filter(|_| start > 0);
        let range = if_range.as_ref().map(|_| format!("bytes={start}-"));
        let if_modified_since = self.since.clone().filter(|_| range.is_none());
        let ask = Ask { method: Method::GET, range, if_range, if_modified_since };
        let Answer { response, .. } = self.client.send(&ask, &mut Transfer::default())?;
        let total = answer::total(&response);
        let seen = Identity::of(&response, total);
        match (response.status(), answer::content_range(&response)) {
            _ if answer::is_encoded(&response) => {
                return Err(self.client.refused("it sends a compressed form of the file").into());
            }
            (StatusCode::NOT_MODIFIED, _) if ask.if_modified_since.is_some() => {
                self.is_unchanged = true;
                return Ok(());
            }
            (StatusCode::OK, _) => {
                let modified = answer::header(&response, LAST_MODIFIED);
                self.modified = modified.and_then(|date| httpdate::parse_http_date(date).ok());
                self.identity = seen;
                self.data.clear();
            }
            (StatusCode::PARTIAL_CONTENT, Some(ContentRange::Satisfied { range, .. }))
                if ask.range.is_some() && range.start == start && self.identity.agree(seen).is_ok() => {}
            // Neither the rest nor all: once more, from the start.
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _) if ask.range.is_some() => {
                self.client.drain(response);
                self.data.clear();
                return self.attempt();
            }
            (status, _) => return Err(self.client.failed(status).into()),
        }
        if total.is_some_and(|total| total > self.limit) {
            return Err(self.too_long().into());
        }
        let mut body = self.client.incoming(response);
        let mut buffer = [0; PIECE];
        loop {
            match body.read(&mut buffer)? {
                0 => break,
                read => {
                    (self.pace)(read as u64)?;
                    self.data.extend_from_slice(&buffer[..read]);
                }
            }
            if self.data.len() as u64 > self.limit {
                return Err(self.too_long().into());
            }
        }
        match total {
            Some(total) if total != self.data.len() as u64 => {
                let got = self.data.len();
                Err(self.client.refused(format!("{total} bytes were promised, and {got} sent")).into())
            }
            _ => Ok(()),
        }
    }

    fn too_long(&self) -> SourceError {
        SourceError::TooLong { location: self.client.location.clone(), limit: self.limit }
    }
}
