//! The body of an answer with several ranges, `multipart/byteranges` (RFC 9110, section
//! 14.6; RFC 2046, section 5.1), read as it arrives.
//!
//! The parser does no input: it is fed what has arrived, and says what that is. Bodies
//! are handed on as slices of what it was fed, and only the lines between them are kept,
//! which are bounded. Where a part ends is told by its `Content-Range` alone, so a
//! boundary that happens to be in the file does no harm.
//!
//! ```
//! use gosync_blocksources::multipart::{Event, Parser, boundary};
//!
//! let boundary = boundary("multipart/byteranges; boundary=\"x y\"").unwrap();
//! let mut parser = Parser::new(&boundary);
//! let mut input = &b"--x y\r\nContent-Range: bytes 7-9/40\r\n\r\nabc\r\n--x y--\r\n"[..];
//!
//! let Some(Event::Part { range, total }) = parser.next(&mut input)? else { panic!() };
//! assert_eq!((range.start, range.end, total), (7, 10, Some(40)));
//! assert_eq!(parser.next(&mut input)?, Some(Event::Body(b"abc")));
//! assert_eq!(parser.next(&mut input)?, Some(Event::End));
//! # Ok::<(), gosync_blocksources::multipart::MultipartError>(())
//! ```

use gosync_chunks::ByteRange;

pub use super::content_range::ContentRange;

/// Bytes of lines before a part's body, and before the first part.
const MOST_HEAD: usize = 8 << 10;

/// RFC 2046 allows 70 characters; some programs take more.
const MOST_BOUNDARY: usize = 200;

/// What was found in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part begins.
    Part {
        /// The bytes of the file that it brings.
        range: ByteRange,
        /// Length of the whole file in bytes, if the part tells it.
        total: Option<u64>,
    },
    /// The next bytes of the part that began last; never empty.
    Body(&'a [u8]),
    /// The last part is over; what follows means nothing.
    End,
}

/// Why bytes are no `multipart/byteranges`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// More lines between bodies than anyone needs.
    #[error("the head of a part has more than {MOST_HEAD} bytes")]
    LongHead,
    /// A part without `Content-Range`, or with one that makes no sense.
    #[error("a part does not tell which range it is")]
    NoRange,
    /// A part's body is longer or shorter than its range.
    #[error("a part is not as long as the range that it is said to be")]
    Length,
}

/// The `boundary` parameter of a `Content-Type`, if that is `multipart/byteranges` and
/// has a usable one.
pub fn boundary(content_type: &str) -> Option<String> {
    let (media_type, mut parameters) = content_type.split_once(';')?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/byteranges") {
        return None;
    }
    loop {
        let (name, rest) = parameters.split_once('=')?;
        let rest = rest.trim_start();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
                (value.trim().to_owned(), rest)
            }
        };
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case("boundary") {
            let fits = (1..=MOST_BOUNDARY).contains(&value.len()) && !value.contains(['\r', '\n']);
            return fits.then_some(value);
        }
        parameters = rest;
    }
}

/// What stands before the closing quotation mark, and what behind it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// Reads a `multipart/byteranges` body.
#[derive(Clone, Debug)]
pub struct Parser {
    /// With the two dashes before it.
    delimiter: Vec<u8>,
    state: State,
    /// The line that has begun.
    line: Vec<u8>,
    /// Bytes of lines since the last body.
    head: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first part, where anything may stand.
    Preamble,
    Head {
        found: Option<(ByteRange, Option<u64>)>,
    },
    Body {
        left: u64,
    },
    /// Behind a body, where only a delimiter may stand.
    Between,
    Epilogue,
}

impl Parser {
    /// A parser for parts that are kept apart by `boundary`.
    pub fn new(boundary: &str) -> Self {
        let delimiter = format!("--{boundary}").into_bytes();
        Self { delimiter, state: State::Preamble, line: Vec::new(), head: 0 }
    }

