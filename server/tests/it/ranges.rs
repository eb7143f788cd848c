//! Ranges, single and several, as the server sends them.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use gosync_server::RunningServer;
use gosync_testkit::corpus;
use tempfile::TempDir;

use crate::serve;
use crate::wire::{Answer, ask};

fn site(data: &[u8]) -> (TempDir, RunningServer, SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), data).unwrap();
    let server = serve(directory.path());
    let address = server.local_addr();
    (directory, server, address)
}

fn range(address: SocketAddr, range: &str) -> Answer {
    ask(address, "GET", "/file", &format!("Range: {range}\r\n"))
}

#[test]
fn single_ranges() {
    let (_directory, _server, address) = site(b"0123456789");
    for (asked, content_range, body) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=9-9", "bytes 9-9/10", "9"),
        ("bytes=8-", "bytes 8-9/10", "89"),
        ("bytes=8-100", "bytes 8-9/10", "89"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=-30", "bytes 0-9/10", "0123456789"),
        ("bytes=0-", "bytes 0-9/10", "0123456789"),
        ("bytes=3-3,20-30", "bytes 3-3/10", "3"),
    ] {
        let answer = range(address, asked);
        assert_eq!((answer.status, answer.required("content-range")), (206, content_range), "{asked}");
        assert_eq!(answer.required("content-length"), body.len().to_string(), "{asked}");
        assert_eq!(answer.body, body.as_bytes(), "{asked}");
        assert!(answer.required("etag").starts_with('"'));
    }
    for beyond in ["bytes=10-", "bytes=10-10", "bytes=-0", "bytes=20-30,40-"] {
        let answer = range(address, beyond);
        assert_eq!((answer.status, answer.required("content-range")), (416, "bytes */10"), "{beyond}");
    }
    for ignored in ["bytes=", "bytes=4-2", "bytes=x-y", "lines=0-1", "bytes=0-9,0-9"] {
        let answer = range(address, ignored);
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"0123456789".as_slice()), "{ignored}");
    }
}

#[test]
fn of_an_empty_file() {
    let (_directory, _server, address) = site(b"");
    for asked in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
        let answer = range(address, asked);
        assert_eq!((answer.status, answer.required("content-range")), (416, "bytes */0"), "{asked}");
    }
}

/// Content-Range and data of each part, taken apart by the boundary; the data here does
/// not hold it.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    assert_eq!(answer.status, 206);
    assert_eq!(answer.header("content-range"), None);
    assert_eq!(answer.required("content-length"), answer.body.len().to_string());
    let boundary = answer.required("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
    let separator = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    let mut rest = answer.body.strip_prefix(separator.as_bytes()).unwrap();
    while rest != b"--\r\n" {
        let end = rest.windows(separator.len()).position(|window| window == separator.as_bytes()).unwrap();
        let head_end = rest.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(rest[..head_end].to_vec()).unwrap();
        let content_range = head.lines().find_map(|line| line.strip_prefix("Content-Range: ")).unwrap();
        assert!(head.contains("Content-Type: application/octet-stream"), "{head}");
        parts.push((content_range.to_owned(), rest[head_end + 4..end].to_vec()));
        rest = &rest[end + separator.len()..];
    }
    parts
}

#[test]
fn several_ranges() {
    let data = corpus::random(1, 1_000_000);
    let (_directory, _server, address) = site(&data);
    let found = parts(&range(address, "bytes=0-0, 100-699999 ,-1"));
    assert_eq!(found[0], ("bytes 0-0/1000000".into(), data[..1].to_vec()));
    assert!(found[1] == ("bytes 100-699999/1000000".into(), data[100..700_000].to_vec()), "{}", found[1].0);
    assert_eq!(found[2], ("bytes 999999-999999/1000000".into(), data[999_999..].to_vec()));
    assert_eq!(found.len(), 3);
    let found = parts(&range(address, "bytes=5-6,2-3"));
    assert_eq!(
        found.iter().map(|(range, _)| range.as_str()).collect::<Vec<_>>(),
        ["bytes 5-6/1000000", "bytes 2-3/1000000"]
    );
}

#[test]
fn no_more_than_so_many() {
    let (_directory, _server, address) = site(&corpus::random(1, 10_000));
    let many = |count: usize| (0..count).map(|at| format!("{0}-{0}", at * 4)).collect::<Vec<_>>().join(",");
    assert_eq!(parts(&range(address, &format!("bytes={}", many(1024)))).len(), 1024);
    assert_eq!(range(address, &format!("bytes={}", many(1025))).status, 416);
}

#[test]
fn a_file_that_shrinks_breaks_the_connection() {
    const LENGTH: u64 = 64 << 20;
    let (directory, _server, address) = site(b"");
    let file = fs::OpenOptions::new().write(true).open(directory.path().join("file")).unwrap();
    file.set_len(LENGTH).unwrap();

    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /file HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    // More than the network has buffers for is still to be read when the file is cut.
    stream.read_exact(&mut [0; 1000]).unwrap();
    file.set_len(1000).unwrap();
    let received = std::io::copy(&mut stream, &mut std::io::sink()).unwrap_or(0);
    assert!(received < LENGTH - 1000, "{received}");
    assert_eq!(ask(address, "GET", "/file", "").body.len(), 1000, "and the next is served well");
}
