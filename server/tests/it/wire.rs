//! Requests and answers as plain text, to see exactly what a server sends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer, taken apart.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The header, where the answer has to have it.
    #[track_caller]
    pub(crate) fn required(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("there is no {name} in {:?}", self.headers))
    }
}

/// Sends a request without a body, `headers` each ending in `\r\n`, and reads what comes
/// until the server closes the connection.
pub(crate) fn ask(address: SocketAddr, method: &str, target: &str, headers: &str) -> Answer {
    ask_raw(address, &format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n"))
}

pub(crate) fn ask_raw(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("the head of an answer ends");
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.into()));
    Answer {
        status: status.expect("an answer has a status"),
        headers: headers.collect(),
        body: answer[end + 4..].into(),
    }
}