    /// Says what `input` begins with, and moves it on. `None` when `input` is used up
    /// and more is needed.
    ///
    /// # Errors
    ///
    /// When it is no `multipart/byteranges`. The parser is of no use then.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, MultipartError> {
        while !input.is_empty() {
            match self.state {
                State::Body { left } => {
                    let here = left.min(input.len() as u64);
                    let (body, rest) = input.split_at(here as usize);
                    *input = rest;
                    self.head = 0;
                    self.state = if here == left { State::Between } else { State::Body { left: left - here } };
                    return Ok(Some(Event::Body(body)));
                }
                State::Epilogue => *input = &[],
                _ => {
                    let Some(event) = self.take_line(input)? else { continue };
                    return Ok(Some(event));
                }
            }
        }
        Ok(None)
    }

    /// Whether the closing delimiter has come.
    pub fn is_over(&self) -> bool {
        self.state == State::Epilogue
    }

    /// Takes a line, or as much of it as there is.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<Option<Event<'static>>, MultipartError> {
        let length = input.iter().position(|&byte| byte == b'\n').map_or(input.len(), |at| at + 1);
        let (begun, rest) = input.split_at(length.min(MOST_HEAD - self.head));
        self.line.extend_from_slice(begun);
        self.head += begun.len();
        *input = rest;
        // The end may come without a line end.
        let is_line = self.line.ends_with(b"\n") || (self.expects_delimiter() && self.closes());
        if !is_line {
            // What can be no delimiter any more need not come to its end.
            return match self.state {
                State::Between if !self.may_be_delimiter() => Err(MultipartError::Length),
                _ if begun.len() < length => Err(MultipartError::LongHead),
                _ => Ok(None),
            };
        }
        let event = self.line();
        self.line.clear();
        event
    }

    /// Understands a line that has come whole.
    fn line(&mut self) -> Result<Option<Event<'static>>, MultipartError> {
        let line = trimmed(&self.line);
        if let State::Head { found } = &mut self.state {
            if !line.is_empty() {
                if let Some(range) = content_range(line)? {
                    if found.is_some_and(|found| found != range) {
                        return Err(MultipartError::NoRange);
                    }
                    *found = Some(range);
                }
                return Ok(None);
            }
            let (range, total) = found.ok_or(MultipartError::NoRange)?;
            self.state = State::Body { left: range.len() };
            return Ok(Some(Event::Part { range, total }));
        }
        if self.closes() {
            self.state = State::Epilogue;
            return Ok(Some(Event::End));
        }
        if line == self.delimiter {
            self.state = State::Head { found: None };
            self.head = 0;
        } else if self.state == State::Between && !line.is_empty() {
            return Err(MultipartError::Length);
        }
        Ok(None)
    }

    fn expects_delimiter(&self) -> bool {
        matches!(self.state, State::Preamble | State::Between)
    }

    fn closes(&self) -> bool {
        self.line.strip_prefix(self.delimiter.as_slice()).is_some_and(|rest| rest.starts_with(b"--"))
    }

    /// Whether the line that has begun may become a delimiter, or an empty line before one.
    fn may_be_delimiter(&self) -> bool {
        let shorter = self.line.len().min(self.delimiter.len());
        trimmed(&self.line).is_empty() || self.line[..shorter] == self.delimiter[..shorter]
    }
}

/// Without the line end and spaces before it.
fn trimmed(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !b" \t\r\n".contains(byte)).map_or(0, |last| last + 1);
    &line[..end]
}

/// What the header says, if it is the one that counts.
fn content_range(line: &[u8]) -> Result<Option<(ByteRange, Option<u64>)>, MultipartError> {
    let Some(colon) = line.iter().position(|&byte| byte == b':') else { return Ok(None) };
    if !line[..colon].eq_ignore_ascii_case(b"content-range") {
        return Ok(None);
    }
    match std::str::from_utf8(&line[colon + 1..]).ok().and_then(ContentRange::parse) {
        Some(ContentRange::Satisfied { range, total }) => Ok(Some((range, total))),
        _ => Err(MultipartError::NoRange),
    }
}

#[cfg(test)]
mod tests;
