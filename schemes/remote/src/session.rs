//! A conversation with the far side, as the side that updates has it.

use std::io::{self, BufWriter, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gosync_chunks::{ByteRange, Sink, SourceError, Transfer};

use crate::give::{End, Packed, give};
use crate::hello;
use crate::message::{self, Broken, HEAD, Kind};
use crate::offered::Offered;
use crate::request::{Object, Opened, Pushed, Reason, Request, decode_refused, encode_read, encode_refused};
use crate::stream::{PIECE, Unpacker};

/// The streams to and from a far side, and what is known of what carries them.
pub struct Line {
    /// What comes from there.
    pub reader: Box<dyn Read + Send>,
    /// What goes there. Each message is written at once.
    pub writer: Box<dyn Write + Send>,
    /// How the far side is called in messages.
    pub location: String,
    /// What carries the streams.
    pub carrier: Box<dyn Carrier>,
}

/// What carries the streams to a far side, and knows why they broke.
pub trait Carrier: Send {
    /// That the far side has answered.
    fn has_begun(&self) {}

    /// What it means that a stream broke with `error`; before the far side said anything that was
    /// understood, where `is_start`.
    fn broken(self: Box<Self>, error: io::Error, is_start: bool) -> Option<SourceError> {
        let _ = (error, is_start);
        None
    }
}

/// Streams of which nothing more is known.
impl Carrier for () {}

/// What both have said to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that went there.
    pub sent: u64,
    /// Bytes that came from there.
    pub received: u64,
    /// How often something was waited for.
    pub round_trips: u64,
}

/// A conversation that was begun.
pub(crate) struct Session {
    location: String,
    state: Mutex<State>,
}

struct State {
    /// `None` when it broke.
    line: Option<Open>,
    traffic: Traffic,
}

struct Open {
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    carrier: Box<dyn Carrier>,
    unpacker: Unpacker,
}

/// Bytes of ranges that are asked for in one message, at most.
const ASKED: usize = 10_000;

/// What the other side says to a request.
pub(crate) enum Said {
    Same,
    /// It wants what it was offered.
    Want,
    /// What there is, and the bytes of both that came unasked.
    Opened(Opened, [Vec<Vec<u8>>; 2]),
}

impl Session {
    /// Says what is wanted, in the same flight as hello, and hears what there is.
    pub(crate) fn begin(line: Line, request: &Request) -> Result<(Self, Said), SourceError> {
        let location = line.location.clone();
        request.wish().check().map_err(|why| SourceError::Refused { location, reason: why.into() })?;
        let session = Self::new(line)?;
        let mut first = hello::ours().to_vec();
        let said = session.with(true, |line, traffic| {
            message::write(&mut first, Kind::Open, &request.encode())?;
            // What is said before the far side goes away is why it does.
            let sent = line.writer.write_all(&first).and_then(|()| line.writer.flush());
            traffic.sent += first.len() as u64;
            traffic.round_trips += 1;
            hello::read(&mut line.reader)?;
            sent?;
            line.carrier.has_begun();
            traffic.received += hello::LEN as u64;
            line.hear(traffic)
        })?;
        Ok((session, said))
    }

    /// With another side that was heard already.
    pub(crate) fn new(line: Line) -> Result<Self, SourceError> {
        let Line { reader, writer, location, carrier } = line;
        let unpacker = Unpacker::new().map_err(|error| unreachable(&location, error))?;
        let line = Some(Open { reader, writer, carrier, unpacker });
        Ok(Self { location, state: Mutex::new(State { line, traffic: Traffic::default() }) })
    }

    /// Says that what the other side offers is wanted, and hears what it has.
    pub(crate) fn want(&self) -> Result<Said, SourceError> {
        self.say(Kind::Want, &[])?;
        self.with(false, |line, traffic| line.hear(traffic))
    }

    /// Says something that has no answer.
    pub(crate) fn say(&self, kind: Kind, body: &[u8]) -> Result<(), SourceError> {
        self.with(false, |line, traffic| {
            message::write(&mut *line.writer, kind, body)?;
            line.writer.flush()?;
            traffic.sent += (HEAD + body.len()) as u64;
            Ok(())
        })
    }

