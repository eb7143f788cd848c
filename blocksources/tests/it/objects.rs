//! A real S3 server, and one that says what it is told to say.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gosync_blocksources::{HttpOptions, ObjectSettings, ObjectSource, read_all};
use gosync_chunks::{ByteRange, Source, SourceError};
use gosync_testkit::conformance::source_conformance;
use gosync_testkit::corpus;
use gosync_testkit::hostile::{Asked, Say, Scripted};
use gosync_testkit::moto::Moto;
use gosync_testkit::source::{FnSink, MemorySink};

use crate::conformance::Kept;

fn settings(moto: &Moto) -> ObjectSettings {
    moto.settings().into_iter().collect()
}

fn write(moto: &Moto, url: &str, data: &[u8]) {
    let target = ObjectSource::new(url, &settings(moto), HttpOptions::default()).unwrap();
    let mut writer = target.writer();
    writer.write_all(data).unwrap();
    writer.finish().unwrap();
}

fn source(moto: &Moto, url: &str, options: HttpOptions) -> ObjectSource {
    ObjectSource::new(url, &settings(moto), options).unwrap()
}

#[test]
fn conforms_with_moto() {
    let Some(moto) = Moto::start() else { return };
    let names = AtomicU64::new(0);
    for request_size in [2 << 20, 50_000] {
        source_conformance(|data| {
            let url = format!("s3://bucket/a%20b/{}", names.fetch_add(1, Ordering::Relaxed));
            write(&moto, &url, &data);
            // Moto is slow: fewer requests will do for what is not asked of others.
            let options =
                HttpOptions { request_size: Some(request_size), bridged_gap: Some(20_000), ..HttpOptions::default() };
            Box::new(source(&moto, &url, options))
        });
    }
}

#[test]
fn large_objects_are_written_in_parts() {
    let Some(moto) = Moto::start() else { return };
    let data = corpus::random(1, (35 << 20) + 1);
    write(&moto, "s3://bucket/large", &data);
    let large = source(&moto, "s3://bucket/large", HttpOptions::default());
    let (read, transfer) = read_all(&large, large.location(), 1 << 30).unwrap();
    assert!(read == data);
    assert_eq!((transfer.bytes, transfer.requests), (data.len() as u64, 18));
    // What is not finished leaves nothing behind, neither under its name nor in parts.
    let none = source(&moto, "s3://bucket/none", HttpOptions::default());
    let mut writer = none.writer();
    writer.write_all(&data[..20 << 20]).unwrap();
    drop(writer);
    assert!(matches!(none.size(), Err(SourceError::NotFound { reason, .. }) if reason == "there is no such object"));
    let uploads = moto.ask("GET", "/bucket?uploads");
    assert!(uploads.contains("ListMultipartUploadsResult") && !uploads.contains("<Upload>"), "{uploads}");
}

#[test]
fn an_object_that_changes_is_noticed() {
    let Some(moto) = Moto::start() else { return };
    let ranges = [ByteRange::at(0, 10)];
    for (after, reason) in [(vec![2; 1000], "its ETag is another"), (vec![1; 999], "its ETag is another")] {
        write(&moto, "s3://bucket/x", &[1; 1000]);
        let source = source(&moto, "s3://bucket/x", HttpOptions::default());
        source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap();
        write(&moto, "s3://bucket/x", &after);
        let nothing = FnSink(|_, _: &[u8]| panic!("nothing of another object may be delivered"));
        match source.fetch(&ranges, &nothing) {
            Err(SourceError::Changed { reason: found, .. }) => assert_eq!(found, reason),
            other => panic!("{other:?}"),
        }
    }
}

/// Answers about one object as Google's XML interface and Azure's blob service do by
/// their documentation: path-style URLs, ranges, `If-Match`, a tag and a date in every answer.
/// Google's emulator in Python's index knows neither `HEAD` nor tags, and that of Azure
/// brings hundreds of packages of Node along.
#[test]
fn conforms_with_what_google_and_azure_document() {
    const PATH: [&str; 2] = ["/bucket/a%20b%2fx", "/bucket/a%20b/x"];
    for (url, kept) in [
        (
            "gs://bucket/a%20b/x",
            "ETag: \"5d41\"\r\nLast-Modified: Fri, 01 Mar 2024 00:00:00 GMT\r\nx-goog-generation: 1709251200000000\r\n",
        ),
        (
            "az://bucket/a%20b/x",
            "ETag: \"0x8DC\"\r\nLast-Modified: Fri, 01 Mar 2024 00:00:00 GMT\r\nx-ms-blob-type: BlockBlob\r\n",
        ),
    ] {
        source_conformance(|data| {
            let store = Scripted::start(move |asked| {
                let tag = kept.to_lowercase();
                let tag = tag.lines().next().and_then(|line| line.strip_prefix("etag: "));
                match asked.header("if-match") {
                    _ if !PATH.contains(&asked.path.to_lowercase().as_str()) => Say::plain("404 Not Found", "", b""),
                    given if given.is_some() && given != tag => Say::plain("412 Precondition Failed", "", b""),
                    _ => Say::proper_with(asked, &data, kept),
                }
            });
            let endpoint = format!("http://{}", store.address());
            let settings = [
                ("google_base_url", endpoint.as_str()),
                ("google_skip_signature", "true"),
                ("azure_storage_account_name", "account"),
                ("azure_endpoint", endpoint.as_str()),
                ("azure_skip_signature", "true"),
                ("allow_http", "true"),
            ];
            let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
            let source = ObjectSource::new(url, &settings, HttpOptions::default()).unwrap();
            Box::new(Kept { source, _beside: store })
        });
    }
}

