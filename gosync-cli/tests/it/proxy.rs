//! A line to a server: thin, cut off or noisy, as a test needs it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Serving;

/// What the line does to what comes from the server.
#[derive(Clone, Copy, Default)]
pub(crate) struct Line {
    /// Bytes in a second, over all connections.
    pub(crate) rate: Option<u64>,
    /// Nothing comes through after so many bytes.
    pub(crate) stalls_after: Option<u64>,
    /// All connections break after so many bytes, and no new one comes about.
    pub(crate) breaks_after: Option<u64>,
    /// One byte comes wrong, after so many bytes.
    pub(crate) flips_after: Option<u64>,
}

/// Passes everything on to a server, and counts.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    line: Line,
    /// Bytes that came from the server.
    passed: AtomicU64,
    /// The ranges asked for.
    ranges: Mutex<Vec<Range<u64>>>,
    /// When the line is free again.
    free: Mutex<Instant>,
}

/// Bytes passed on at once.
const PIECE: usize = 16 << 10;

impl Proxy {
    pub(crate) fn new(server: &Serving, line: Line) -> Self {
        let address = server.url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server: address,
            line,
            passed: AtomicU64::new(0),
            ranges: Mutex::default(),
            free: Mutex::new(Instant::now()),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                accepting.clone().connect(client);
            }
        });
        Self { url, shared }
    }

    pub(crate) fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// The ranges asked for since this was called last.
    pub(crate) fn take_ranges(&self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.shared.ranges.lock().unwrap())
    }
}

impl Shared {
    fn connect(self: Arc<Self>, client: TcpStream) {
        if self.is_broken() {
            return;
        }
        let Ok(server) = TcpStream::connect(self.server) else { return };
        let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = self.clone();
        thread::spawn(move || up.pass_up(from_client, to_server));
        thread::spawn(move || {
            let _ = self.pass_down(&server, &client);
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        });
    }

    fn pass_up(&self, mut client: TcpStream, mut server: TcpStream) {
        let (mut buffer, mut head) = ([0; PIECE], String::new());
        while let Ok(read @ 1..) = client.read(&mut buffer) {
            head += &String::from_utf8_lossy(&buffer[..read]).to_lowercase();
            while let Some((line, rest)) = head.split_once("\r\n") {
                let ranges = line.strip_prefix("range: bytes=").unwrap_or("").split(',');
                let ranges = ranges.filter_map(|range| range.trim().split_once('-'));
                let ranges = ranges.map(|(start, last)| start.parse().unwrap()..last.parse::<u64>().unwrap() + 1);
                self.ranges.lock().unwrap().extend(ranges);
                head = rest.to_owned();
            }
            if server.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }

    fn pass_down(&self, mut server: &TcpStream, mut client: &TcpStream) -> std::io::Result<()> {
        let mut buffer = [0; PIECE];
        loop {
            let read = server.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            self.wait_for_line(read);
            let before = self.passed.fetch_add(read as u64, Ordering::SeqCst);
            let after = before + read as u64;
            while self.line.stalls_after.is_some_and(|limit| after > limit) {
                thread::sleep(Duration::from_secs(600));
            }
            if self.is_broken() {
                return Ok(());
            }
            if self.line.flips_after.is_some_and(|limit| (before..after).contains(&limit)) {
                // The head of an answer is at the beginning.
                buffer[read - 1] ^= 1;
            }
            client.write_all(&buffer[..read])?;
        }
    }

    fn is_broken(&self) -> bool {
        self.line.breaks_after.is_some_and(|limit| self.passed.load(Ordering::SeqCst) > limit)
    }

    fn wait_for_line(&self, bytes: usize) {
        let Some(rate) = self.line.rate else { return };
        let until = {
            let mut free = self.free.lock().unwrap();
            *free = Instant::now().max(*free) + Duration::from_secs_f64(bytes as f64 / rate as f64);
            *free
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}
