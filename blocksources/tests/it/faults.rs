//! Servers that answer wrongly, break off or are not there.

use std::error::Error;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use gosync_blocksources::{HttpOptions, HttpSource};
use gosync_chunks::{ByteRange, Source, SourceError};
use gosync_testkit::corpus;
use gosync_testkit::source::{FnSink, MemorySink};

use gosync_testkit::hostile::{Asked, Say, Scripted};

const LENGTH: usize = 10_000;

/// Not at the start, so that no length is asked for.
const RANGE: ByteRange = ByteRange { start: 100, end: 200 };

fn source(url: &str) -> HttpSource {
    HttpSource::new(url, HttpOptions { connections: 1, ..HttpOptions::default() }).unwrap()
}

/// What fetching [`RANGE`] comes to when every request is answered so.
#[track_caller]
fn fetch_from(script: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> SourceError {
    let server = Scripted::start(script);
    let delivered = FnSink(|offset, data: &[u8]| {
        let delivered = ByteRange::at(offset, data.len() as u64);
        assert!(RANGE.contains(delivered), "{delivered} was not asked for");
        Ok(())
    });
    source(&server.url()).fetch(&[RANGE], &delivered).unwrap_err()
}

#[track_caller]
fn assert_refused(error: &SourceError, expected: &str) {
    match error {
        SourceError::Refused { reason, .. } => assert!(reason.contains(expected), "{reason:?} lacks {expected:?}"),
        other => panic!("{other:?} is no refusal"),
    }
    assert!(!error.is_transient());
}

fn data() -> Vec<u8> {
    corpus::random(7, LENGTH)
}

/// A 206 that says it is `content_range` and brings `bytes` of body.
fn partial(content_range: &str, bytes: usize) -> Say {
    Say::plain("206 Partial Content", &format!("Content-Range: {content_range}\r\n"), &vec![0; bytes])
}

#[test]
fn the_whole_file_for_a_range() {
    let server = Scripted::start(|_| Say::plain("200 OK", "", &data()));
    let sink = MemorySink::new(&[RANGE]);
    let transfer = source(&server.url()).fetch(&[RANGE], &sink).unwrap();
    assert_eq!(sink.finish(), [&data()[100..200]]);
    assert_eq!(transfer.requests, 1, "the body that came first is used");
}

#[test]
fn the_whole_file_of_the_length_of_the_range() {
    // Even a body of just the right length is not the range.
    let error = fetch_from(|_| Say::plain("200 OK", "", &[0; 100]));
    assert!(matches!(error, SourceError::Length { expected: 200, actual: 100, .. }), "{error:?}");
}

#[test]
fn another_range() {
    for (content_range, bytes, expected) in [
        // What is right of it is taken, and the rest asked for again.
        ("bytes 100-198/10000", 99, "bytes 199..200 were asked for, and 100..199 sent"),
        ("bytes 101-199/10000", 99, "bytes 100..101 were asked for, and 101..200 sent"),
        ("bytes 100-200/10000", 101, "bytes 100..200 were asked for, and 100..201 sent"),
        ("bytes 0-99/10000", 100, "bytes 100..200 were asked for, and 0..100 sent"),
    ] {
        let error = fetch_from(move |_| partial(content_range, bytes));
        assert_refused(&error, expected);
    }
}

#[test]
fn no_range_or_none_that_makes_sense() {
    for headers in [
        "",
        "Content-Range: lines 100-199/10000\r\n",
        "Content-Range: bytes 100-199/150\r\n",
        "Content-Type: multipart/byteranges\r\n",
    ] {
        let error = fetch_from(move |_| Say::plain("206 Partial Content", headers, &[0; 100]));
        assert_refused(&error, "does not tell which range");
    }
}

#[test]
fn another_total() {
    let server = Scripted::start(|asked| match asked.range {
        Some((first, last)) if first >= 5000 => partial(&format!("bytes {first}-{last}/9999"), last - first + 1),
        _ => Say::proper(asked, &data()),
    });
    let source = source(&server.url());
    source.fetch(&[RANGE], &MemorySink::new(&[RANGE])).unwrap();
    let error = source.fetch(&[ByteRange::at(6000, 10)], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
    assert!(matches!(error, SourceError::Changed { .. }), "{error:?}");
    assert!(error.to_string().contains("it had 10000 bytes and has 9999"), "{error}");
}

#[test]
fn a_total_other_than_the_size() {
    let server = Scripted::start(|asked| match asked.range {
        Some((first, last)) if last > 0 => partial(&format!("bytes {first}-{last}/20000"), last - first + 1),
        _ => Say::proper(asked, &data()),
    });
    let source = source(&server.url());
    assert_eq!(source.size().unwrap(), Some(10_000));
    let error = source.fetch(&[RANGE], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
    assert!(matches!(error, SourceError::Changed { .. }), "{error:?}");
}

#[test]
fn a_file_that_ends_before_the_range() {
    for say in [
        || partial("bytes 100-149/150", 50),
        || Say::plain("416 Range Not Satisfiable", "Content-Range: bytes */150\r\n", b"no"),
    ] {
        let error = fetch_from(move |_| say());
        assert!(matches!(error, SourceError::Length { expected: 200, actual: 150, .. }), "{error:?}");
    }
    assert_refused(
        &fetch_from(|_| Say::plain("416 Range Not Satisfiable", "", b"")),
        "status 416 Range Not Satisfiable",
    );
}

#[test]
fn a_body_announced_too_short_or_too_long() {
    for bytes in [99, 101] {
        let error = fetch_from(move |_| partial("bytes 100-199/10000", bytes));
        assert_refused(&error, &format!("100 bytes were promised, and {bytes} announced"));
    }
}

/// `bytes` in two chunks.
fn chunked(bytes: usize) -> Say {
    let rest = bytes - 1;
    let mut body = format!("1\r\n\0\r\n{rest:x}\r\n").into_bytes();
    body.resize(body.len() + rest, 0);
    body.extend_from_slice(b"\r\n0\r\n\r\n");
    let headers = "Content-Range: bytes 100-199/10000\r\nTransfer-Encoding: chunked\r\n";
    Say::raw("206 Partial Content", headers, &body)
}

#[test]
fn a_chunked_body_of_the_right_length_will_do() {
    let server = Scripted::start(|_| chunked(100));
    let sink = MemorySink::new(&[RANGE]);
    assert_eq!(source(&server.url()).fetch(&[RANGE], &sink).unwrap().bytes, 100);
    assert_eq!(sink.finish(), [[0; 100]]);
}

#[test]
fn a_chunked_body_of_another_length() {
    assert_refused(&fetch_from(|_| chunked(99)), "bytes 199..200 were asked for");
    for bytes in [101, 1_000_000] {
        let server = Scripted::start(move |_| chunked(bytes));
        let sink = MemorySink::new(&[RANGE]);
        let transfer = source(&server.url()).fetch(&[RANGE], &sink).unwrap();
        assert_eq!((transfer.bytes, sink.missing()), (100, 0), "what is too much is not read");
    }
}

#[test]
fn a_body_that_ends_when_the_server_hangs_up() {
    let until_closed = |bytes| {
        move |_: &Asked| {
            let headers = "Content-Range: bytes 100-199/10000\r\nConnection: close\r\n";
            Say::raw("206 Partial Content", headers, &vec![0; bytes]).and_hang_up()
        }
    };
    assert_refused(&fetch_from(until_closed(99)), "bytes 199..200 were asked for");
    let server = Scripted::start(until_closed(100));
    let sink = MemorySink::new(&[RANGE]);
    source(&server.url()).fetch(&[RANGE], &sink).unwrap();
    assert_eq!(sink.missing(), 0);
}

#[test]
fn a_connection_that_always_breaks() {
    let server = Scripted::start(|asked| Say::proper(asked, &data()).cut(1));
    let error = source(&server.url()).fetch(&[RANGE], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }) && error.is_transient(), "{error:?}");
    // Each attempt asks for what is left.
    let asked: Vec<_> = server.asked().iter().map(|asked| asked.range.unwrap()).collect();
    assert_eq!(asked[0], (100, 199));
    assert_eq!(asked[1], (199, 199));
    assert_eq!(asked.len(), 3, "one request and two more");
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    for cut in [1, 60, 99, 100, 150] {
        let server = Scripted::start(move |asked| match asked.number {
            0 => Say::proper(asked, &data()).cut(cut),
            1 => Say::nothing(),
            _ => Say::proper(asked, &data()),
        });
        let sink = MemorySink::new(&[RANGE]);
        let transfer = source(&server.url()).fetch(&[RANGE], &sink).unwrap();
        assert_eq!(sink.finish(), [&data()[100..200]]);
        assert_eq!((transfer.bytes, transfer.requests), (100, 3), "no byte comes twice");
        let resumed = server.asked()[2].range.unwrap();
        assert_eq!(resumed, (if cut > 100 { 100 } else { 200 - cut }, 199));
    }
}

#[test]
fn a_whole_file_that_breaks_off_goes_on_as_a_range() {
    let server = Scripted::start(|asked| match asked.number {
        1 => Say::proper(asked, &data()).cut(4000),
        _ => Say::proper(asked, &data()),
    });
    let all = [ByteRange::at(0, LENGTH as u64)];
    let sink = MemorySink::new(&all);
    let source = source(&server.url());
    assert_eq!(source.size().unwrap(), Some(10_000));
    let transfer = source.fetch(&all, &sink).unwrap();
    assert_eq!(sink.finish(), [data()]);
    assert_eq!((transfer.bytes, transfer.requests), (10_000, 2));
    let asked: Vec<_> = server.asked().into_iter().map(|asked| (asked.method, asked.range)).collect();
    assert_eq!(asked, [("GET".into(), Some((0, 0))), ("GET".into(), None), ("GET".into(), Some((6000, 9999)))]);
}

#[test]
fn a_whole_file_of_another_length() {
    let all = [ByteRange::at(0, LENGTH as u64)];
    let ignore = FnSink(|_, _: &[u8]| Ok(()));
    for wrong in [LENGTH - 1, LENGTH + 1] {
        let server = Scripted::start(move |asked| match asked.range {
            Some((0, 0)) => Say::proper(asked, &data()),
            _ => Say::plain("200 OK", "", &vec![0; wrong]),
        });
        let known = source(&server.url());
        known.size().unwrap();
        let error = known.fetch(&all, &ignore).unwrap_err();
        assert!(matches!(error, SourceError::Changed { .. }), "{error:?}");
        let unknown = source(&server.url()).fetch(&all, &ignore);
        match unknown {
            Err(SourceError::Length { expected: 10_000, actual, .. }) => assert_eq!(actual, wrong as u64),
            other => assert!(other.is_ok() && wrong > LENGTH, "all that is wanted is there: {other:?}"),
        }
    }
}

#[test]
fn statuses_that_are_errors() {
    type IsRight = fn(&SourceError) -> bool;
    let missing: IsRight = |error| matches!(error, SourceError::NotFound { .. });
    let denied: IsRight = |error| matches!(error, SourceError::Denied { .. });
    let refused: IsRight = |error| matches!(error, SourceError::Refused { .. });
    let busy: IsRight = |error| matches!(error, SourceError::Busy { .. });
    for (status, is_right) in [
        ("404 Not Found", missing),
        ("410 Gone", missing),
        ("401 Unauthorized", denied),
        ("403 Forbidden", denied),
        ("407 Proxy Authentication Required", denied),
        ("304 Not Modified", refused),
        ("405 Method Not Allowed", refused),
        ("451 Unavailable For Legal Reasons", refused),
        ("500 Internal Server Error", busy),
        ("503 Service Unavailable", busy),
    ] {
        let server = Scripted::start(move |_| Say::plain(status, "", b""));
        let source = source(&server.url());
        let ignore = FnSink(|_, _: &[u8]| Ok(()));
        let several = [RANGE, ByteRange::at(9_000, 10)];
        for error in [
            source.fetch(&[RANGE], &ignore).unwrap_err(),
            source.fetch(&several, &ignore).unwrap_err(),
            source.size().unwrap_err(),
            source.read_all(100).unwrap_err(),
        ] {
            assert!(is_right(&error) && error.to_string().contains(&format!("status {status}")), "{status}: {error:?}");
            assert_eq!(error.is_transient(), status.starts_with('5'), "{error:?}");
        }
    }
}

#[test]
fn what_is_denied_is_not_said_to_be_missing() {
    let error = fetch_from(|_| Say::plain("403 Forbidden", "", b""));
    let expected = "is denied: status 403 Forbidden, which some servers also say of what is not there";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn an_encoding_that_is_only_a_label() {
    for label in ["gzip", "x-gzip", "br", "aws-chunked", "", "none", "identity,identity"] {
        let server = Scripted::start(move |asked| {
            let headers = format!("Content-Encoding: {label}\r\n");
            // Ranges of it, or all of it.
            let whole = Asked { ranges: Vec::new(), ..asked.clone() };
            Say::proper_with(if asked.number < 4 { asked } else { &whole }, &data(), &headers)
        });
        let source = source(&server.url());
        assert_eq!(source.size().unwrap(), Some(10_000), "{label}");
        assert!(label == "br" || source.read_all(10_000).unwrap() == data(), "{label}");
        for _ in 0..3 {
            let ranges = [RANGE, ByteRange::at(9_000, 10)];
            let sink = MemorySink::new(&ranges);
            source.fetch(&ranges, &sink).unwrap();
            assert_eq!(sink.finish(), [&data()[100..200], &data()[9_000..9_010]], "{label}");
        }
    }
}

#[test]
fn a_compressed_form_of_the_file() {
    for length in [150, 9_999] {
        let server = Scripted::start(move |asked| match asked.number {
            0 => Say::proper(asked, &data()),
            _ => Say::plain("200 OK", "Content-Encoding: gzip\r\n", &vec![0; length]),
        });
        let source = source(&server.url());
        source.fetch(&[RANGE], &MemorySink::new(&[RANGE])).unwrap();
        let error = source.fetch(&[RANGE], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
        assert_refused(&error, "compressed");
    }
    let server = Scripted::start(|_| Say::chunked("200 OK", "Content-Encoding: gzip\r\n", &[0; 300]));
    assert_refused(&source(&server.url()).fetch(&[RANGE], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err(), "compressed");
    for (label, body) in
        [("br", &[0; 100][..]), ("gzip", b"\x1f\x8b..."), ("x-gzip", b"\x1f\x8b"), ("zstd", b"\x28\xb5\x2f\xfd")]
    {
        let server = Scripted::start(move |_| Say::plain("200 OK", &format!("Content-Encoding: {label}\r\n"), body));
        assert_refused(&source(&server.url()).read_all(100).unwrap_err(), "compressed");
    }
}

#[test]
fn spellings_of_content_range() {
    for spelling in
        ["bytes=100-199/10000", "bytes: 100-199/10000", "100-199/10000", "Bytes 100 - 199 / *", "bytes 100-199"]
    {
        let server = Scripted::start(move |_| {
            let headers = format!("Content-Range: {spelling}\r\n");
            Say::plain("206 Partial Content", &headers, &data()[100..200])
        });
        let sink = MemorySink::new(&[RANGE]);
        let transfer = source(&server.url()).fetch(&[RANGE], &sink).unwrap();
        assert_eq!((sink.finish(), transfer.requests), (vec![data()[100..200].to_vec()], 1), "{spelling}");
    }
}

#[test]
fn odd_heads() {
    let many: String = (0..300).map(|number| format!("X-Trace-{number}: yyyyyyyyyyyyyyyyyyyy\r\n")).collect();
    for odd in [
        "X-Long: one,\r\n two,\r\n\tthree\r\n",
        "X-Odd : 1\r\n",
        "no header at all\r\n",
        "X-Control: \u{1}\r\n",
        "Content-Disposition: attachment; filename=\"\u{dc}bung\"\r\n",
        &many,
    ] {
        let odd = odd.to_owned();
        let server = Scripted::start(move |asked| Say::proper_with(asked, &data(), &odd).after(INTERIM));
        let source = source(&server.url());
        assert_eq!(source.size().unwrap(), Some(10_000));
        assert!(source.read_all(10_000).unwrap() == data());
        for ranges in [&[RANGE][..], &[RANGE, ByteRange::at(9_000, 10)]] {
            let sink = MemorySink::new(ranges);
            source.fetch(ranges, &sink).unwrap();
            let data = data();
            let expected: Vec<_> =
                ranges.iter().map(|range| data[range.start as usize..range.end as usize].to_vec()).collect();
            assert_eq!(sink.finish(), expected);
        }
        let connections = server.asked().iter().map(|asked| asked.connection).max();
        assert_eq!(connections, Some(0), "a connection is used again");
    }
}

/// What comes before an answer.
const INTERIM: &str = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\nX: y\r\n\r\n";

#[test]
fn a_head_without_end() {
    let server = Scripted::start(|_| Say::raw("200 OK", &"X: y\r\n".repeat(100_000), b""));
    let error = source(&server.url()).read_all(100).unwrap_err();
    assert_refused(&error, "not valid HTTP");
}

#[test]
fn what_is_not_http() {
    let server = Scripted::start(|_| Say::raw("abc nonsense", "", b""));
    let error = source(&server.url()).fetch(&[RANGE], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
    assert_refused(&error, "not valid HTTP");
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    drop(listener);
    let source = source(&url);
    let error = source.fetch(&[RANGE], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot reach {url}"));
    assert!(error.is_transient());
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("refused"), "{cause}");
    assert_eq!(source.requests(), 3, "one request and two more");
}

#[test]
fn a_server_that_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let options = HttpOptions { read_timeout: Duration::from_millis(200), ..HttpOptions::default() };
    let source = HttpSource::new(&url, options).unwrap();
    let start = Instant::now();
    let error = source.fetch(&[RANGE], &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(source.requests(), 1, "the time is spent");
}

#[test]
fn a_body_that_stalls() {
    let server = Scripted::start(|asked| match asked.number {
        0 => Say::proper(asked, &data()),
        _ => Say::proper(asked, &data()).cut(1).and_wait(),
    });
    let read_timeout = Duration::from_millis(200);
    let options = HttpOptions { connections: 2, request_size: Some(100), read_timeout, ..HttpOptions::default() };
    let source = HttpSource::new(&server.url(), options).unwrap();
    let ranges = [RANGE, ByteRange::at(5000, 10)];
    source.fetch(&ranges[1..], &FnSink(|_, _: &[u8]| Ok(()))).unwrap();
    let error = source.fetch(&ranges, &FnSink(|_, _: &[u8]| Ok(()))).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
}

#[test]
fn a_sink_that_refuses_stops_the_requests() {
    let server = Scripted::start(|asked| Say::proper(asked, &data()));
    let ranges: Vec<_> = (0..5).map(|at| ByteRange::at(100 + at * 1900, 10)).collect();
    let error = source(&server.url()).fetch(&ranges, &FnSink(|_, _: &[u8]| Err("full".into()))).unwrap_err();
    assert!(matches!(error, SourceError::Sink(_)), "{error:?}");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("full"));
    assert_eq!(server.asked().len(), 1);
}
