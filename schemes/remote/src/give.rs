//! How one side gives the other what that wants.

use std::io::{self, Read, Write};

use gosync_chunks::ByteRange;

use crate::message::{self, Broken, Kind};
use crate::offered::Offered;
use crate::request::{Object, decode_read};
use crate::stream::{PIECE, Packer};

/// How giving something ended.
pub(crate) enum End {
    /// The other side wants nothing more.
    Done,
    /// It tells what became of it.
    Report(Vec<u8>),
    /// It tells why nothing did.
    Refused(Vec<u8>),
    /// What is here cannot be read.
    Unreadable(io::Error),
}

/// Messages with packed bytes, and where they go.
pub(crate) struct Packed<'a> {
    pub(crate) out: &'a mut dyn Write,
    packer: Packer,
    plain: Vec<u8>,
}

/// Says what there is, and answers until the other side wants nothing more; counts the answers.
pub(crate) fn give(
    reader: &mut dyn Read,
    to: &mut Packed<'_>,
    offered: &Offered,
    answers: &mut u64,
) -> Result<End, Broken> {
    message::write(to.out, Kind::Opened, &offered.opened.encode())?;
    for object in Object::ALL {
        if let Err(error) = to.send(offered, object, &offered.opened.pushed[object as usize])? {
            return Ok(End::Unreadable(error));
        }
    }
    loop {
        to.out.flush()?;
        *answers += 1;
        match message::read(reader)? {
            (Kind::Read, body) => {
                let (object, ranges) = decode_read(&body, offered.opened.lengths)?;
                if let Err(error) = to.send(offered, object, &ranges)? {
                    return Ok(End::Unreadable(error));
                }
            }
            (Kind::Working, _) => *answers -= 1,
            (Kind::Done, _) => return Ok(End::Done),
            (Kind::Report, body) => return Ok(End::Report(body)),
            (Kind::Refused, body) => return Ok(End::Refused(body)),
            _ => return Err("it sends what nobody waits for".into()),
        }
    }
}

impl<'a> Packed<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        Ok(Self { out, packer: Packer::new()?, plain: Vec::with_capacity(PIECE) })
    }

    /// Sends `ranges` of `object`, one after another, in messages that have nothing to do with where
    /// one ends. The inner error is one of reading them.
    fn send(&mut self, offered: &Offered, object: Object, ranges: &[ByteRange]) -> io::Result<io::Result<()>> {
        for range in ranges {
            let mut start = range.start;
            while start < range.end {
                let at = self.plain.len();
                let len = (range.end - start).min((PIECE - at) as u64) as usize;
                self.plain.resize(at + len, 0);
                if let Err(error) = offered.read(object, start, &mut self.plain[at..]) {
                    return Ok(Err(error));
                }
                start += len as u64;
                if self.plain.len() == PIECE {
                    self.send_plain()?;
                }
            }
        }
        if !self.plain.is_empty() {
            self.send_plain()?;
        }
        Ok(Ok(()))
    }

    fn send_plain(&mut self) -> io::Result<()> {
        message::write(self.out, Kind::Data, self.packer.pack(&self.plain)?)?;
        self.plain.clear();
        Ok(())
    }
}