/// A store that answers as `say` does, but tells its length right.
fn scripted(say: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> (Scripted, ObjectSource) {
    scripted_with(HttpOptions::default(), say)
}

fn scripted_with(
    options: HttpOptions,
    say: impl Fn(&Asked) -> Say + Send + Sync + 'static,
) -> (Scripted, ObjectSource) {
    const HEAD: &str = "Content-Length: 1000\r\nETag: \"one\"\r\nLast-Modified: Fri, 01 Mar 2024 00:00:00 GMT\r\n";
    let server =
        Scripted::start(move |asked| if asked.method == "HEAD" { Say::raw("200 OK", HEAD, b"") } else { say(asked) });
    let settings = [
        ("AWS_ENDPOINT", format!("http://{}", server.address())),
        ("AWS_SKIP_SIGNATURE", "true".into()),
        ("ALLOW_HTTP", "true".into()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let source = ObjectSource::new("s3://bucket/x", &settings, options).unwrap();
    (server, source)
}

/// A range of the object with the headers that object_store insists on.
fn part(range: &str, etag: &str, body: &[u8]) -> Say {
    let headers =
        format!("Content-Range: bytes {range}\r\nETag: \"{etag}\"\r\nLast-Modified: Fri, 01 Mar 2024 00:00:00 GMT\r\n");
    Say::plain("206 Partial Content", &headers, body)
}

#[test]
fn hostile_stores_are_refused() {
    type Expected = fn(&SourceError) -> bool;
    fn refused(error: &SourceError) -> bool {
        matches!(error, SourceError::Refused { .. })
    }
    fn denied(error: &SourceError) -> bool {
        matches!(error, SourceError::Denied { .. })
    }
    fn changed(error: &SourceError) -> bool {
        matches!(error, SourceError::Changed { .. })
    }
    type Answer = fn() -> Say;
    let cases: [(&str, Answer, Expected); 11] = [
        ("the whole object", || Say::plain("200 OK", "ETag: \"one\"\r\n", &[1; 1000]), refused),
        ("another range", || part("11-20/1000", "one", &[1; 10]), refused),
        ("another length", || part("10-19/2000", "one", &[1; 10]), changed),
        ("another ETag", || part("10-19/1000", "two", &[1; 10]), changed),
        ("more bytes", || part("10-19/1000", "one", &[1; 11]), refused),
        ("fewer bytes", || part("10-19/1000", "one", &[1; 10]).cut(1), SourceError::is_transient),
        ("nothing", Say::nothing, SourceError::is_transient),
        (
            "nothing there",
            || Say::plain("404 Not Found", "", b""),
            |error| matches!(error, SourceError::NotFound { .. }),
        ),
        ("no access", || Say::plain("403 Forbidden", "", b"<Error>AccessDenied\x1b[31m</Error>"), denied),
        ("no keys", || Say::plain("401 Unauthorized", "", b""), denied),
        (
            "no time",
            || Say::plain("503 Slow Down", "Retry-After: 7\r\n", b""),
            |error| matches!(error, SourceError::Busy { retry_after: Some(after), .. } if *after == Duration::from_secs(7)),
        ),
    ];
    for (what, answer, expected) in cases {
        let (_server, source) = scripted(move |_| answer());
        let delivered = OnceLock::new();
        let sink = FnSink(|offset, data: &[u8]| delivered.set((offset, data.len())).map_err(|_| "twice".into()));
        let error = source.fetch(&[ByteRange::at(10, 10)], &sink).unwrap_err();
        assert!(expected(&error), "{what}: {error:?}");
        assert!(!format!("{error:?}").contains('\x1b') && !error.to_string().contains('\x1b'), "{error:?}");
        // At most the bytes that were asked for, and only from an answer cut short.
        assert!(
            delivered.get().is_none_or(|&(offset, len)| what == "fewer bytes" && offset == 10 && len < 10),
            "{what}"
        );
    }
}

#[test]
fn nothing_goes_in_the_clear_unless_it_may() {
    let server = Scripted::start(|_| panic!("nothing is asked"));
    let endpoint = format!("http://{}", server.address());
    let settings = [("aws_endpoint", endpoint.as_str()), ("aws_skip_signature", "true")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    match ObjectSource::new("s3://bucket/x", &settings, HttpOptions::default()).unwrap().size() {
        Err(SourceError::Refused { reason, .. }) => assert!(reason.contains("allow_http"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(server.asked().is_empty());
}

#[test]
fn all_of_it_has_its_time() {
    for (left, say) in [
        (100, (|| Say::nothing().and_wait()) as fn() -> Say),
        (100, || part("10-19/1000", "one", &[1; 10]).cut(1).and_wait()),
        (0, || part("10-19/1000", "one", &[1; 10])),
    ] {
        let deadline = Instant::now() + Duration::from_millis(left);
        let options = HttpOptions { deadline: Some(deadline), ..HttpOptions::default() };
        let (_server, source) = scripted_with(options, move |_| say());
        match source.fetch(&[ByteRange::at(10, 10)], &FnSink(|_, _: &[u8]| Ok(()))) {
            Err(SourceError::Unreachable { is_transient: false, source, .. }) => {
                assert_eq!(source.to_string(), "the time for all of it is over");
            }
            other => panic!("{other:?}"),
        }
    }
}
