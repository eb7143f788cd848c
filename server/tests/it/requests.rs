//! Files, directories and what is refused.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use gosync_server::{RunningServer, Server};
use gosync_testkit::corpus;
use tempfile::TempDir;

use crate::serve;
use crate::wire::{ask, ask_raw};

/// `root/file` holds ten digits.
fn site() -> (TempDir, RunningServer, SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), "0123456789").unwrap();
    let server = serve(&root);
    let address = server.local_addr();
    (directory, server, address)
}

#[test]
fn get_and_head() {
    let (directory, _server, address) = site();
    let file = fs::OpenOptions::new().write(true).open(directory.path().join("root/file")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(784_111_777)).unwrap();
    let got = ask(address, "GET", "/file", "");
    assert_eq!((got.status, got.body.as_slice()), (200, b"0123456789".as_slice()));
    assert_eq!(got.required("content-length"), "10");
    assert_eq!(got.required("accept-ranges"), "bytes");
    assert_eq!(got.required("content-type"), "application/octet-stream");
    assert_eq!(got.required("last-modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert!(got.required("etag").starts_with("\"a-"));

    let head = ask(address, "HEAD", "/file", "Range: bytes=0-4\r\n");
    assert_eq!((head.status, head.body.len()), (200, 0), "ranges are for GET");
    for name in ["content-length", "accept-ranges", "etag", "last-modified", "content-type"] {
        assert_eq!(head.required(name), got.required(name));
    }
    assert_eq!(ask(address, "GET", "/file?query=x", "").body, b"0123456789");
    assert_eq!(ask(address, "GET", "http://test/file", "").body, b"0123456789");

    fs::write(directory.path().join("root/empty"), "").unwrap();
    let empty = ask(address, "GET", "/empty", "");
    assert_eq!((empty.status, empty.required("content-length"), empty.body.len()), (200, "0", 0));
}

#[test]
fn other_methods_and_requests() {
    let (_directory, _server, address) = site();
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = ask(address, method, "/file", "Content-Length: 0\r\n");
        assert_eq!((answer.status, answer.required("allow")), (405, "GET, HEAD"), "{method}");
    }
    assert_eq!(ask(address, "GET", "/none", "").status, 404);
    assert_eq!(ask(address, "GET", "/%zz", "").status, 400);
    assert_eq!(ask(address, "HEAD", "/none", "").body, b"");
    assert_eq!(ask_raw(address, "nonsense\r\n\r\n").status, 400);
}

#[test]
fn nothing_outside_the_root() {
    let (directory, _server, address) = site();
    fs::write(directory.path().join("secret"), "secret").unwrap();
    fs::write(directory.path().join("root/.file.gosync-part"), "part").unwrap();
    for target in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/x/../../secret",
        "//../secret",
        "/..\\secret",
        "/%2e%2e%5csecret",
        "/file%00",
        "/.file.gosync-part",
        "/%2efile.gosync-part",
        &format!("/{}", directory.path().join("secret").to_str().unwrap().trim_start_matches('/')),
    ] {
        let answer = ask(address, "GET", target, "");
        assert_eq!(answer.status, 404, "{target}");
        assert!(!answer.body.windows(6).any(|window| window == b"secret"), "{target}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret", directory.path().join("root/link")).unwrap();
        assert_eq!(ask(address, "GET", "/link", "").status, 404);
    }
}

#[test]
fn directories() {
    let (directory, _server, address) = site();
    let root = directory.path().join("root");
    fs::create_dir(root.join("a & b")).unwrap();
    fs::write(root.join(".file.gosync-part"), "").unwrap();
    let listing = ask(address, "GET", "/", "");
    assert_eq!((listing.status, listing.required("content-type")), (200, "text/html; charset=utf-8"));
    let page = String::from_utf8(listing.body).unwrap();
    assert!(page.contains("<a href=\"file\">file</a> 10") && page.contains("a &amp; b/"), "{page}");
    assert!(!page.contains("gosync-part"), "{page}");

    let redirect = ask(address, "GET", "/a%20%26%20b", "");
    assert_eq!((redirect.status, redirect.required("location")), (301, "/a%20%26%20b/"));
    // Not to another host of that name.
    fs::create_dir(root.join("example.org")).unwrap();
    assert_eq!(ask(address, "GET", "//example.org", "").required("location"), "/example.org/");

    fs::write(root.join("index.html"), "<p>hello").unwrap();
    let index = ask(address, "GET", "/", "Range: bytes=0-2\r\n");
    assert_eq!((index.status, index.body.as_slice()), (206, b"<p>".as_slice()));
}

