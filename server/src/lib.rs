//! A static file server that understands ranges: what a client of ranges needs at the other end.
//!
//! It serves the files beneath a directory by GET and HEAD, with validators, conditional
//! requests and single and multiple ranges (RFC 9110), and lists directories that have no
//! `index.html`. Files of a publication have a `Cache-Control`. It is made for local networks, demonstrations and tests; there is no TLS
//! and no access control.
//!
//! ```
//! use gosync_server::Server;
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! # let directory = tempfile::tempdir()?;
//! # std::fs::write(directory.path().join("file"), b"0123456789")?;
//! let server = Server::bind(directory.path(), "127.0.0.1:0".parse()?)?.spawn()?;
//!
//! let mut client = TcpStream::connect(server.local_addr())?;
//! client.write_all(b"GET /file HTTP/1.1\r\nHost: test\r\nRange: bytes=2-4\r\nConnection: close\r\n\r\n")?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 206 ") && answer.ends_with("\r\n\r\n234"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//!
//! HTTP/1.1 only. At most 512 connections are served at a time, and one whose client takes next to
//! nothing for a minute is ended. A file is sent as it is on disk: nothing is compressed, and a file that
//! shrinks while it is sent breaks its connection. Symbolic links are followed only where
//! they lead to something beneath the served directory.

mod access;
mod answer;
mod body;
mod conditions;
mod listing;
mod names;
mod patient;
mod platform;
mod publication;
mod range_header;
mod site;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};

pub use access::AccessRecord;

use access::AccessLog;
use patient::Patient;
use site::Site;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// How long a client may take to send a request, keep a connection without one, or take nothing of
/// an answer.
const IDLE: Duration = Duration::from_secs(60);

/// How many connections there are at a time.
const CONNECTIONS: usize = 512;

/// Threads that wait for the disk.
const DISK_THREADS: usize = 8;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The directory to serve cannot be opened.
    #[error("cannot serve {path}")]
    Root {
        /// The directory.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The system gives no thread or no event queue.
    #[error("cannot start the server")]
    Start(#[source] io::Error),
}

/// A server that listens, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Site,
    log: AccessLog,
    idle: Duration,
    connections: usize,
}

impl Server {
    /// Listens on `address` (port 0: any that is free) to serve what is beneath `root`.
    ///
    /// # Errors
    ///
    /// When `root` is not a directory or `address` is taken.
    pub fn bind(root: &Path, address: SocketAddr) -> Result<Self, ServerError> {
        let site = Site::new(root).map_err(|source| ServerError::Root { path: root.to_owned(), source })?;
        let listen = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        };
        let (address, listener) = listen().map_err(|source| ServerError::Bind { address, source })?;
        Ok(Self { listener, address, site, log: AccessLog::default(), idle: IDLE, connections: CONNECTIONS })
    }

    /// Calls `log` for every request, when its answer begins.
    pub fn with_access_log(self, log: impl Fn(&AccessRecord) + Send + Sync + 'static) -> Self {
        Self { log: AccessLog::new(log), ..self }
    }

    /// Ends connections whose client for so long sends no request, or takes nothing of an answer;
    /// 60 seconds where nobody says otherwise.
    pub fn with_patience(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Serves at most so many connections at a time, and has the others wait; 512 where nobody says
    /// otherwise.
    pub fn with_connections(self, connections: usize) -> Self {
        Self { connections: connections.max(1), ..self }
    }

    /// Where the server listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the directory, without a slash at its end.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Serves on the current thread, for as long as the process lives.
    ///
    /// # Errors
    ///
    /// When the system gives no event queue.
    pub fn run(self) -> Result<(), ServerError> {
        runtime()?.block_on(self.accept()).map_err(ServerError::Start)
    }

    /// Serves on a thread of its own.
    ///
    /// # Errors
    ///
    /// When the system gives no thread or no event queue.
    pub fn spawn(self) -> Result<RunningServer, ServerError> {
        let runtime = runtime()?;
        let address = self.address;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("gosync-server".into())
            .spawn(move || {
                runtime.spawn(self.accept());
                // Whether told to stop or left alone: both mean the end. It takes the
                // connections along.
                let _ = runtime.block_on(stopped);
            })
            .map_err(ServerError::Start)?;
        Ok(RunningServer { address, stop: Some(stop), thread: Some(thread) })
    }

    async fn accept(self) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let site = Arc::new(self.site);
        let (idle, free) = (self.idle, Arc::new(Semaphore::new(self.connections)));
        loop {
            // It is never closed.
            let Ok(place) = Arc::clone(&free).acquire_owned().await else { return Ok(()) };
            let Ok((stream, peer)) = listener.accept().await else {
                // Out of file descriptors, most likely: some will be free again soon.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // A hint for speed; without it all works the same.
            let _ = stream.set_nodelay(true);
            let (site, log) = (Arc::clone(&site), self.log.clone());
            let service = service_fn(move |request| {
                let (site, log) = (Arc::clone(&site), log.clone());
                async move { Ok::<_, io::Error>(answer::answer(site, &log, peer, request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(idle)
                .serve_connection(TokioIo::new(Patient::new(stream, idle)), service);
            // A connection that breaks is its client's concern.
            tokio::spawn(async move {
                drop(connection.await);
                drop(place);
            });
        }
    }
}

/// A server on a thread of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RunningServer {
    /// Where the server listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the directory, without a slash at its end.
    pub fn url(&self) -> String {
        url(self.address)
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked has ended too.
            let _ = thread.join();
        }
    }
}

fn runtime() -> Result<Runtime, ServerError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(DISK_THREADS)
        .build()
        .map_err(ServerError::Start)
}

fn url(mut address: SocketAddr) -> String {
    // "All addresses" is none to connect to.
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        });
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_can_be_connected_to() {
        for (address, expected) in [
            ("127.0.0.1:80", "http://127.0.0.1:80"),
            ("0.0.0.0:8730", "http://127.0.0.1:8730"),
            ("[::]:1", "http://[::1]:1"),
        ] {
            assert_eq!(url(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn only_directories_and_free_addresses() {
        let directory = tempfile::tempdir().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(Server::bind(&file, any), Err(ServerError::Root { .. })));
        assert!(matches!(Server::bind(&directory.path().join("none"), any), Err(ServerError::Root { .. })));
        let server = Server::bind(directory.path(), any).unwrap();
        let taken = Server::bind(directory.path(), server.local_addr());
        assert!(matches!(taken, Err(ServerError::Bind { .. })));
    }
}
