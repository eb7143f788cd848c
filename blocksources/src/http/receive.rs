//! Asking for ranges, and taking whatever the server sends for them.

use std::mem;

use gosync_chunks::{ByteRange, SourceError};
use ureq::Body;
use ureq::http::{Method, Response, StatusCode};

use super::answer;
use super::broken::End;
use super::client::{Answer, Ask, Failure, MOST_REST};
use super::content_range::ContentRange;
use super::cost::{self, RangeSupport, Request};
use super::fetch::Fetch;
use super::hosts::Host;
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
}

/// What an answer shows of a server that does not answer as it should.
struct Sign {
    /// As many of the ranges that were asked for it may be able to send at once.
    able: usize,
    reason: String,
}

/// How many ranges to ask for where so many were too many. Ten is what old servers take, and
/// each attempt may cost a part of the file that nobody wants.
fn fewer(count: usize) -> usize {
    match count {
        41.. => count / 4,
        11.. => 10,
        _ => count / 2,
    }
}

impl Sign {
    /// Nothing of how many it may be.
    fn new(reason: impl Into<String>) -> Self {
        Self { able: 1, reason: reason.into() }
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
        let support = if ranges.len() == 1 { RangeSupport::One } else { RangeSupport::Several };
        let asked = Asked { ranges, span, support };
        let range = Some(format!("bytes={}", list.join(",")));
        let ask = Ask { method: Method::GET, range, ..Ask::default() };
        match self.exchange(worker, &asked, &ask) {
            Err(failure) => {
                let host = remote.client.host();
                let sign = self.sign_of(&asked, &failure, &host).ok_or(failure)?;
                self.step_down(&host, &asked, sign);
                Ok(())
            }
            done => done,
        }
    }

