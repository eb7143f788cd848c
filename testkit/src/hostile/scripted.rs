//! A server that says what a test tells it to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gosync_chunks::ByteRange;

use crate::lock::lock;

/// What separates the parts of an answer with several.
const BOUNDARY: &str = "00000000000000000042";

/// What the server was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET`, `HEAD`.
    pub method: String,
    /// Without the host.
    pub path: String,
    /// First and last byte of the range, as they were sent, if there is one range.
    pub range: Option<(usize, usize)>,
    /// All ranges.
    pub ranges: Vec<ByteRange>,
    /// The request as it was sent, in lower case.
    pub text: String,
    /// How many requests came before.
    pub number: usize,
    /// How many connections were made before the one it came on.
    pub connection: usize,
}

impl Asked {
    /// The ranges of a file of `length` bytes, without what is beyond its end.
    pub fn ranges_of(&self, length: usize) -> Vec<ByteRange> {
        let within = |range: &ByteRange| ByteRange { end: range.end.min(length as u64), ..*range };
        self.ranges.iter().map(within).filter(|range| !range.is_empty()).collect()
    }

    /// The value of a header, in lower case; its name too.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What the server says.
#[derive(Clone, Debug)]
pub struct Say {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Listen,
    HangUp,
    Reset,
    Dribble,
    Wait,
}

impl Say {
    /// A head of `status` and `headers`, each ending in `\r\n`, and a body as it is.
    pub fn raw(status: &str, headers: &str, body: &[u8]) -> Self {
        let mut bytes = format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Self { bytes, then: Then::Listen }
    }

    /// The same with a `Content-Length` that is right.
    pub fn plain(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::raw(status, &format!("{headers}Content-Length: {}\r\n", body.len()), body)
    }

