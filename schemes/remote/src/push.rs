//! The side that pushes.

use std::path::Path;

use gosync_chunks::{ErrorKind, Progress, SourceError};
use gosync_update::Error;

use crate::offered::{Answer, Refusal};
use crate::place::Place;
use crate::platform;
use crate::request::{Offer, Pushed, Request, Wish};
use crate::session::{Line, Said, Session, Traffic};

/// Makes what is at the far side of `line` what is at `local`, as `offer` says; `None` where it is that
/// already.
///
/// # Errors
///
/// When the far side cannot be reached, refuses or fails, or what is here cannot be read.
pub fn push(
    line: Line,
    offer: &Offer,
    local: &Path,
    progress: &dyn Progress,
) -> Result<(Option<Pushed>, Traffic), Error> {
    let (session, said) = Session::begin(line, &Request::Push(offer.clone()))?;
    match said {
        Said::Same => return Ok((None, session.traffic())),
        Said::Want => {}
        Said::Opened(..) => {
            let (location, reason) = (session.location().to_owned(), "it answers what was not asked".into());
            return Err(SourceError::Refused { location, reason }.into());
        }
    }
    let path = platform::bytes_of(local).ok_or_else(|| unreadable(local, "its name is no text"))?;
    let wish = Wish { path, file: None, listing: None, ..offer.wish.clone() };
    let offered = match Answer::of(&wish, &Place::everywhere(), progress) {
        Ok(Answer::Offered(offered)) => offered,
        Ok(Answer::Same) => return Err(unreadable(local, "it is compared with nothing")),
        Err(Refusal { reason, why }) => {
            let _ = session.refuse(reason, "what is pushed cannot be read");
            progress.check()?;
            return Err(unreadable(local, &why));
        }
    };
    let pushed = session.give(&offered)?;
    Ok((Some(pushed), session.traffic()))
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {why}")]
struct Unreadable {
    path: String,
    why: String,
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::target(ErrorKind::Other, Unreadable { path: path.display().to_string(), why: why.into() })
}
