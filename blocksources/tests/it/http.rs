//! What `HttpSource` asks for, and of whom.

use std::sync::{Arc, Mutex};

use gosync_blocksources::{HttpOptions, HttpSource};
use gosync_chunks::{ByteRange, Source, SourceError, Transfer};
use gosync_server::{AccessRecord, Server};
use gosync_testkit::corpus;
use gosync_testkit::hostile::{Asked, Say, Scripted};
use gosync_testkit::source::MemorySink;

use crate::conformance::directory_with;

fn source(url: &str, options: HttpOptions) -> HttpSource {
    HttpSource::new(url, options).unwrap()
}

fn fetch(source: &HttpSource, ranges: &[ByteRange], data: &[u8]) -> Transfer {
    let sink = MemorySink::new(ranges);
    let transfer = source.fetch(ranges, &sink).unwrap();
    for (range, fetched) in ranges.iter().zip(sink.finish()) {
        assert!(fetched == data[range.start as usize..range.end as usize], "{range}");
    }
    transfer
}

#[test]
fn asks_for_what_is_wanted_and_counts_it() {
    let data = corpus::random(1, 100_000);
    let directory = directory_with(&data);
    let records = Arc::new(Mutex::new(Vec::<AccessRecord>::new()));
    let server = Server::bind(directory.path(), "127.0.0.1:0".parse().unwrap()).unwrap();
    let server = server
        .with_access_log({
            let records = Arc::clone(&records);
            move |record| records.lock().unwrap().push(record.clone())
        })
        .spawn()
        .unwrap();
    let url = format!("{}/file", server.url());
    let take = || {
        let mut ranges: Vec<_> = std::mem::take(&mut *records.lock().unwrap())
            .into_iter()
            .map(|record| format!("{} {} {}", record.method, record.range.as_deref().unwrap_or("-"), record.bytes))
            .collect();
        ranges.sort_unstable();
        ranges
    };

    // Gaps of 1024 bytes are bridged, of 1025 are not.
    let default = source(&url, HttpOptions { bridged_gap: Some(1024), ..HttpOptions::default() });
    let ranges = [ByteRange::at(1000, 1000), ByteRange::at(3024, 976), ByteRange::at(5025, 75)];
    assert_eq!(fetch(&default, &ranges, &data).requests, 1);
    let [log] = take().try_into().unwrap();
    assert!(log.starts_with("GET bytes=1000-3999,5025-5099 "), "{log}");
    assert_eq!(default.requests(), 1);

    // Long ranges are cut.
    let options = HttpOptions { request_size: Some(10_000), ..HttpOptions::default() };
    let small = source(&url, options.clone());
    assert_eq!(fetch(&small, &[ByteRange::at(70_000, 30_000)], &data), Transfer { bytes: 30_000, requests: 3 });
    assert_eq!(take(), ["GET bytes=70000-79999 10000", "GET bytes=80000-89999 10000", "GET bytes=90000-99999 10000"]);
    assert_eq!(small.size().unwrap(), Some(100_000));
    assert_eq!(take(), [""; 0], "the first answer told it");

    // All of a file needs no range, once it is known to be all.
    let whole = source(&url, HttpOptions { connections: 1, ..HttpOptions::default() });
    assert_eq!(fetch(&whole, &[ByteRange::at(0, 100_000)], &data), Transfer { bytes: 100_000, requests: 1 });
    assert_eq!(take(), ["GET bytes=0-99999 100000"]);
    let holed = [ByteRange::at(0, 50_000), ByteRange::at(50_024, 49_976)];
    assert_eq!(fetch(&whole, &holed, &data), Transfer { bytes: 100_000, requests: 1 });
    assert_eq!(take(), ["GET - 100000"]);

    // Nothing is nothing.
    assert_eq!(fetch(&whole, &[], &data), Transfer::default());
    assert_eq!(fetch(&whole, &[ByteRange::at(7, 0)], &data), Transfer::default());
    assert_eq!(take(), [""; 0]);
}