    /// The same in chunks, without a length.
    pub fn chunked(status: &str, headers: &str, body: &[u8]) -> Self {
        let mut chunks = Vec::new();
        for chunk in body.chunks(10_000) {
            chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunks.extend_from_slice(chunk);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        Self::raw(status, &format!("{headers}Transfer-Encoding: chunked\r\n"), &chunks)
    }

    /// What a good server says.
    pub fn proper(asked: &Asked, data: &[u8]) -> Self {
        Self::proper_with(asked, data, "")
    }

    /// The same with more headers.
    pub fn proper_with(asked: &Asked, data: &[u8], headers: &str) -> Self {
        match asked.ranges_of(data.len()).as_slice() {
            [] if !asked.ranges.is_empty() => {
                let range = format!("Content-Range: bytes */{}\r\n", data.len());
                Self::plain("416 Range Not Satisfiable", &range, b"no\n")
            }
            _ if asked.method == "HEAD" => {
                Self::raw("200 OK", &format!("{headers}Content-Length: {}\r\n", data.len()), b"")
            }
            [] => Self::plain("200 OK", headers, data),
            [range] => Self::part(*range, data, headers),
            ranges => Self::parts(ranges, data, headers),
        }
    }

    /// One range.
    pub fn part(range: ByteRange, data: &[u8], headers: &str) -> Self {
        let (first, last) = (range.start, range.end - 1);
        let headers = format!("{headers}Content-Range: bytes {first}-{last}/{}\r\n", data.len());
        Self::plain("206 Partial Content", &headers, &data[range.start as usize..range.end as usize])
    }

    /// Several ranges, in the order given.
    pub fn parts(ranges: &[ByteRange], data: &[u8], headers: &str) -> Self {
        let mut body = Vec::new();
        for range in ranges {
            let (first, last, total) = (range.start, range.end - 1, data.len());
            let head = format!(
                "\r\n--{BOUNDARY}\r\nContent-Type: text/plain\r\nContent-Range: bytes {first}-{last}/{total}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&data[range.start as usize..range.end as usize]);
        }
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let headers = format!("{headers}Content-Type: multipart/byteranges; boundary={BOUNDARY}\r\n");
        Self::plain("206 Partial Content", &headers, &body)
    }

    /// Nothing, and the connection is closed.
    pub fn nothing() -> Self {
        Self { bytes: Vec::new(), then: Then::HangUp }
    }

    /// The connection is closed afterwards.
    pub fn and_hang_up(self) -> Self {
        Self { then: Then::HangUp, ..self }
    }

    /// Only the first `count` bytes less than all are sent.
    pub fn cut(mut self, count: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - count);
        self.and_hang_up()
    }

    /// Only the first `count` bytes of head and body are sent, then the connection is
    /// reset, or closed where this system cannot do that.
    pub fn and_reset_after(mut self, count: usize) -> Self {
        self.bytes.truncate(count);
        Self { then: Then::Reset, ..self }
    }

    /// After that come single bytes, slowly, for ever.
    pub fn and_dribble(self) -> Self {
        Self { then: Then::Dribble, ..self }
    }

    /// After that comes nothing more, for ever.
    pub fn and_wait(self) -> Self {
        Self { then: Then::Wait, ..self }
    }

    /// Replaces what was said; the new text has to be as long as the old.
    pub(super) fn replace(mut self, old: &str, new: &str) -> Self {
        let found = self.bytes.windows(old.len()).position(|window| window == old.as_bytes());
        if let Some(at) = found {
            self.bytes.splice(at..at + old.len(), new.bytes());
        }
        self
    }

    /// After something else.
    pub fn after(mut self, before: &str) -> Self {
        self.bytes.splice(..0, before.bytes());
        self
    }

    pub(super) fn then_say(mut self, more: &[u8]) -> Self {
        self.bytes.extend_from_slice(more);
        self
    }
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    /// Answers every request with what `script` returns.
    ///
    /// # Panics
    ///
    /// When this machine has no free port.
    pub fn start(script: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let script = Arc::new(script);
        let thread = thread::spawn({
            let (asked, stopped) = (Arc::clone(&asked), Arc::clone(&stopped));
            move || {
                for (connection, stream) in listener.incoming().enumerate() {
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    let Ok(stream) = stream else { continue };
                    let (asked, script, stopped) = (Arc::clone(&asked), Arc::clone(&script), Arc::clone(&stopped));
                    // Ends when the client goes away.
                    thread::spawn(move || converse(&stream, connection, &asked, &*script, &stopped));
                }
            }
        });
        Self { address, asked, stopped, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `/file`.
    pub fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn converse(
    mut stream: &TcpStream,
    connection: usize,
    asked: &Mutex<Vec<Asked>>,
    script: &dyn Fn(&Asked) -> Say,
    stopped: &AtomicBool,
) {
    let mut lines = BufReader::new(stream);
    loop {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            if lines.read_line(&mut text).unwrap_or(0) == 0 {
                return;
            }
        }
        let mut first = text.split(' ').map(str::to_owned);
        let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let text = text.to_lowercase();
        let ranges = text.lines().find_map(|line| line.strip_prefix("range: bytes=")).map_or(Vec::new(), ranges);
        let range = match ranges.as_slice() {
            [range] => Some((range.start as usize, range.end as usize - 1)),
            _ => None,
        };
        let asked = {
            let mut all = lock(asked);
            let asked = Asked { method, path, range, ranges, text, number: all.len(), connection };
            all.push(asked.clone());
            asked
        };
        let say = script(&asked);
        if stream.write_all(&say.bytes).is_err() {
            return;
        }
        match say.then {
            Then::Listen => {}
            Then::HangUp => return,
            Then::Reset => return reset(stream),
            Then::Wait => {
                while !stopped.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(5));
                }
                return;
            }
            Then::Dribble => {
                while !stopped.load(Ordering::SeqCst) && stream.write_all(b"x").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
                return;
            }
        }
    }
}

/// Of ranges without end there are none here.
fn ranges(list: &str) -> Vec<ByteRange> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-')?;
        Some(ByteRange { start: first.parse().ok()?, end: last.parse::<u64>().ok()? + 1 })
    };
    list.split(',').filter_map(|text| range(text.trim())).collect()
}

/// Makes closing the connection throw away what is under way, and say so.
fn reset(stream: &TcpStream) {
    #[cfg(unix)]
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    #[cfg(not(unix))]
    let _ = stream;
}
