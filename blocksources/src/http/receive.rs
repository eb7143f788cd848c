//! Asking for ranges, and taking whatever the server sends for them.

use std::mem;

use gosync_chunks::{ByteRange, SourceError};
use ureq::Body;
use ureq::http::{Method, Response, StatusCode};

use super::answer;
use super::client::{Answer, Ask, Failure, MOST_REST};
use super::content_range::ContentRange;
use super::cost::{self, RangeSupport, Request};
use super::fetch::Fetch;
use super::hosts::Host;
use super::identity::Identity;
use super::multipart::{Event, Parser};
use super::status;
use crate::workers::Worker;

/// Bytes read from a connection at once.
const PIECE: usize = 128 << 10;

/// What was asked for, and how.
struct Asked {
    ranges: Vec<ByteRange>,
    /// From the first byte asked for to the last.
    span: ByteRange,
    /// What the server is able to do, if it answers as it should.
    support: RangeSupport,
    if_range: bool,
}

impl Asked {
    /// What to do if it does not.
    fn next_best(&self) -> RangeSupport {
        if self.support == RangeSupport::Several { RangeSupport::One } else { RangeSupport::None }
    }
}

impl Fetch<'_> {
    /// Asks for what is still wanted of `request`, and takes what comes.
    pub(super) fn ask_for(&self, worker: &mut Worker<'_, Vec<u8>>, request: &Request) -> Result<(), Failure> {
        let remote = self.remote;
        let ranges = self.rest(request).asked();
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { return Ok(()) };
        let span = ByteRange { start: first.start, end: last.end };
        if remote.client.host().learned().support == RangeSupport::None {
            return if self.claim_stream() { self.ask_for_whole(worker) } else { Ok(()) };
        }
        // All of the file needs no range, and servers without ranges do not mind.
        if ranges.len() == 1 && span.start == 0 && remote.known_size() == Some(span.end) && self.claim_stream() {
            return self.ask_for_whole(worker);
        }
        let list: Vec<_> = ranges.iter().map(|range| format!("{}-{}", range.start, range.end - 1)).collect();
        let if_range = remote.if_range();
        let support = if ranges.len() == 1 { RangeSupport::One } else { RangeSupport::Several };
        let asked = Asked { ranges, span, support, if_range: if_range.is_some() };
        let range = Some(format!("bytes={}", list.join(",")));
        let ask = Ask { method: Method::GET, range, if_range, deadline: self.deadline, ..Ask::default() };
        let Answer { response, host } = remote.client.send(&ask, &mut worker.transfer)?;
        self.refuse_encoded(&response)?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => self.take_ranges(worker, &asked, response, &host),
            StatusCode::OK => self.take_whole_instead(worker, &asked, response, &host),
            status => {
                if let Some(total) = answer::total(&response) {
                    self.check_total(total)?;
                }
                remote.client.drain(response);
                if !status::means_ranges(status, asked.support) {
                    return Err(remote.client.failed(status).into());
                }
                self.step_down(&host, asked.next_best(), status::reason(status));
                Ok(())
            }
        }
    }

    /// Asks for the file without any range.
    pub(super) fn ask_for_whole(&self, worker: &mut Worker<'_, Vec<u8>>) -> Result<(), Failure> {
        let ask = Ask { deadline: self.deadline, ..Ask::default() };
        let Answer { response, host } = self.remote.client.send(&ask, &mut worker.transfer)?;
        if response.status() != StatusCode::OK {
            return Err(self.exhausted(response.status()).into());
        }
        self.refuse_encoded(&response)?;
        self.remote.agree(Identity::of(&response, answer::total(&response)))?;
        self.stream(worker, response, &host)
    }

    /// Status 206: one range, or several parts.
    fn take_ranges(
        &self,
        worker: &mut Worker<'_, Vec<u8>>,
        asked: &Asked,
        response: Response<Body>,
        host: &Host,
    ) -> Result<(), Failure> {
        let total = answer::total(&response);
        self.remote.agree(Identity::of(&response, total))?;
        total.map_or(Ok(()), |total| self.check_total(total))?;
        let mut buffer = mem::take(&mut worker.scratch);
        buffer.resize(PIECE, 0);
        let taken = match (answer::boundary(&response), answer::content_range(&response)) {
            (Some(boundary), _) => self.take_parts(worker, &mut buffer, asked, &boundary, response, host),
            (None, Some(ContentRange::Satisfied { range, .. })) => {
                self.take_range(worker, &mut buffer, asked, range, response, host)
            }
            _ => Ok(Err("its answer does not tell which range it is".into())),
        };
        worker.scratch = buffer;
        if let Err(sign) = taken? {
            self.step_down(host, asked.next_best(), sign);
        }
        Ok(())
    }

    /// One range, which may be all that were asked for in one, or some of them. What is
    /// missing is asked for again; the inner error is a sign that it has to be in
    /// another way.
    fn take_range(
        &self,
        worker: &mut Worker<'_, Vec<u8>>,
        buffer: &mut [u8],
        asked: &Asked,
        range: ByteRange,
        response: Response<Body>,
        host: &Host,
    ) -> Result<Result<(), String>, Failure> {
        if !asked.span.contains(range) {
            return Ok(Err(format!("bytes {} were asked for, and {range} sent", asked.span)));
        }
        if let Some(length) = answer::content_length(&response).filter(|&length| length != range.len()) {
            return Ok(Err(format!("{} bytes were promised, and {length} announced", range.len())));
        }
        self.note_ranges(host, RangeSupport::One);
        let mut body = self.remote.client.incoming(response);
        let (mut reached, mut delivered) = (range.start, 0);
        while reached < range.end && !self.is_over(worker) {
            let most = buffer.len().min(usize::try_from(range.end - reached).unwrap_or(usize::MAX));
            let read = body.read(&mut buffer[..most])?;
            if read == 0 {
                break;
            }
            worker.transfer.bytes += read as u64;
            delivered += self.deliver(reached, &buffer[..read])?;
            reached += read as u64;
            self.note_received(host, read as u64);
        }
        if reached == range.end {
            body.finish();
        }
        Ok(if delivered == 0 && !self.is_over(worker) {
            Err(format!("of bytes {} none were sent that are missing", asked.span))
        } else if asked.support == RangeSupport::Several && self.misses_any(asked) {
            Err(format!("of {} ranges only {range} was sent", asked.ranges.len()))
        } else {
            self.note_ranges(host, asked.support);
            Ok(())
        })
    }

    /// Parts, in any order, of which each may be several of the ranges asked for.
    fn take_parts(
        &self,
        worker: &mut Worker<'_, Vec<u8>>,
        buffer: &mut [u8],
        asked: &Asked,
        boundary: &str,
        response: Response<Body>,
        host: &Host,
    ) -> Result<Result<(), String>, Failure> {
        let mut body = self.remote.client.incoming(response);
        let mut parser = Parser::new(boundary);
        let mut reached = None;
        // A server that repeats parts for ever is stopped.
        let mut patience = 2 * asked.span.len() + (1 << 20);
        while !parser.is_over() && !self.is_over(worker) {
            let read = body.read(buffer)?;
            patience = patience.saturating_sub(read as u64);
            if read == 0 || patience == 0 {
                break;
            }
            let mut input = &buffer[..read];
            loop {
                match parser.next(&mut input) {
                    Ok(Some(Event::Part { range, total })) => {
                        if let Some(total) = total {
                            self.check_total(total)?;
                        }
                        if !asked.span.contains(range) {
                            return Ok(Err(format!("bytes {} were asked for, and {range} sent", asked.span)));
                        }
                        if reached.replace(range.start).is_none() {
                            self.note_ranges(host, asked.support);
                        }
                    }
                    Ok(Some(Event::Body(data))) => {
                        worker.transfer.bytes += data.len() as u64;
                        if let Some(offset) = &mut reached {
                            self.deliver(*offset, data)?;
                            *offset += data.len() as u64;
                        }
                        self.note_received(host, data.len() as u64);
                    }
                    Ok(Some(Event::End)) => {}
                    Ok(None) => break,
                    Err(error) => return Ok(Err(error.to_string())),
                }
            }
        }
        if self.misses_any(asked) && !self.is_over(worker) {
            return Ok(Err(format!("of {} ranges some were left out", asked.ranges.len())));
        }
        body.finish();
        Ok(Ok(()))
    }

    /// Status 200 to a request for ranges: the server ignores them, or the file is
    /// another, or the server takes it for another.
    fn take_whole_instead(
        &self,
        worker: &mut Worker<'_, Vec<u8>>,
        asked: &Asked,
        response: Response<Body>,
        host: &Host,
    ) -> Result<(), Failure> {
        let seen = Identity::of(&response, answer::total(&response));
        let has_sent_ranges = host.learned().has_sent_ranges;
        let is_same = self.remote.agree(seen)?;
        if asked.if_range && has_sent_ranges {
            if !is_same {
                return Err(self
                    .remote
                    .changed("it sends all of it where ranges of what it was were asked for")
                    .into());
            }
            host.note_misread_if_range();
            return Ok(());
        }
        const SIGN: &str = "it sends the whole file";
        if asked.support == RangeSupport::Several {
            self.step_down(host, RangeSupport::One, SIGN);
            let length = answer::content_length(&response).unwrap_or(u64::MAX);
            let terms = cost::Terms { support: RangeSupport::None, ..self.remote.terms() };
            let whole = cost::estimate(&[ByteRange::at(0, length)], None, &terms).time;
            if answer::accepts_ranges(&response) != Some(false) && whole > self.time_in_ranges() {
                return Ok(());
            }
        } else {
            self.step_down(host, RangeSupport::None, SIGN);
        }
        if self.claim_stream() { self.stream(worker, response, host) } else { Ok(()) }
    }

    /// Reads the whole file, and delivers what is wanted of it.
    fn stream(&self, worker: &mut Worker<'_, Vec<u8>>, response: Response<Body>, host: &Host) -> Result<(), Failure> {
        let size = answer::content_length(&response);
        size.map_or(Ok(()), |size| self.check_total(size))?;
        let mut buffer = mem::take(&mut worker.scratch);
        buffer.resize(PIECE, 0);
        let mut body = self.remote.client.incoming(response);
        let mut reached = 0;
        while !self.is_over(worker) {
            let read = body.read(&mut buffer)?;
            if read == 0 {
                return Err(self.remote.length(self.end, reached).into());
            }
            worker.transfer.bytes += read as u64;
            self.deliver(reached, &buffer[..read])?;
            reached += read as u64;
            self.note_received(host, read as u64);
        }
        if size.is_some_and(|size| size - reached <= MOST_REST) {
            body.finish();
        }
        worker.scratch = buffer;
        Ok(())
    }

    fn misses_any(&self, asked: &Asked) -> bool {
        let request = Request { wanted: asked.ranges.clone(), bridged_gap: 0 };
        !self.rest(&request).wanted.is_empty()
    }

    /// The file has to be long enough, and stay as long as it was.
    fn check_total(&self, total: u64) -> Result<(), SourceError> {
        self.remote.agree(Identity::of_size(total))?;
        if total < self.end { Err(self.remote.length(self.end, total)) } else { Ok(()) }
    }

    fn refuse_encoded(&self, response: &Response<Body>) -> Result<(), SourceError> {
        // The bodies of errors may be compressed.
        if response.status().is_success() && answer::is_encoded(response) {
            return Err(self.remote.client.refused("it sends a compressed form of the file"));
        }
        Ok(())
    }
}
