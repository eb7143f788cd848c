//! Fetching ranges over several connections.

use std::io::Read;

use gosync_chunks::{ByteRange, Sink, SourceError, Transfer};
use ureq::Body;
use ureq::http::Response;

use super::HttpSource;
use super::answer::{self, Unfit};
use super::client::{Failure, persist};
use crate::ranges::{coalesce, split, within};
use crate::workers::{Worker, fan_out};

/// Bytes read from a connection at once.
const PIECE: usize = 128 << 10;

/// One call of [`Source::fetch`](gosync_chunks::Source::fetch).
pub(super) struct Fetch<'a> {
    pub(super) source: &'a HttpSource,
    pub(super) ranges: &'a [ByteRange],
    pub(super) sink: &'a dyn Sink,
}

/// What takes one request, unless the connection breaks.
#[derive(Clone, Copy)]
enum Job {
    /// These bytes, as a range.
    Range(ByteRange),
    /// The whole file, which even a server that ignores ranges can send.
    Whole { size: u64 },
}

impl Fetch<'_> {
    pub(super) fn run(&self) -> Result<Transfer, SourceError> {
        let mut asking = Transfer::default();
        let joined = coalesce(self.ranges, self.source.options.bridged_gap);
        let Some(end) = joined.last().map(|range| range.end) else { return Ok(asking) };

        // Only what begins at the first byte and leaves nothing out can be the whole file.
        let size = match joined[..] {
            [ByteRange { start: 0, .. }] => self.source.ask_size(&mut asking)?,
            _ => self.source.size.get().copied(),
        };
        let mut transfer = match size {
            Some(actual) if actual < end => return Err(self.source.length(end, actual)),
            Some(size) if joined == [ByteRange { start: 0, end: size }] => {
                fan_out(1, [Job::Whole { size }].into_iter(), |worker, job| self.work(worker, job))?
            }
            _ => {
                let request_size = self.source.options.request_size;
                let jobs = || joined.iter().flat_map(|&range| split(range, request_size)).map(Job::Range);
                let threads = jobs().take(self.source.options.connections).count();
                fan_out(threads, jobs(), |worker, job| self.work(worker, job))?
            }
        };
        transfer += asking;
        Ok(transfer)
    }

    fn work(&self, worker: &mut Worker<'_>, job: Job) -> Result<(), SourceError> {
        worker.buffer.resize(PIECE, 0);
        let asked = match job {
            Job::Range(range) => range,
            Job::Whole { size } => ByteRange { start: 0, end: size },
        };
        let mut reached = asked.start;
        persist(|| {
            if worker.is_stopped() {
                return Ok(());
            }
            // What has arrived stays; the next attempt goes on behind it.
            let rest = ByteRange { start: reached, end: asked.end };
            let response = match job {
                Job::Whole { size } if reached == 0 => self.ask_whole(worker, size)?,
                _ => self.ask_range(worker, rest)?,
            };
            self.receive(worker, response, rest, &mut reached)
        })
    }

    fn ask_range(&self, worker: &mut Worker<'_>, asked: ByteRange) -> Result<Response<Body>, Failure> {
        let source = self.source;
        let response = source.client.get(Some(asked), &mut worker.transfer)?;
        match answer::check_partial(&response, asked) {
            Ok(Some(total)) => source.agree_on_size(total)?,
            Ok(None) => {}
            Err(Unfit::TooShort { actual }) => {
                let expected = source.size.get().copied().unwrap_or(asked.end);
                return Err(source.length(expected, actual).into());
            }
            Err(Unfit::Refused(reason)) => return Err(source.client.refused(reason).into()),
        }
        Ok(response)
    }

    fn ask_whole(&self, worker: &mut Worker<'_>, size: u64) -> Result<Response<Body>, Failure> {
        let response = self.source.client.get(None, &mut worker.transfer)?;
        answer::check_whole(&response).map_err(|reason| self.source.client.refused(reason))?;
        match answer::content_length(&response) {
            Some(actual) if actual != size => Err(self.source.length(size, actual).into()),
            _ => Ok(response),
        }
    }

    /// Hands the body, which is to be `expected`, to the sink as it arrives.
    fn receive(
        &self,
        worker: &mut Worker<'_>,
        response: Response<Body>,
        expected: ByteRange,
        reached: &mut u64,
    ) -> Result<(), Failure> {
        let client = &self.source.client;
        let too_long = || client.refused(format!("more than the {} promised bytes were sent", expected.len()));
        let mut body = response.into_body().into_reader();
        while *reached < expected.end {
            if worker.is_stopped() {
                return Ok(());
            }
            let read = body.read(&mut worker.buffer).map_err(|error| client.broken(error.into()))?;
            if read == 0 {
                let sent = *reached - expected.start;
                let promised = expected.len();
                return Err(client.refused(format!("only {sent} of the {promised} promised bytes were sent")).into());
            }
            worker.transfer.bytes += read as u64;
            let piece = ByteRange::at(*reached, read as u64);
            if piece.end > expected.end {
                return Err(too_long().into());
            }
            for part in within(self.ranges, piece) {
                let start = (part.start - piece.start) as usize;
                let data = &worker.buffer[start..start + part.len() as usize];
                self.sink.deliver(part.start, data).map_err(SourceError::Sink)?;
            }
            *reached = piece.end;
        }
        // Reading on to the end returns the connection to the pool. Should it break only
        // now, nothing is lost.
        match body.read(&mut worker.buffer) {
            Ok(more) if more > 0 => Err(too_long().into()),
            _ => Ok(()),
        }
    }
}