#[test]
fn connections_are_kept() {
    let data = corpus::random(2, 50_000);
    let server = Scripted::start({
        let data = data.clone();
        move |asked| Say::proper(asked, &data)
    });
    // Were the gaps left to the model, a slow machine would fetch some of them.
    let one_by_one =
        HttpOptions { connections: 2, request_size: Some(100), bridged_gap: Some(0), ..HttpOptions::default() };
    let index = source(&server.url(), one_by_one.clone());
    let ranges: Vec<_> = (0..20).map(|at| ByteRange::at(100 + at * 2400, 100)).collect();
    fetch(&index, &ranges, &data);
    fetch(&index, &ranges, &data);
    // Another file of the same server.
    fetch(&source(&server.url(), one_by_one), &ranges, &data);
    let asked = server.asked();
    assert_eq!(asked.len(), 60);
    let connections = asked.iter().map(|asked| asked.connection).max().unwrap() + 1;
    assert!(connections <= 2, "{connections} connections for two threads");
    for asked in asked {
        assert!(asked.text.contains("\r\naccept-encoding: identity\r\n"), "{}", asked.text);
        assert!(asked.text.contains("\r\nuser-agent: gosync/"), "{}", asked.text);
    }
}

#[test]
fn a_server_that_closes_kept_connections() {
    let data = corpus::random(3, 50_000);
    let server = Scripted::start({
        let data = data.clone();
        // Without a word: the client finds out at its next request.
        move |asked| Say::proper(asked, &data).and_hang_up()
    });
    let one_by_one =
        HttpOptions { connections: 1, request_size: Some(100), bridged_gap: Some(0), ..HttpOptions::default() };
    let source = source(&server.url(), one_by_one);
    let ranges: Vec<_> = (0..20).map(|at| ByteRange::at(100 + at * 2400, 100)).collect();
    assert_eq!(fetch(&source, &ranges, &data).bytes, 2000);
    assert_eq!(server.asked().len(), 20);
}

#[test]
fn ways_to_find_out_the_size() {
    type Get = fn(&Asked) -> Say;
    let whole = || Say::plain("200 OK", "", &[0; 5000]);
    let cases: [(&str, Get, Option<u64>, u64); 8] = [
        ("a range", |_| Say::plain("206 P", "Content-Range: bytes 0-0/1234\r\n", b"x"), Some(1234), 1),
        ("all of it", |_| Say::plain("200 OK", "", &[0; 5000]), Some(5000), 1),
        ("an empty file has no first byte", |_| Say::plain("416 No", "Content-Range: bytes */0\r\n", b""), Some(0), 1),
        ("it does not say", |_| Say::plain("206 P", "Content-Range: bytes 0-0/*\r\n", b"x"), None, 1),
        ("nor here", |_| Say::chunked("200 OK", "", &[0; 5000]), None, 1),
        ("of another form", |_| Say::plain("200 OK", "Content-Encoding: gzip\r\n", &[0; 50]), Some(50), 1),
        ("no ranges", |_| Say::plain("501 Not Implemented", "", b""), Some(5000), 2),
        ("a range that is none", |_| Say::plain("206 P", "", b"x"), Some(5000), 2),
    ];
    for (name, get, expected, requests) in cases {
        // What HEAD says does not matter.
        let server = Scripted::start(move |asked| match (asked.method.as_str(), asked.range) {
            ("HEAD", _) => Say::raw("200 OK", "Content-Length: 77\r\n", b""),
            (_, Some((0, 0))) => get(asked),
            _ => whole(),
        });
        let source = source(&server.url(), HttpOptions::default());
        assert_eq!((source.size().unwrap(), source.requests()), (expected, requests), "{name}");
        assert!(server.asked().iter().all(|asked| asked.method == "GET"), "{name}");
    }
    for (status, is_right) in [
        ("404 Not Found", (|error| matches!(error, SourceError::NotFound { .. })) as fn(SourceError) -> bool),
        ("403 Forbidden", |error| matches!(error, SourceError::Denied { .. })),
    ] {
        let server = Scripted::start(move |_| Say::plain(status, "", b""));
        let source = source(&server.url(), HttpOptions::default());
        assert!(is_right(source.size().unwrap_err()) && source.requests() == 1, "{status}");
    }
}

