//! The heads of answers, as the client can read them.

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// A head that is longer is refused.
const MOST_HEAD: usize = 96 << 10;

/// Headers that are passed on, besides those that say what a body is.
const MOST_HEADERS: usize = 100;

/// What the client cannot do without.
const NEEDED: [&str; 12] = [
    "accept-ranges",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "transfer-encoding",
];

/// Gives connections over which heads come tidied up: without folded lines, spaces before colons,
/// lines that are no headers, more headers than the client has room for, and answers that are
/// only announced. Other clients take all of that, so there are servers that send it.
#[derive(Debug)]
pub(super) struct TidyHeads {
    /// Whether connections to the proxy come through here too. There TLS follows.
    pub(super) is_behind_tunnel: bool,
}

impl<In: Transport> Connector<In> for TidyHeads {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(inner) = chained else { return Ok(None) };
        Ok(Some(match self.is_behind_tunnel && details.config.proxy().is_none() {
            true => inner.boxed(),
            false => Tidied { inner: inner.boxed(), head: None }.boxed(),
        }))
    }
}

#[derive(Debug)]
struct Tidied {
    inner: Box<dyn Transport>,
    /// From a request on until the head of its answer was read.
    head: Option<Head>,
}

#[derive(Debug, Default)]
struct Head {
    /// Empty until it has come.
    bytes: Vec<u8>,
    used: usize,
    /// Whether it was looked at, and not understood.
    is_refused: bool,
}