#[test]
fn conditions() {
    let (directory, _server, address) = site();
    let first = ask(address, "GET", "/file", "");
    let (etag, modified) = (first.required("etag"), first.required("last-modified"));
    for header in [format!("If-None-Match: \"x\", {etag}\r\n"), format!("If-Modified-Since: {modified}\r\n")] {
        for method in ["GET", "HEAD"] {
            let answer = ask(address, method, "/file", &header);
            assert_eq!((answer.status, answer.body.len(), answer.required("etag")), (304, 0, etag), "{header}");
            let length = answer.header("content-length");
            assert!(matches!(length, None | Some("10")), "{length:?} is not of the file");
        }
    }
    let range = |if_range: &str| {
        let answer = ask(address, "GET", "/file", &format!("Range: bytes=2-4\r\nIf-Range: {if_range}\r\n"));
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    assert_eq!(range(etag), (206, "234".into()));
    assert_eq!(range(modified), (206, "234".into()));
    assert_eq!(range("\"other\""), (200, "0123456789".into()));
    assert_eq!(range("Thu, 01 Jan 1970 00:00:00 GMT"), (200, "0123456789".into()));

    fs::write(directory.path().join("root/file"), "other and longer").unwrap();
    assert_eq!(ask(address, "GET", "/file", &format!("If-None-Match: {etag}\r\n")).status, 200);
    assert_eq!(range(etag), (200, "other and longer".into()), "no range of what the client does not know");
}

#[test]
fn several_requests_on_one_connection() {
    let (_directory, _server, address) = site();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = |range: &str, headers: &str| {
        format!("GET /file HTTP/1.1\r\nHost: test\r\nRange: bytes={range}\r\n{headers}\r\n")
    };
    let requests = [request("0-1", ""), request("20-", ""), request("8-9", "Connection: close\r\n")];
    stream.write_all(requests.concat().as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let statuses: Vec<_> = answers.lines().filter(|line| line.contains("HTTP/1.1 ")).collect();
    assert_eq!(statuses.len(), 3, "{answers}");
    assert!(answers.ends_with("\r\n\r\n89"), "{answers}");
}

#[test]
fn large_files_arrive_whole() {
    let (directory, _server, address) = site();
    // Around the size of the pieces that bodies are read in.
    for length in [(256 << 10) - 1, 256 << 10, (256 << 10) + 1, 3_000_000] {
        let data = corpus::random(length as u64, length);
        fs::write(directory.path().join("root/large"), &data).unwrap();
        assert!(ask(address, "GET", "/large", "").body == data, "{length}");
    }
}

#[test]
fn the_log_hears_of_every_request() {
    let (directory, ..) = site();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let server = Server::bind(&directory.path().join("root"), "127.0.0.1:0".parse().unwrap())
        .unwrap()
        .with_access_log({
            let lines = Arc::clone(&lines);
            move |record| lines.lock().unwrap().push(record.to_string())
        })
        .spawn()
        .unwrap();
    let address = server.local_addr();
    ask(address, "GET", "/file?x", "Range: bytes=2-4\r\n");
    ask(address, "HEAD", "/file", "");
    ask(address, "POST", "/none", "Content-Length: 0\r\n");
    let lines: Vec<_> =
        lines.lock().unwrap().iter().map(|line: &String| line.split_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(lines, ["GET /file?x bytes=2-4 206 3", "HEAD /file - 200 0", "POST /none - 405 23"]);
}

#[test]
fn stops_when_dropped() {
    let (_directory, server, address) = site();
    let mut kept = TcpStream::connect(address).unwrap();
    kept.write_all(b"GET /file HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    kept.read_exact(&mut [0; 1]).unwrap();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    let mut rest = Vec::new();
    // Closed or reset, but not left open.
    kept.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    match kept.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}