#[test]
fn redirects() {
    let data = corpus::random(4, 10_000);
    let target = Scripted::start({
        let data = data.clone();
        move |asked| Say::proper(asked, &data)
    });
    let location = target.url();
    let server = Scripted::start(move |asked| {
        let to = |location: &str| Say::plain("302 Found", &format!("Location: {location}\r\n"), b"");
        match asked.path.as_str() {
            "/file" => to("/elsewhere"),
            "/elsewhere" => to(&location),
            "/circle" => to("/circle"),
            "/ftp" => to("ftp://user:secret@example.org/"),
            "/local" => to("file:///etc/passwd"),
            _ => Say::plain("404 Not Found", "", b""),
        }
    });

    let with_password = server.url().replace("http://", "http://user:secret@");
    let source = source(&with_password, HttpOptions::default());
    let transfer = fetch(&source, &[ByteRange::at(5000, 100)], &data);
    assert_eq!(transfer, Transfer { bytes: 100, requests: 3 });
    assert_eq!(source.requests(), 3);
    assert_eq!(target.asked()[0].range, Some((5000, 5099)));
    assert!(server.asked()[0].text.contains("\r\nauthorization: basic "), "{}", server.asked()[0].text);
    assert!(!target.asked()[0].text.contains("authorization"), "another host gets no password");

    for path in ["circle", "ftp", "local"] {
        let url = format!("http://{}/{path}", server.address());
        let error = HttpSource::new(&url, HttpOptions::default()).unwrap().size().unwrap_err();
        assert!(matches!(error, SourceError::Refused { .. }), "{path}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    assert!(server.asked().len() < 20, "circles end");
}

#[test]
fn secrets_stay_secret() {
    let server = Scripted::start(|_| Say::plain("403 Forbidden", "", b""));
    let url = format!("http://user:secret@{}/file?signature=secret", server.address());
    let source = source(&url, HttpOptions::default());
    let error = source.size().unwrap_err();
    assert!(server.asked()[0].text.contains("/file?signature=secret"));
    assert_eq!(source.location(), format!("http://{}/file?...", server.address()));
    for shown in [error.to_string(), format!("{error:?}"), format!("{source:?}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }

    for wrong in ["http://user:secret@exa mple.org/", "ftp://user:secret@example.org", "user:secret@example.org/a"] {
        let error = HttpSource::new(wrong, HttpOptions::default()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let options = HttpOptions { user_agent: "line\nbreak".into(), ..HttpOptions::default() };
    assert!(matches!(HttpSource::new("http://example.org", options), Err(SourceError::Refused { .. })));
}

#[test]
fn whole_documents() {
    let data = corpus::random(5, 10_000);
    let directory = directory_with(&data);
    let server = crate::conformance::serve(directory.path());
    let source_of = |name: &str| source(&format!("{}/{name}", server.url()), HttpOptions::default());
    assert_eq!(source_of("file").read_all(10_000).unwrap(), data);
    assert_eq!(source_of("file").read_all(u64::MAX).unwrap(), data);
    let error = source_of("file").read_all(9999).unwrap_err();
    assert!(matches!(error, SourceError::TooLong { limit: 9999, .. }), "{error:?}");
    let error = source_of("none").read_all(10).unwrap_err();
    assert!(matches!(&error, SourceError::NotFound { reason, .. } if reason == "status 404 Not Found"), "{error:?}");

    // What is announced is not believed: neither too little, nor absurdly much.
    let chunked = Scripted::start(|_| Say::raw("200 OK", "Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"));
    assert_eq!(source(&chunked.url(), HttpOptions::default()).read_all(5).unwrap(), b"hello");
    assert!(source(&chunked.url(), HttpOptions::default()).read_all(4).is_err());
    let huge = format!("Content-Length: {}\r\n", u64::MAX / 2);
    let huge = Scripted::start(move |_| Say::raw("200 OK", &huge, b"hello").and_hang_up());
    let source = source(&huge.url(), HttpOptions::default());
    assert!(matches!(source.read_all(u64::MAX).unwrap_err(), SourceError::Unreachable { .. }));
    assert_eq!(huge.asked().len(), 3, "one request and two more");
}

#[test]
fn beyond_four_gigabytes() {
    let directory = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(directory.path().join("file")).unwrap();
    file.set_len((5 << 30) + 1).unwrap();
    let server = crate::conformance::serve(directory.path());
    let source = source(&format!("{}/file", server.url()), HttpOptions::default());
    assert_eq!(source.size().unwrap(), Some((5 << 30) + 1));
    let ranges = [ByteRange { start: (4 << 30) - 5, end: (4 << 30) + 5 }, ByteRange::at(5 << 30, 1)];
    let sink = MemorySink::new(&ranges);
    source.fetch(&ranges, &sink).unwrap();
    assert_eq!(sink.finish(), [vec![0; 10], vec![0]]);
}
