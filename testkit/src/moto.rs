//! The real moto, which is an S3 server for tests.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::peers;

/// A running moto with a bucket called `bucket`, which ends when this is dropped.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    port: u16,
}

impl Moto {
    /// Listens on a free port of this machine.
    ///
    /// Where there is no moto: `None`, as with [`peers::require`].
    ///
    /// # Panics
    ///
    /// When moto does not start.
    pub fn start() -> Option<Self> {
        let program = peers::require("moto_server")?;
        // The port is free when it is chosen, and may be taken when moto comes for it.
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
            let port = listener.local_addr().expect("a bound socket has an address").port();
            drop(listener);
            let mut moto = Self { process: run(&program, port), port };
            if moto.is_up() {
                assert!(moto.ask("PUT", "/bucket").starts_with("HTTP/1.1 200 "), "moto makes no bucket");
                return Some(moto);
            }
        }
        panic!("moto does not start");
    }

    /// The settings with which object_store finds it.
    pub fn settings(&self) -> Vec<(String, String)> {
        let endpoint = format!("http://127.0.0.1:{}", self.port);
        [
            ("aws_endpoint", endpoint.as_str()),
            ("aws_region", "us-east-1"),
            ("aws_access_key_id", "key"),
            ("aws_secret_access_key", "secret"),
            ("allow_http", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Makes a request without a body, and returns the answer as it comes.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("moto listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.port
        );
        stream.write_all(request.as_bytes()).expect("moto listens");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("moto answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        // It is Python, and imports a lot.
        while start.elapsed() < Duration::from_secs(60) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

fn run(program: &Path, port: u16) -> Child {
    let mut command = Command::new(program);
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("moto can be run")
}

impl Drop for Moto {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
