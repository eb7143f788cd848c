//! Messages: a kind, a length and a body.

use std::io::{self, Read, Write};

/// Bytes of a body, at most.
pub(crate) const LONGEST: usize = 1 << 20;

/// Bytes before a body.
pub(crate) const HEAD: usize = 4;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What is wanted.
    Open = 1,
    /// Ranges that are wanted.
    Read = 2,
    /// That nothing more is.
    Done = 3,
    /// That what is offered is wanted.
    Want = 4,
    /// What became of it.
    Report = 5,
    /// What there is.
    Opened = 0x11,
    /// Bytes that were asked for.
    Data = 0x12,
    /// That both sides have the same.
    Same = 0x13,
    /// That something cannot be had.
    Refused = 0x14,
    /// That work is being done.
    Working = 0x15,
}

impl Kind {
    /// The kind of a message, and the most bytes that its body may have.
    fn of(byte: u8) -> Option<(Self, usize)> {
        Some(match byte {
            1 => (Self::Open, LONGEST),
            2 => (Self::Read, LONGEST),
            3 => (Self::Done, 0),
            4 => (Self::Want, 0),
            5 => (Self::Report, 4 << 10),
            0x11 => (Self::Opened, LONGEST),
            0x12 => (Self::Data, LONGEST),
            0x13 => (Self::Same, 0),
            0x14 => (Self::Refused, 4 << 10),
            0x15 => (Self::Working, 0),
            _ => return None,
        })
    }
}

/// Why a conversation cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// A stream failed, or ended.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The other side does not keep to the protocol.
    #[error("{0}")]
    Violation(&'static str),
}

impl From<&'static str> for Broken {
    fn from(what: &'static str) -> Self {
        Self::Violation(what)
    }
}

/// Writes a message. It is not flushed.
pub(crate) fn write(out: &mut dyn Write, kind: Kind, body: &[u8]) -> io::Result<()> {
    debug_assert!(body.len() <= LONGEST);
    let [a, b, c, _] = (body.len() as u32).to_le_bytes();
    out.write_all(&[kind as u8, a, b, c])?;
    out.write_all(body)
}

/// Reads a message.
pub(crate) fn read(input: &mut dyn Read) -> Result<(Kind, Vec<u8>), Broken> {
    let mut head = [0; HEAD];
    input.read_exact(&mut head)?;
    let [kind, a, b, c] = head;
    let (kind, most) = Kind::of(kind).ok_or("it sends a message of a kind that there is not")?;
    let len = u32::from_le_bytes([a, b, c, 0]) as usize;
    if len > most {
        return Err("it sends a message that is longer than one of its kind may be".into());
    }
    let mut body = Vec::new();
    // Memory follows what arrives.
    if input.take(len as u64).read_to_end(&mut body)? < len {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok((kind, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_and_is_bounded() {
        for (kind, body) in
            [(Kind::Open, &b"body"[..]), (Kind::Data, &[7; LONGEST]), (Kind::Done, b""), (Kind::Refused, b"x")]
        {
            let mut out = Vec::new();
            write(&mut out, kind, body).unwrap();
            assert_eq!(out.len(), HEAD + body.len());
            let (read_kind, read_body) = read(&mut &*out).unwrap();
            assert!(read_kind == kind && read_body == body);
            assert!(matches!(read(&mut &out[..out.len() - 1]), Err(Broken::Io(_))));
        }
        for head in [
            [0, 0, 0, 0],
            [6, 0, 0, 0],
            [3, 1, 0, 0],
            [4, 1, 0, 0],
            [5, 1, 16, 0],
            [0x13, 1, 0, 0],
            [0x14, 1, 16, 0],
            [1, 1, 0, 16],
            [0xff; 4],
        ] {
            let bytes = [&head[..], &[0; 2 << 20]].concat();
            assert!(matches!(read(&mut &*bytes), Err(Broken::Violation(_))), "{head:?}");
        }
    }
}
