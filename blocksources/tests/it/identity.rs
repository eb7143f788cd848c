//! Files that change while they are fetched, and those that only seem to.

use gosync_blocksources::cost::RangeSupport;
use gosync_blocksources::{HttpOptions, HttpSource};
use gosync_chunks::{ByteRange, Source, SourceError};
use gosync_testkit::corpus;
use gosync_testkit::hostile::{Asked, Say, Scripted};
use gosync_testkit::source::MemorySink;

const TAG: &str = "ETag: \"one\"\r\n";

fn data() -> Vec<u8> {
    corpus::random(11, 50_000)
}

fn source(server: &Scripted) -> HttpSource {
    HttpSource::new(&server.url(), HttpOptions { connections: 1, ..HttpOptions::default() }).unwrap()
}

fn fetch(source: &HttpSource, start: u64) -> Result<(), SourceError> {
    let ranges = [ByteRange::at(start, 10), ByteRange::at(start + 20_000, 10)];
    let sink = MemorySink::new(&ranges);
    source.fetch(&ranges, &sink)?;
    for (range, came) in ranges.iter().zip(sink.finish()) {
        assert_eq!(came, data()[range.start as usize..range.end as usize]);
    }
    Ok(())
}

fn whole(asked: &Asked) -> Asked {
    Asked { ranges: Vec::new(), ..asked.clone() }
}

#[test]
fn answers_of_one_file_need_not_look_alike() {
    type Headers = fn(&Asked) -> String;
    let cases: [(&str, Headers); 6] = [
        ("one for all", |_| TAG.into()),
        ("a tag of each machine", |asked| format!("ETag: \"node{}\"\r\n", asked.number % 2)),
        ("a tag of each answer", |asked| format!("ETag: \"{}\"\r\n", asked.ranges.len() * 1000 + asked.number)),
        ("a date of each machine", |asked| {
            format!(
                "Last-Modified: Sun, 06 Nov 1994 08:49:3{} GMT\r\nDate: Sun, 06 Nov 1994 08:59:39 GMT\r\n",
                asked.number % 2
            )
        }),
        ("the time of the request", |asked| {
            format!("Last-Modified: Sun, 06 Nov 1994 08:49:{:02} GMT\r\n", asked.number)
        }),
        ("another tag for HEAD", |asked| format!("ETag: \"{}\"\r\n", asked.method)),
    ];
    for (what, headers) in cases {
        let server = Scripted::start(move |asked| Say::proper_with(asked, &data(), &headers(asked)));
        let source = source(&server);
        assert_eq!(source.size().unwrap(), Some(50_000), "{what}");
        for start in [5, 9000, 20_000] {
            fetch(&source, start).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        assert_eq!(source.terms().support, RangeSupport::Several, "{what}");
        // A machine of another tag would send all of the file.
        assert!(server.asked().iter().all(|asked| asked.header("if-range").is_none()), "{what}");
    }
}

#[test]
fn another_length_is_another_file() {
    type Second = fn(&Asked) -> Say;
    let cases: [Second; 2] =
        [|asked| Say::proper_with(asked, &data()[1..], TAG), |asked| Say::proper_with(&whole(asked), &data()[1..], "")];
    for second in cases {
        let server = Scripted::start(move |asked| match asked.number {
            0 => Say::proper_with(asked, &data(), TAG),
            _ => second(asked),
        });
        let source = source(&server);
        fetch(&source, 5).unwrap();
        let ranges = [ByteRange::at(9000, 10), ByteRange::at(29_000, 10)];
        let error = source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap_err();
        assert!(matches!(error, SourceError::Changed { .. }) && !error.is_transient(), "{error:?}");
        assert!(error.to_string().contains("it had 50000 bytes and has 49999"), "{error}");
    }
}

#[test]
fn a_server_without_ranges_has_not_changed() {
    let server = Scripted::start(|asked| Say::proper_with(&whole(asked), &data(), TAG));
    let source = source(&server);
    assert_eq!(source.size().unwrap(), Some(50_000));
    for start in [5, 9000] {
        fetch(&source, start).unwrap();
    }
    assert!(source.terms().support < RangeSupport::Several);
}

#[test]
fn documents_go_on_where_they_broke_off() {
    let broken = |headers: &'static str, then: fn(&Asked, &str) -> Say| {
        let server = Scripted::start(move |asked| match asked.number {
            0 => Say::proper_with(asked, &data(), headers).cut(20_000),
            _ => then(asked, headers),
        });
        let read = source(&server).read_all(50_000);
        (read.map(|read| read == data()), server.asked().pop().unwrap())
    };
    // The scripted server does not read ranges without an end.
    let rest = |asked: &Asked, headers: &str| match asked.header("range") {
        Some("bytes=30000-") => Say::part(ByteRange { start: 30_000, end: 50_000 }, &data(), headers),
        _ => Say::proper_with(asked, &data(), headers),
    };
    let (read, last) = broken(TAG, rest);
    assert!(read.unwrap());
    assert_eq!(
        (last.header("range"), last.header("if-range"), last.number),
        (Some("bytes=30000-"), Some("\"one\""), 1)
    );

    let (read, last) = broken("", rest);
    assert!(read.unwrap());
    assert_eq!((last.header("range"), last.number), (None, 1), "nobody knows of what state it was");

    // Another state, all of it; ranges that were not asked for; none at all.
    let (read, _) = broken(TAG, |asked, _| Say::proper_with(&whole(asked), &data(), "ETag: \"two\"\r\n"));
    assert!(read.unwrap());
    for wrong in [
        |asked: &Asked, headers: &str| match asked.header("range") {
            Some(_) => Say::part(ByteRange { start: 20_000, end: 50_000 }, &data(), headers),
            None => Say::proper_with(asked, &data(), headers),
        },
        |asked: &Asked, headers: &str| match asked.header("range") {
            Some(_) => Say::part(ByteRange { start: 30_000, end: 50_000 }, &data(), "ETag: \"two\"\r\n"),
            None => Say::proper_with(asked, &data(), headers),
        },
        |asked: &Asked, headers: &str| match asked.header("range") {
            Some(_) => Say::plain("416 Range Not Satisfiable", "", b""),
            None => Say::proper_with(asked, &data(), headers),
        },
    ] {
        let (read, last) = broken(TAG, wrong);
        assert!(read.unwrap());
        assert_eq!((last.header("range"), last.number), (None, 2));
    }
}
