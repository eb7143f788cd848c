//! Reading the commands of a delta.

use crate::encode::{COPY, END, LITERAL, MAGIC, RESERVED, SHORT_LITERAL};
use crate::error::{Error, Stream};

/// What a delta says to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// A literal of so many bytes follows.
    Literal {
        /// Its length.
        len: u64,
    },
    /// Write these bytes, which are a part of the literal.
    Bytes(&'a [u8]),
    /// Copy so many bytes of the basis.
    Copy {
        /// Where they begin, in bytes from its start.
        position: u64,
        /// How many there are.
        len: u64,
    },
    /// That was all.
    End,
}

/// Reads a delta that comes in pieces, without reading or writing anything else.
///
/// ```
/// use gosync_librsync::{Command, CommandReader};
///
/// let mut reader = CommandReader::default();
/// let mut input = b"rs\x026\x03abc\x45\x07\x09\0".as_slice();
/// assert_eq!(reader.next(&mut input)?, Some(Command::Literal { len: 3 }));
/// assert_eq!(reader.next(&mut input)?, Some(Command::Bytes(b"abc")));
/// assert_eq!(reader.next(&mut input)?, Some(Command::Copy { position: 7, len: 9 }));
/// assert_eq!(reader.next(&mut input)?, Some(Command::End));
/// # Ok::<(), gosync_librsync::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct CommandReader {
    /// A command that has not all come yet; before the first one, the magic.
    rest: Vec<u8>,
    has_begun: bool,
    is_over: bool,
    /// Bytes of a literal that are still to come.
    literal: u64,
}

impl CommandReader {
    /// The next command in `input`, or `None` where it ends before; what was read is cut
    /// off.
    ///
    /// # Errors
    ///
    /// When the bytes are no delta. Those behind its end are let be, as librsync does.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Command<'a>>, Error> {
        if !self.has_begun {
            if !self.fill(input, 4) {
                return Ok(None);
            }
            let magic = number(&self.rest) as u32;
            if magic != MAGIC {
                return Err(Error::Magic { stream: Stream::Delta, magic });
            }
            self.rest.clear();
            self.has_begun = true;
        }
        if self.literal > 0 {
            let len = usize::try_from(self.literal).unwrap_or(usize::MAX).min(input.len());
            let (bytes, left) = input.split_at(len);
            *input = left;
            self.literal -= len as u64;
            return Ok((len > 0).then_some(Command::Bytes(bytes)));
        }
        if self.is_over || !self.fill(input, 1) {
            return Ok(None);
        }
        let operation = self.rest[0];
        let (position_len, len_len) = match operation {
            ..LITERAL => (0, 0),
            LITERAL..COPY => (0, 1 << (operation - LITERAL)),
            COPY..RESERVED => (1 << ((operation - COPY) / 4), 1 << ((operation - COPY) % 4)),
            RESERVED.. => return Err(Error::corrupt(Stream::Delta, format!("there is no command {operation:#04x}"))),
        };
        if !self.fill(input, 1 + position_len + len_len) {
            return Ok(None);
        }
        let (position, len) = self.rest[1..].split_at(position_len);
        let (position, len) =
            (number(position), if operation <= SHORT_LITERAL { operation.into() } else { number(len) });
        self.rest.clear();
        if operation == END {
            self.is_over = true;
            return Ok(Some(Command::End));
        }
        // librsync's numbers have a sign; a copy of nothing hung it before 2.3.2.
        if len == 0 || i64::try_from(len).is_err() || position.checked_add(len).is_none_or(|end| end > i64::MAX as u64)
        {
            return Err(Error::corrupt(Stream::Delta, format!("a command has {len} bytes from {position} on")));
        }
        if operation < COPY {
            self.literal = len;
            return Ok(Some(Command::Literal { len }));
        }
        Ok(Some(Command::Copy { position, len }))
    }

    /// Whether the end was read, as it has to be in a delta that is all there.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Moves bytes from `input` to what was read of a command until it has `len`, and tells
    /// whether it does.
    fn fill(&mut self, input: &mut &[u8], len: usize) -> bool {
        let (taken, left) = input.split_at(input.len().min(len.saturating_sub(self.rest.len())));
        self.rest.extend_from_slice(taken);
        *input = left;
        self.rest.len() >= len
    }
}

/// A big-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
