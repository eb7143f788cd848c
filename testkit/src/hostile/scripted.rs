//! A server that says what a test tells it to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// First and last byte of the range, as they were sent.
    pub(crate) range: Option<(usize, usize)>,
    /// The request as it was sent, in lower case.
    pub(crate) text: String,
    /// How many requests came before.
    pub(crate) number: usize,
    /// How many connections were made before the one it came on.
    pub(crate) connection: usize,
}

/// What the server says.
pub(crate) struct Say {
    bytes: Vec<u8>,
    /// Whether to close the connection afterwards.
    hang_up: bool,
}

impl Say {
    /// A head of `status` and `headers`, each ending in `\r\n`, and a body as it is.
    pub(crate) fn raw(status: &str, headers: &str, body: &[u8]) -> Self {
        let mut bytes = format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Self { bytes, hang_up: false }
    }

    /// The same with a `Content-Length` that is right.
    pub(crate) fn plain(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::raw(status, &format!("{headers}Content-Length: {}\r\n", body.len()), body)
    }

    /// What a good server says.
    pub(crate) fn proper(asked: &Asked, data: &[u8]) -> Self {
        let length = data.len();
        match asked.range {
            _ if asked.method == "HEAD" => Self::raw("200 OK", &format!("Content-Length: {length}\r\n"), b""),
            Some((first, last)) => {
                let headers = format!("Content-Range: bytes {first}-{last}/{length}\r\n");
                Self::plain("206 Partial Content", &headers, &data[first..=last])
            }
            None => Self::plain("200 OK", "", data),
        }
    }

    pub(crate) fn and_hang_up(self) -> Self {
        Self { hang_up: true, ..self }
    }

    /// Only the first `count` bytes less than all are sent.
    pub(crate) fn cut(mut self, count: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - count);
        self.and_hang_up()
    }

    pub(crate) fn nothing() -> Self {
        Self { bytes: Vec::new(), hang_up: true }
    }
}

pub(crate) struct Scripted {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    /// Answers every request with what `script` returns.
    pub(crate) fn start(script: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
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
                    let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
                    // Ends when the client goes away.
                    thread::spawn(move || converse(stream.unwrap(), connection, &asked, &*script));
                }
            }
        });
        Self { address, asked, stopped, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
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

fn converse(stream: TcpStream, connection: usize, asked: &Mutex<Vec<Asked>>, script: &dyn Fn(&Asked) -> Say) {
    let mut lines = BufReader::new(&stream);
    loop {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            if lines.read_line(&mut text).unwrap_or(0) == 0 {
                return;
            }
        }
        let mut first = text.split(' ').map(str::to_owned);
        let (method, path) = (first.next().unwrap(), first.next().unwrap());
        let text = text.to_lowercase();
        let range = text.lines().find_map(|line| {
            let (first, last) = line.strip_prefix("range: bytes=")?.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        let asked = {
            let mut all = asked.lock().unwrap();
            let asked = Asked { method, path, range, text, number: all.len(), connection };
            all.push(asked.clone());
            asked
        };
        let say = script(&asked);
        if (&stream).write_all(&say.bytes).is_err() || say.hang_up {
            return;
        }
    }
}
