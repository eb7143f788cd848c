//! The side that has what is wanted.

use std::io::{self, BufWriter, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use gosync_chunks::{ByteRange, Progress};

use crate::hello;
use crate::message::{self, Broken, Kind};
use crate::offered::{Answer, Offered, Refusal};
use crate::place::Place;
use crate::request::{Object, Reason, Wish, decode_read, encode_refused};
use crate::stream::{PIECE, Packer};

/// How often the other side hears that work is being done for it.
const INTERVAL: Duration = Duration::from_secs(5);

/// Why a conversation ended that was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A stream failed, or ended.
    #[error("the connection to the other side broke")]
    Io(#[from] io::Error),
    /// The other side does not keep to the protocol.
    #[error("the other side is not understood: {0}")]
    Violation(&'static str),
    /// What is wanted cannot be had; the other side knows.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<Broken> for ServeError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(error) => Self::Io(error),
            Broken::Violation(what) => Self::Violation(what),
        }
    }
}

/// Serves the other side of `reader` and `writer` what it wants of `place`, until it has it.
///
/// `begun` is called when the other side has said what it wants: a caller that has a deadline for
/// that can lift it.
///
/// # Errors
///
/// When the other side does not keep to the protocol or goes away, or wants what cannot be had.
pub fn serve(
    mut reader: impl Read,
    writer: impl Write + Send,
    place: &Place,
    begun: impl FnOnce(),
) -> Result<(), ServeError> {
    let out = Out(Mutex::new(BufWriter::with_capacity(PIECE, writer)));
    out.say(&hello::ours())?;
    let served = hello::read(&mut reader).map_err(ServeError::from);
    let served = served.and_then(|()| conversation(&mut reader, &out, place, begun));
    if let Err(ServeError::Violation(what)) = &served {
        out.refuse(Reason::Violation, what)?;
    }
    served
}

fn conversation<W: Write + Send>(
    reader: &mut dyn Read,
    out: &Out<W>,
    place: &Place,
    begun: impl FnOnce(),
) -> Result<(), ServeError> {
    let wish = match message::read(reader)? {
        (Kind::Open, body) => Wish::decode(&body).map_err(Broken::from)?,
        _ => return Err(ServeError::Violation("it does not say what it wants")),
    };
    begun();
    let answer = while_working(out, |progress| Answer::of(&wish, place, progress));
    let offered = match answer {
        Err(Refusal { reason, why }) => {
            out.refuse(reason, &why)?;
            return Err(ServeError::Refused(why));
        }
        Ok(Answer::Same) => {
            out.message(Kind::Same, &[])?;
            return done(reader);
        }
        Ok(Answer::Offered(offered)) => offered,
    };
    let mut packer = Packer::new()?;
    message::write(&mut *out.held(), Kind::Opened, &offered.opened.encode())?;
    for object in Object::ALL {
        answer_with(out, &mut packer, &offered, object, &offered.opened.pushed[object as usize])?;
    }
    loop {
        out.held().flush()?;
        match message::read(reader)? {
            (Kind::Read, body) => {
                let (object, ranges) = decode_read(&body, offered.opened.lengths).map_err(Broken::from)?;
                answer_with(out, &mut packer, &offered, object, &ranges)?;
            }
            (Kind::Done, _) => return Ok(()),
            _ => return Err(ServeError::Violation("it sends what nobody waits for")),
        }
    }
}

fn done(reader: &mut dyn Read) -> Result<(), ServeError> {
    match message::read(reader)? {
        (Kind::Done, _) => Ok(()),
        _ => Err(ServeError::Violation("it sends what nobody waits for")),
    }
}

/// Sends `ranges` of `object`, one after another, in messages that have nothing to do with where one
/// ends.
fn answer_with<W: Write + Send>(
    out: &Out<W>,
    packer: &mut Packer,
    offered: &Offered,
    object: Object,
    ranges: &[ByteRange],
) -> Result<(), ServeError> {
    let mut plain = Vec::with_capacity(PIECE);
    let mut send = |plain: &mut Vec<u8>| {
        let sent = message::write(&mut *out.held(), Kind::Data, packer.pack(plain)?);
        plain.clear();
        sent
    };
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let (at, len) = (plain.len(), (range.end - start).min((PIECE - plain.len()) as u64) as usize);
            plain.resize(at + len, 0);
            if let Err(error) = offered.read(object, start, &mut plain[at..]) {
                let refusal = Refusal::from(error);
                out.refuse(Reason::Changed, &refusal.why)?;
                return Err(ServeError::Refused(refusal.why));
            }
            start += len as u64;
            if plain.len() == PIECE {
                send(&mut plain)?;
            }
        }
    }
    if plain.is_empty() { Ok(()) } else { Ok(send(&mut plain)?) }
}

/// Where messages go.
struct Out<W: Write>(Mutex<BufWriter<W>>);

impl<W: Write> Out<W> {
    fn held(&self) -> MutexGuard<'_, BufWriter<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = self.held();
        out.write_all(bytes)?;
        out.flush()
    }

    fn message(&self, kind: Kind, body: &[u8]) -> io::Result<()> {
        let mut out = self.held();
        message::write(&mut *out, kind, body)?;
        out.flush()
    }

    fn refuse(&self, reason: Reason, why: &str) -> io::Result<()> {
        self.message(Kind::Refused, &encode_refused(reason, why))
    }
}

/// Does `work`, and tells the other side from time to time that it is being done. Where that is not
/// there any more, the work is given up.
fn while_working<W: Write + Send, T>(out: &Out<W>, work: impl FnOnce(&dyn Progress) -> T) -> T {
    let is_gone = AtomicBool::new(false);
    let (working, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let is_gone = &is_gone;
        scope.spawn(move || {
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if out.message(Kind::Working, &[]).is_err() {
                    is_gone.store(true, Ordering::Relaxed);
                    return;
                }
            }
        });
        let done = work(&Unheard(is_gone));
        drop(working);
        done
    })
}

/// Work that somebody else waits for.
struct Unheard<'a>(&'a AtomicBool);

impl Progress for Unheard<'_> {
    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
