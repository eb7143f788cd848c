//! Small files that are read whole: indexes, signatures.

use std::time::Instant;

use gosync_chunks::{SourceError, Transfer};
use ureq::http::{Method, StatusCode};

use super::answer;
use super::client::{Answer, Ask, Client, Failure, persist};
use super::content_range::ContentRange;
use super::identity::Identity;

const PIECE: usize = 16 << 10;

/// A document on its way.
pub(super) struct Document<'a> {
    client: &'a Client,
    limit: u64,
    deadline: Option<Instant>,
    identity: Identity,
    /// Grows with what arrives: a declared length alone reserves nothing.
    data: Vec<u8>,
}

impl<'a> Document<'a> {
    pub(super) fn read(client: &'a Client, limit: u64) -> Result<Vec<u8>, SourceError> {
        let (identity, data) = (Identity::default(), Vec::new());
        let mut document = Document { client, limit, deadline: client.deadline(), identity, data };
        persist(|| document.attempt())?;
        Ok(document.data)
    }

    /// Asks for what has not come yet: all of it, unless the rest of the same state can
    /// be had.
    fn attempt(&mut self) -> Result<(), Failure> {
        let start = self.data.len() as u64;
        let if_range = self.identity.if_range().filter(|_| start > 0);
        let range = if_range.as_ref().map(|_| format!("bytes={start}-"));
        let ask = Ask { method: Method::GET, range, if_range, deadline: self.deadline };
        let Answer { response, .. } = self.client.send(&ask, &mut Transfer::default())?;
        let total = answer::total(&response);
        let seen = Identity::of(&response, total);
        match (response.status(), answer::content_range(&response)) {
            _ if answer::is_encoded(&response) => {
                return Err(self.client.refused("it sends a compressed form of the file").into());
            }
            (StatusCode::OK, _) => {
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
            (status, _) => return Err(self.client.refused(answer::status_reason(status)).into()),
        }
        if total.is_some_and(|total| total > self.limit) {
            return Err(self.too_long().into());
        }
        let mut body = self.client.incoming(response);
        let mut buffer = [0; PIECE];
        loop {
            match body.read(&mut buffer)? {
                0 => break,
                read => self.data.extend_from_slice(&buffer[..read]),
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
        self.client.refused(format!("it has more than {} bytes", self.limit))
    }
}