    fn exchange(&self, worker: &mut Worker<'_, Vec<u8>>, asked: &Asked, ask: &Ask) -> Result<(), Failure> {
        let remote = self.remote;
        let Answer { response, host } = remote.client.send(ask, &mut worker.transfer)?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => self.take_ranges(worker, asked, response, &host),
            StatusCode::OK => self.take_whole_instead(worker, asked, response, &host),
            status => {
                if let Some(total) = answer::total(&response) {
                    self.check_total(total)?;
                }
                remote.client.drain(response);
                if !status::means_ranges(status, asked.support) {
                    return Err(remote.client.failed(status).into());
                }
                let able = if status::means_many_ranges(status) { fewer(asked.ranges.len()) } else { 1 };
                self.step_down(&host, asked, Sign { able, reason: status::reason(status) });
                Ok(())
            }
        }
    }

    /// What a failure shows, where it may be because of how many ranges were asked for: firewalls
    /// and proxies reset connections, say nothing or make up a status. It is not, where as many
    /// have come before.
    fn sign_of(&self, asked: &Asked, failure: &Failure, host: &Host) -> Option<Sign> {
        let learned = host.learned();
        let count = asked.ranges.len();
        if asked.support != RangeSupport::Several || count <= learned.most_sent {
            return None;
        }
        match (&failure.error, failure.end) {
            (_, Some(End::Broken)) => Some(Sign { able: fewer(count), reason: "it closes the connection".into() }),
            // That costs too much time to be found out slowly.
            (_, Some(End::Silent)) if !learned.has_sent_several => Some(Sign::new("it does not answer")),
            // The first time it is taken for what it says.
            (SourceError::Busy { reason, .. }, _) if !learned.has_sent_several && host.is_busy_with_several_again() => {
                Some(Sign::new(reason.as_str()))
            }
            _ => None,
        }
    }

    /// Takes note that ranges do not work as they should, so that they are asked for in
    /// a plainer way from now on.
    fn step_down(&self, host: &Host, asked: &Asked, sign: Sign) {
        match asked.support {
            RangeSupport::Several => host.limit_ranges(sign.able, sign.reason),
            _ => host.lower_to(RangeSupport::None, sign.reason),
        }
    }

    /// Asks for the file without any range.
    pub(super) fn ask_for_whole(&self, worker: &mut Worker<'_, Vec<u8>>) -> Result<(), Failure> {
        let ask = Ask::default();
        let Answer { response, host } = self.remote.client.send(&ask, &mut worker.transfer)?;
        if response.status() != StatusCode::OK {
            return Err(self.exhausted(response.status()).into());
        }
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
        answer::total(&response).map_or(Ok(()), |total| self.check_total(total))?;
        let mut buffer = mem::take(&mut worker.scratch);
        buffer.resize(PIECE, 0);
        let taken = match (answer::boundary(&response), answer::content_range(&response)) {
            (Some(boundary), _) => self.take_parts(worker, &mut buffer, asked, &boundary, response, host),
            (None, Some(ContentRange::Satisfied { range, .. })) => {
                self.take_range(worker, &mut buffer, asked, range, response, host)
            }
            _ => Ok(Err(Sign::new("its answer does not tell which range it is"))),
        };
        worker.scratch = buffer;
        match taken? {
            Ok(()) => host.note_all_sent(asked.ranges.len()),
            Err(sign) => self.step_down(host, asked, sign),
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
    ) -> Result<Result<(), Sign>, Failure> {
        if !asked.span.contains(range) {
            return Ok(Err(Sign::new(format!("bytes {} were asked for, and {range} sent", asked.span))));
        }
        if let Some(length) = answer::content_length(&response).filter(|&length| length != range.len()) {
            return Ok(Err(Sign::new(format!("{} bytes were promised, and {length} announced", range.len()))));
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
            Err(Sign::new(format!("of bytes {} none were sent that are missing", asked.span)))
        } else if asked.support == RangeSupport::Several && self.missing(asked) > 0 {
            Err(Sign::new(format!("of {} ranges only {range} was sent", asked.ranges.len())))
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
    ) -> Result<Result<(), Sign>, Failure> {
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
                            let reason = format!("bytes {} were asked for, and {range} sent", asked.span);
                            return Ok(Err(Sign::new(reason)));
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
                    Err(error) => return Ok(Err(Sign::new(error.to_string()))),
                }
            }
        }
        let missing = self.missing(asked);
        if missing > 0 && !self.is_over(worker) {
            let count = asked.ranges.len();
            return Ok(Err(Sign { able: count - missing, reason: format!("of {count} ranges some were left out") }));
        }
        body.finish();
        Ok(Ok(()))
    }

    /// Status 200 to a request for ranges: the server ignores them, or there are too many.
    fn take_whole_instead(
        &self,
        worker: &mut Worker<'_, Vec<u8>>,
        asked: &Asked,
        response: Response<Body>,
        host: &Host,
    ) -> Result<(), Failure> {
        let accepts_ranges = answer::accepts_ranges(&response);
        let able = if accepts_ranges == Some(true) { fewer(asked.ranges.len()) } else { 1 };
        self.step_down(host, asked, Sign { able, reason: "it sends the whole file".into() });
        if asked.support == RangeSupport::Several {
            let length = answer::content_length(&response).unwrap_or(u64::MAX);
            // However fast the line is: what fewer ranges bring is all that was asked for.
            if able > 1 && length / 4 > self.wanted_bytes() {
                return Ok(());
            }
            let terms = cost::Terms { support: RangeSupport::None, ..self.remote.terms() };
            let whole = cost::estimate(&[ByteRange::at(0, length)], None, &terms).time;
            if accepts_ranges != Some(false) && whole > self.time_in_ranges() {
                return Ok(());
            }
        }
        if self.claim_stream() { self.stream(worker, response, host) } else { Ok(()) }
    }

    /// Reads the whole file, and delivers what is wanted of it.
    fn stream(&self, worker: &mut Worker<'_, Vec<u8>>, response: Response<Body>, host: &Host) -> Result<(), Failure> {
        self.refuse_encoded(&response)?;
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

    /// How many of the ranges that were asked for have not come, or not whole.
    fn missing(&self, asked: &Asked) -> usize {
        let request = Request { wanted: asked.ranges.clone(), bridged_gap: 0 };
        let missing = self.rest(&request).wanted;
        asked.ranges.iter().filter(|range| missing.iter().any(|rest| range.contains(*rest))).count()
    }

    /// The file has to be long enough, and stay as long as it was.
    fn check_total(&self, total: u64) -> Result<(), SourceError> {
        self.remote.agree(Some(total))?;
        if total < self.end { Err(self.remote.length(self.end, total)) } else { Ok(()) }
    }

    /// Where all of a file is said to be compressed, its length tells whether it is.
    fn refuse_encoded(&self, response: &Response<Body>) -> Result<(), SourceError> {
        let is_long_enough = || {
            let known = self.remote.known_size();
            answer::content_length(response)
                .is_some_and(|length| known.map_or(length >= self.end, |known| length == known))
        };
        if answer::is_encoded(response) && !is_long_enough() {
            return Err(self.remote.client.refused("it sends a compressed form of the file"));
        }
        Ok(())
    }
}