impl Transport for Tidied {
    fn buffers(&mut self) -> &mut dyn Buffers {
        if self.head.is_some() { self } else { self.inner.buffers() }
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.head = Some(Head::default());
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let Some(head) = &mut self.head else { return self.inner.await_input(timeout) };
        if head.is_refused {
            return Ok(false);
        }
        loop {
            let has_come = self.inner.maybe_await_input(timeout)?;
            let buffers = self.inner.buffers();
            let input = buffers.input();
            if let Some((length, bytes)) = tidy(input) {
                buffers.input_consume(length);
                if bytes.is_empty() {
                    continue;
                }
                *head = Head { bytes, ..Head::default() };
                return Ok(true);
            }
            if input.len() > MOST_HEAD {
                return Err(Error::LargeResponseHeader(input.len(), MOST_HEAD));
            }
            if !has_come {
                return Ok(false);
            }
            // It is not enough.
            buffers.input_consume(0);
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// While a head is awaited or there. Requests are written past it.
impl Buffers for Tidied {
    fn output(&mut self) -> &mut [u8] {
        self.inner.buffers().output()
    }

    fn input(&self) -> &[u8] {
        self.head.as_ref().map_or(&[], |head| &head.bytes[head.used..])
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        if let Some(head) = &mut self.head {
            head.used += amount;
            head.is_refused = amount == 0 && !head.bytes.is_empty();
            // What follows is the body.
            if amount > 0 && head.used >= head.bytes.len() {
                self.head = None;
            }
        }
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.inner.buffers().tmp_and_output()
    }

    fn can_use_input(&self) -> bool {
        !self.input().is_empty() && !self.head.as_ref().is_some_and(|head| head.is_refused)
    }
}

/// How long the head is that `input` begins with, and what to make of it; nothing of an answer
/// that only says that another follows. `None` where it has not come whole.
fn tidy(input: &[u8]) -> Option<(usize, Vec<u8>)> {
    let mut lines = input.split_inclusive(|&byte| byte == b'\n').take_while(|line| line.ends_with(b"\n"));
    let mut length = 0;
    let mut next = || {
        let line = lines.next()?;
        length += line.len();
        Some(line.trim_ascii_end())
    };
    // An answer before this one may have ended with lines too many.
    let status = std::iter::from_fn(&mut next).find(|line| !line.is_empty())?;
    if !status.starts_with(b"HTTP/") {
        return Some((input.len(), input.to_vec()));
    }
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut is_header = false;
    loop {
        let line = next()?;
        match line {
            [] => break,
            // The value of the header before goes on.
            [b' ' | b'\t', ..] => {
                if let Some((_, value)) = headers.last_mut().filter(|_| is_header) {
                    value.push(b' ');
                    value.extend_from_slice(line.trim_ascii());
                }
            }
            _ => {
                let header = header(line);
                is_header = header.is_some();
                headers.extend(header);
            }
        }
    }
    let is_interim =
        status.split(|&byte| byte == b' ').nth(1).is_some_and(|code| code.starts_with(b"1") && code != b"101");
    Some((length, if is_interim { Vec::new() } else { written(status, &headers) }))
}

/// Name and value, where the line has them.
fn header(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = str::from_utf8(line[..colon].trim_ascii_end()).ok()?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (!name.is_empty() && name.chars().all(is_token))
        .then(|| (name.to_ascii_lowercase(), line[colon + 1..].trim_ascii().to_vec()))
}

fn written(status: &[u8], headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [status, b"\r\n"].concat();
    let mut others = 0;
    for (at, (name, value)) in headers.iter().enumerate() {
        let is_needed = NEEDED.contains(&name.as_str());
        // The same length said twice is that length.
        let is_repeated = is_needed && headers[..at].contains(&headers[at]);
        others += usize::from(!is_needed);
        if is_repeated || (!is_needed && others > MOST_HEADERS) || value.iter().any(|&byte| is_forbidden(byte)) {
            continue;
        }
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// What a value cannot have.
fn is_forbidden(byte: u8) -> bool {
    byte != b'\t' && byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_heads() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\na: b\r\n\r\n"),
            ("HTTP/1.1 200 OK\nA:b\n\n", "HTTP/1.1 200 OK\r\na: b\r\n\r\n"),
            ("\r\n\nHTTP/1.1 200\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            (
                "HTTP/1.1 200 OK\r\nA: one,\r\n two,\r\n\tthree\r\nB : c\r\n\r\n",
                "HTTP/1.1 200 OK\r\na: one, two, three\r\nb: c\r\n\r\n",
            ),
            (
                "HTTP/1.1 200 OK\r\n folded\r\nno header\r\n folded\r\n: x\r\nA b: c\r\n d\r\nE: f\r\n\r\n",
                "HTTP/1.1 200 OK\r\ne: f\r\n\r\n",
            ),
            ("HTTP/1.1 200 OK\r\nA: \u{1}\r\nB: \u{dc}\tx\r\n\r\n", "HTTP/1.1 200 OK\r\nb: \u{dc}\tx\r\n\r\n"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\nX: 1\r\nX: 1\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: 1\r\nx: 1\r\n\r\n",
            ),
            ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", ""),
            ("HTTP/1.1 100\r\nA: b\r\n\r\n", ""),
            ("HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n"),
        ] {
            let (length, tidied) = tidy(&[head.as_bytes(), b"body\n\n"].concat()).unwrap();
            assert_eq!((length, str::from_utf8(&tidied)), (head.len(), Ok(expected)), "{head:?}");
            for end in 0..head.len() {
                assert_eq!(tidy(&head.as_bytes()[..end]), None, "{head:?}");
            }
        }
        assert_eq!(tidy(b"nonsense\n"), Some((9, b"nonsense\n".to_vec())));
    }

    #[test]
    fn many_headers() {
        let others: String = (0..500).map(|number| format!("X-Trace-{number}: y\r\n")).collect();
        let head = format!("HTTP/1.1 206 OK\r\n{others}Content-Range: bytes 0-0/1\r\nETag: \"x\"\r\n\r\n");
        let (length, tidied) = tidy(head.as_bytes()).unwrap();
        let tidied = String::from_utf8(tidied).unwrap();
        assert_eq!((length, tidied.lines().count()), (head.len(), 1 + MOST_HEADERS + 2 + 1));
        assert!(tidied.contains("\r\ncontent-range: bytes 0-0/1\r\netag: \"x\"\r\n"));
    }
}