    /// Says why nothing comes of it.
    pub(crate) fn refuse(&self, reason: Reason, why: &str) -> Result<(), SourceError> {
        self.say(Kind::Refused, &encode_refused(reason, why))
    }

    /// Gives the other side what it wants of what is `offered`, until it tells what became of it.
    pub(crate) fn give(&self, offered: &Offered) -> Result<Pushed, SourceError> {
        self.with(false, |line, traffic| {
            let mut out =
                Counted { writer: BufWriter::with_capacity(PIECE, &mut line.writer), bytes: &mut traffic.sent };
            let mut packed = Packed::new(&mut out)?;
            let mut input = CountedReader { reader: &mut line.reader, bytes: &mut traffic.received };
            match give(&mut input, &mut packed, offered, &mut traffic.round_trips)? {
                End::Report(body) => Ok(Pushed::decode(&body)?),
                End::Refused(body) => {
                    let (reason, why) = decode_refused(&body)?;
                    Err(Failed::Refused(reason, why))
                }
                End::Done => Err("it does not tell what became of it".into()),
                End::Unreadable(error) => Err(Failed::Broken(Broken::Io(error))),
            }
        })
    }

    /// Gets `ranges` of `object`.
    pub(crate) fn read(&self, object: Object, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let mut transfer = Transfer::default();
        for ranges in ranges.chunks(ASKED) {
            let had = self.traffic().received;
            self.with(false, |line, traffic| {
                let body = encode_read(object, ranges);
                let mut asked = Vec::with_capacity(HEAD + body.len());
                message::write(&mut asked, Kind::Read, &body)?;
                line.writer.write_all(&asked)?;
                line.writer.flush()?;
                traffic.sent += asked.len() as u64;
                traffic.round_trips += 1;
                line.answer(ranges, sink, traffic)
            })?;
            transfer += Transfer { bytes: self.traffic().received - had, requests: 1 };
        }
        Ok(transfer)
    }

    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.held().traffic
    }

    /// Has `act` talk; what fails then ends the conversation.
    fn with<T>(
        &self,
        is_start: bool,
        act: impl FnOnce(&mut Open, &mut Traffic) -> Result<T, Failed>,
    ) -> Result<T, SourceError> {
        let mut held = self.held();
        let State { line, traffic } = &mut *held;
        let Some(open) = line else {
            return Err(unreachable(&self.location, "the connection has ended already"));
        };
        let failed = match act(open, traffic) {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        let Some(Open { reader, writer, carrier, .. }) = line.take() else { unreachable!("it was there just now") };
        // What is not listened to any more has a reason to end.
        drop((reader, writer));
        let location = self.location.clone();
        Err(match failed {
            Failed::Broken(Broken::Io(error)) => {
                let text = error.to_string();
                carrier.broken(error, is_start).unwrap_or_else(|| unreachable(&self.location, text))
            }
            Failed::Broken(Broken::Violation(what)) if is_start => {
                // If it never ran, its end tells more than what it has not said.
                let ended = carrier.broken(io::ErrorKind::UnexpectedEof.into(), true);
                match ended {
                    Some(error @ (SourceError::Denied { .. } | SourceError::Unreachable { .. })) => error,
                    Some(SourceError::Refused { reason, .. }) if reason.contains("no gosync") => {
                        SourceError::Refused { location, reason }
                    }
                    _ => SourceError::Refused { location, reason: what.into() },
                }
            }
            Failed::Broken(Broken::Violation(what)) => SourceError::Refused { location, reason: what.into() },
            Failed::Refused(Reason::NotFound, reason) => SourceError::NotFound { location, reason },
            Failed::Refused(Reason::Denied, reason) => SourceError::Denied { location, reason },
            Failed::Refused(Reason::Changed, reason) => SourceError::Changed { location, reason },
            Failed::Refused(_, reason) => SourceError::Refused { location, reason },
            Failed::Sink(error) => SourceError::Sink(error),
        })
    }

    fn held(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session {
    /// Says goodbye: where that does not arrive, the end of the stream does.
    fn drop(&mut self) {
        if let Some(line) = &mut self.held().line {
            let _ = message::write(&mut *line.writer, Kind::Done, &[]).and_then(|()| line.writer.flush());
        }
    }
}

/// Why a conversation ends.
enum Failed {
    Broken(Broken),
    Refused(Reason, String),
    Sink(gosync_chunks::SinkError),
}

impl<E: Into<Broken>> From<E> for Failed {
    fn from(broken: E) -> Self {
        Self::Broken(broken.into())
    }
}

impl Open {
    /// What the other side says to a request.
    fn hear(&mut self, traffic: &mut Traffic) -> Result<Said, Failed> {
        match self.receive(traffic)? {
            (Kind::Same, _) => Ok(Said::Same),
            (Kind::Want, _) => Ok(Said::Want),
            (Kind::Opened, body) => {
                let opened = Opened::decode(&body)?;
                let mut came = [Vec::new(), Vec::new()];
                for object in Object::ALL {
                    let ranges = &opened.pushed[object as usize];
                    let into = Gathered::of(ranges)?;
                    self.answer(ranges, &into, traffic)?;
                    came[object as usize] = into.finish();
                }
                Ok(Said::Opened(opened, came))
            }
            _ => Err("it answers what was not asked".into()),
        }
    }

    /// The next message that says something.
    fn receive(&mut self, traffic: &mut Traffic) -> Result<(Kind, Vec<u8>), Failed> {
        loop {
            let (kind, body) = message::read(&mut self.reader)?;
            traffic.received += (HEAD + body.len()) as u64;
            match kind {
                Kind::Working => {}
                Kind::Refused => {
                    let (reason, why) = decode_refused(&body)?;
                    return Err(Failed::Refused(reason, why));
                }
                _ => return Ok((kind, body)),
            }
        }
    }

    /// Takes the bytes of `ranges`.
    fn answer(&mut self, ranges: &[ByteRange], sink: &dyn Sink, traffic: &mut Traffic) -> Result<(), Failed> {
        let mut left: u64 = ranges.iter().map(|range| range.len()).sum();
        let mut places = ranges.iter().copied();
        let mut place = ByteRange::at(0, 0);
        while left > 0 {
            let (kind, body) = self.receive(traffic)?;
            if kind != Kind::Data {
                return Err("it answers what was not asked".into());
            }
            let mut taken = Ok(());
            let had = left;
            self.unpacker.unpack(&body, left, |mut plain| {
                left -= plain.len() as u64;
                while !plain.is_empty() && taken.is_ok() {
                    while place.is_empty() {
                        place = places.next().unwrap_or(ByteRange { start: 0, end: u64::MAX });
                    }
                    let (now, rest) = plain.split_at(plain.len().min(place.len() as usize));
                    taken = sink.deliver(place.start, now);
                    place.start += now.len() as u64;
                    plain = rest;
                }
            })?;
            taken.map_err(Failed::Sink)?;
            if left == had {
                return Err("it sends messages with nothing in them".into());
            }
        }
        Ok(())
    }
}

/// Bytes of some ranges in memory, which follows what comes.
struct Gathered {
    ranges: Vec<ByteRange>,
    bytes: Mutex<Vec<Vec<u8>>>,
}

/// The most that a far side may send unasked.
const MOST_UNASKED: u64 = 4 << 20;

impl Gathered {
    fn of(ranges: &[ByteRange]) -> Result<Self, Broken> {
        let bytes = ranges.iter().try_fold(0u64, |sum, range| sum.checked_add(range.len()));
        if bytes.is_none_or(|bytes| bytes > MOST_UNASKED) {
            return Err("it sends too much that was not asked for".into());
        }
        Ok(Self { ranges: ranges.to_vec(), bytes: Mutex::new(vec![Vec::new(); ranges.len()]) })
    }

    fn finish(self) -> Vec<Vec<u8>> {
        self.bytes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Gathered {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), gosync_chunks::SinkError> {
        let at = self.ranges.partition_point(|range| range.end <= offset);
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)[at].extend_from_slice(data);
        Ok(())
    }
}

/// A stream whose bytes are counted.
struct Counted<'a, W> {
    writer: W,
    bytes: &'a mut u64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        *self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The same of one that is read.
struct CountedReader<'a, R> {
    reader: R,
    bytes: &'a mut u64,
}

impl<R: Read> Read for CountedReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        *self.bytes += read as u64;
        Ok(read)
    }
}

fn unreachable(location: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SourceError {
    SourceError::Unreachable { location: location.into(), is_transient: false, source: source.into() }
}
