//! The side that is asked.

use std::io::{self, BufWriter, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::ServeError;
use crate::give::{End, Packed, give};
use crate::hello;
use crate::message::{self, Broken, Kind};
use crate::offered::{Answer, Refusal};
use crate::place::Place;
use crate::request::{Reason, Request, Wish, encode_refused};
use crate::session::Line;
use crate::stream::PIECE;
use crate::update::accept;
use crate::working::while_working;

/// What the other side may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Pull.
    pub read: bool,
    /// Push.
    pub write: bool,
}

/// Does for the other side of `reader` and `writer` what it wants with `place`, as far as it may.
///
/// `begun` is called when the other side has said what it wants: a caller that has a deadline for
/// that can lift it.
///
/// # Errors
///
/// When the other side does not keep to the protocol or goes away, or wants what cannot be had.
pub fn serve(
    mut reader: impl Read + Send + 'static,
    writer: impl Write + Send + 'static,
    place: &Place,
    access: Access,
    begun: impl FnOnce(),
) -> Result<(), ServeError> {
    let out = Out(Mutex::new(BufWriter::with_capacity(PIECE, writer)));
    out.say(&hello::ours())?;
    let served = match request(&mut reader) {
        Err(error) => Err(error),
        Ok(request) => {
            begun();
            match request {
                Request::Pull(_) if !access.read => out.deny("pulled from"),
                Request::Push(_) if !access.write => out.deny("pushed to"),
                Request::Pull(wish) => conversation(&mut reader, &out, place, &wish),
                Request::Push(offer) => {
                    let writer = out.0.into_inner().unwrap_or_else(PoisonError::into_inner);
                    let line = Line {
                        reader: Box::new(reader),
                        writer: Box::new(writer),
                        location: "the other side".into(),
                        carrier: Box::new(()),
                    };
                    return accept(line, &offer, place);
                }
            }
        }
    };
    if let Err(ServeError::Violation(what)) = &served {
        out.refuse(Reason::Violation, what)?;
    }
    served
}

fn request(reader: &mut dyn Read) -> Result<Request, ServeError> {
    hello::read(reader)?;
    match message::read(reader)? {
        (Kind::Open, body) => Ok(Request::decode(&body).map_err(Broken::from)?),
        _ => Err(ServeError::Violation("it does not say what it wants")),
    }
}

fn conversation<W: Write + Send>(
    reader: &mut dyn Read,
    out: &Out<W>,
    place: &Place,
    wish: &Wish,
) -> Result<(), ServeError> {
    let answer =
        while_working(&|| out.message(Kind::Working, &[]).is_ok(), |progress| Answer::of(wish, place, progress));
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
    let mut to = out.held();
    let mut to = Packed::new(&mut *to)?;
    match give(reader, &mut to, &offered, &mut 0)? {
        End::Done => Ok(()),
        End::Unreadable(error) => {
            let Refusal { why, .. } = error.into();
            message::write(to.out, Kind::Refused, &encode_refused(Reason::Changed, &why))?;
            to.out.flush()?;
            Err(ServeError::Refused(why))
        }
        End::Report(_) | End::Refused(_) => Err(ServeError::Violation("it sends what nobody waits for")),
    }
}

fn done(reader: &mut dyn Read) -> Result<(), ServeError> {
    match message::read(reader)? {
        (Kind::Done, _) => Ok(()),
        _ => Err(ServeError::Violation("it sends what nobody waits for")),
    }
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

    /// Says that this side is not there for that.
    fn deny(&self, what: &str) -> Result<(), ServeError> {
        let why = format!("nothing can be {what} this place");
        self.refuse(Reason::Denied, &why)?;
        Err(ServeError::Refused(why))
    }

    fn refuse(&self, reason: Reason, why: &str) -> io::Result<()> {
        self.message(Kind::Refused, &encode_refused(reason, why))
    }
}
