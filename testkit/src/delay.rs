//! A line that is far longer than it looks.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Stands before a server and delays all bytes in both directions, as a long line does:
/// what is sent later arrives later, but nothing waits for anything else. It ends when
/// this is dropped.
#[derive(Debug)]
pub struct Delay {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Delay {
    /// Delays what goes to and comes from `server` by half of `round_trip` each; to
    /// connect takes one too.
    ///
    /// # Panics
    ///
    /// When this machine has no free port.
    pub fn start(server: SocketAddr, round_trip: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let stopped = Arc::clone(&stopped);
            move || {
                for client in listener.incoming() {
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    if let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) {
                        connect(&client, &server, round_trip);
                    }
                }
            }
        });
        Self { address, stopped, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn connect(client: &TcpStream, server: &TcpStream, round_trip: Duration) {
    let open = Instant::now() + round_trip;
    for (from, to) in [(client, server), (server, client)] {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
        let _ = to.set_nodelay(true);
        thread::spawn(move || carry(from, to, open, round_trip / 2));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, open: Instant, delay: Duration) {
    let (send, arrive) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (due, bytes) in arrive {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if send.send((Instant::now().max(open) + delay, buffer[..read].to_vec())).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_its_time_and_no_more() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let delay = Delay::start(server.local_addr().unwrap(), Duration::from_millis(60));
        let start = Instant::now();
        let mut client = TcpStream::connect(delay.address()).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        client.write_all(b"ping").unwrap();
        let mut four = [0; 4];
        accepted.read_exact(&mut four).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(90), "connecting, and one way");
        accepted.write_all(b"pong").unwrap();
        client.read_exact(&mut four).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(120) && four == *b"pong");
        drop(client);
        assert_eq!(accepted.read(&mut four).unwrap(), 0, "the end arrives too");
    }
}
