//! What was published is opened, and its first bytes are read once.

use std::fs;
use std::io::{self, Read};

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{ErrorKind, Transfer};
use gosync_testkit::corpus;
use gosync_update::{Beginning, Error};

/// Bytes that are read at first.
const START: usize = 12 << 10;

const LIMIT: u64 = 1 << 20;

fn all(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A pipe gives its bytes only once.
#[cfg(unix)]
#[test]
fn of_a_path_no_byte_is_read_twice() {
    let directory = tempfile::tempdir().unwrap();
    let options = SourceOptions::default();
    for (at, len) in [0, 5, START - 1, START, START + 1, 300_000].into_iter().enumerate() {
        let data = corpus::random(1, len);
        for whole in [false, true] {
            let pipe = directory.path().join(format!("pipe-{at}-{whole}"));
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let writer = std::thread::spawn({
                let (pipe, data) = (pipe.clone(), data.clone());
                move || fs::write(pipe, data).unwrap()
            });
            let location = Location::from(pipe);
            let mut beginning = Beginning::read(&location, LIMIT, &options).unwrap();
            assert!(beginning.start() == &data[..len.min(START)], "{len}");
            assert!(beginning.parts().is_none());
            if whole {
                beginning.read_to(LIMIT).unwrap();
                let document = beginning.into_document();
                assert!(document.bytes == data, "{len}");
                assert_eq!((document.location, document.transfer.requests), (location, 0));
                assert_eq!(document.transfer.bytes, len as u64);
            } else {
                assert!(all(beginning.reader().unwrap()) == data, "{len}");
            }
            writer.join().unwrap();
        }
    }
}

#[test]
fn files_have_a_date_and_a_limit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let options = SourceOptions::default();
    let location = Location::from(path.clone());
    for len in [0, 100, START, 50_000] {
        fs::write(&path, corpus::random(2, len)).unwrap();
        let mut beginning = Beginning::read(&location, len as u64, &options).unwrap();
        beginning.read_to(len as u64).unwrap();
        let error = beginning.read_to(len as u64 + 1).unwrap_err();
        assert!(matches!(&error, Error::Read { path: of, .. } if *of == path), "{len}: {error:?}");
        let document = beginning.into_document();
        assert_eq!(document.modified, Some(fs::metadata(&path).unwrap().modified().unwrap()));
        assert_eq!(document.bytes.len(), len);
    }
    for (path, kind) in [
        (directory.path().to_owned(), io::ErrorKind::IsADirectory),
        (directory.path().join("none"), io::ErrorKind::NotFound),
    ] {
        let location = Location::from(path.clone());
        let error = Beginning::read(&location, LIMIT, &options).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Other);
        let Error::Read { path: of, source } = error else { panic!("{error:?}") };
        assert_eq!((of, source.kind()), (path, kind));
    }
}

#[cfg(feature = "http")]
mod http {
    use super::*;
    use gosync_blocksources::read_ranges;
    use gosync_chunks::ByteRange;
    use gosync_testkit::hostile::{Asked, Say, Scripted};

    fn serve(data: &[u8], say: impl Fn(&Asked, &[u8]) -> Say + Send + Sync + 'static) -> (Scripted, Location) {
        let data = data.to_vec();
        let server = Scripted::start(move |asked| say(asked, &data));
        let location = server.url().parse().unwrap();
        (server, location)
    }

    /// What the server was asked: the method, and first and last byte.
    fn asked(server: &Scripted) -> Vec<(String, Option<(usize, usize)>)> {
        server.asked().into_iter().map(|asked| (asked.method, asked.range)).collect()
    }

    fn get(range: Option<(usize, usize)>) -> (String, Option<(usize, usize)>) {
        ("GET".into(), range)
    }

    fn read(location: &Location) -> Beginning {
        Beginning::read(location, LIMIT, &SourceOptions::default()).unwrap()
    }

    /// The range of the first request.
    const FIRST: Option<(usize, usize)> = Some((0, START - 1));

    #[test]
    fn what_is_short_takes_one_get_or_two() {
        for len in [0, 1, 10_000, START, START + 1, 4 * START] {
            let data = corpus::random(3, len);
            let (server, location) = serve(&data, Say::proper);
            let mut beginning = read(&location);
            assert!(beginning.start() == &data[..len.min(START)] && beginning.parts().is_none(), "{len}");
            assert_eq!(beginning.size(), Some(len as u64));
            beginning.read_to(len as u64).unwrap();
            assert!(!beginning.is_followed());
            let document = beginning.into_document();
            assert!(document.bytes == data, "{len}");
            let rest = (len > START).then(|| get(Some((START, len - 1))));
            let expected: Vec<_> = std::iter::once(get(FIRST)).chain(rest).collect();
            let transfer = Transfer { bytes: len as u64, requests: expected.len() as u64 };
            assert_eq!((document.location, document.transfer), (location, transfer));
            assert_eq!(asked(&server), expected, "{len}");
        }
    }

    #[test]
    fn of_what_is_long_the_beginning_is_fetched_once() {
        let data = corpus::random(4, 200_000);
        let (server, location) = serve(&data, Say::proper);
        let mut beginning = read(&location);
        assert!(beginning.start() == &data[..START]);
        assert_eq!(asked(&server), [get(FIRST)]);
        let parts = beginning.parts().unwrap();
        assert!(parts.start == data[..START]);
        assert_eq!((parts.size, parts.transfer), (Some(200_000), Transfer { bytes: START as u64, requests: 1 }));
        let (part, _) = read_ranges(&*parts.source, "there", &[ByteRange::at(150_000, 100)]).unwrap();
        assert!(part == data[150_000..150_100]);
        assert_eq!(asked(&server)[1..], [get(Some((150_000, 150_099)))], "nothing is asked again");

        beginning.read_to(100_000).unwrap();
        assert!(beginning.start() == &data[..100_000]);
        assert_eq!(asked(&server)[2..], [get(Some((START, 99_999)))]);
    }

    #[test]
    fn no_head_is_asked_for_and_no_byte_comes_twice() {
        // The right answer, and ways to give it: of a server without ranges, of one that refuses
        // them, with a length and without.
        type Answer = fn(&Asked, &[u8]) -> Say;
        let answers: [(&str, Answer, usize); 6] = [
            ("200", |_, data| Say::plain("200 OK", "", data), 1),
            ("200 in chunks", |_, data| Say::chunked("200 OK", "", data), 1),
            ("200 without a length", |_, data| Say::raw("200 OK", "", data).and_hang_up(), 1),
            ("416", refusing("416 Range Not Satisfiable"), 2),
            ("501", refusing("501 Not Implemented"), 2),
            (
                "another range",
                |asked, data| match asked.range {
                    Some(_) => Say::part(ByteRange::at(5, 100), data, ""),
                    None => Say::plain("200 OK", "", data),
                },
                2,
            ),
        ];
        let data = corpus::random(5, 200_000);
        for (name, answer, requests) in answers {
            let (server, location) = serve(&data, answer);
            let mut beginning = read(&location);
            assert!(beginning.start() == &data[..START] && beginning.parts().is_none(), "{name}");
            beginning.read_to(150_000).unwrap();
            assert!(beginning.start() == &data[..150_000] && beginning.is_followed(), "{name}");
            let modified = server.asked();
            assert_eq!(modified.len(), requests, "{name}: {modified:?}");
            assert!(modified.iter().all(|asked| asked.method == "GET"), "{name}");
        }
    }

    fn refusing(status: &'static str) -> fn(&Asked, &[u8]) -> Say {
        // A function pointer cannot hold the status.
        match status {
            "501 Not Implemented" => |asked, data| match asked.range {
                Some(_) => Say::plain("501 Not Implemented", "", b"no"),
                None => Say::plain("200 OK", "", data),
            },
            _ => |asked, data| match asked.range {
                Some(_) => Say::plain("416 Range Not Satisfiable", "", b"no"),
                None => Say::plain("200 OK", "", data),
            },
        }
    }

    #[test]
    fn a_server_may_send_for_ever() {
        let data = corpus::random(6, 100_000);
        for headers in ["", "Content-Length: 99999999999\r\n"] {
            let (server, location) = serve(&data, move |_, data| Say::raw("200 OK", headers, data).and_dribble());
            let options = SourceOptions::default();
            let mut beginning = Beginning::read(&location, u64::MAX, &options).unwrap();
            beginning.read_to(100_000).unwrap();
            assert!(beginning.start() == data && beginning.is_followed());
            assert_eq!(server.asked().len(), 1);
        }
    }

    #[test]
    fn where_a_redirect_led_and_the_date_come_with_the_beginning() {
        let data = corpus::random(7, 100_000);
        let headers = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        let (there, led) = serve(&data, move |asked, data| Say::proper_with(asked, data, headers));
        let to = format!("Location: {}\r\n", there.url());
        let (_here, location) = serve(&data, move |_, _| Say::plain("302 Found", &to, b""));
        let beginning = read(&location);
        assert_eq!((beginning.location(), beginning.found_at()), (&location, &led));
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
        assert_eq!(beginning.into_document().modified, Some(date));
    }

    #[test]
    fn a_beginning_that_breaks_off_is_gone_on_with() {
        let data = corpus::random(8, 100_000);
        for (etag, second) in [("ETag: \"one\"\r\n", Some((5000, START - 1))), ("", FIRST)] {
            let (server, location) = serve(&data, move |asked, data| match asked.number {
                0 => Say::proper_with(asked, data, etag).cut(START - 5000),
                _ => Say::proper_with(asked, data, etag),
            });
            assert!(read(&location).start() == &data[..START]);
            assert_eq!(asked(&server), [get(FIRST), get(second)]);
        }
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        for len in [10_000, 200_000] {
            let (_server, location) = serve(&corpus::random(7, len), Say::proper);
            let limit = len as u64 - 1;
            let read = Beginning::read(&location, limit, &SourceOptions::default());
            let error = read.and_then(|mut beginning| beginning.read_to(limit + 1)).unwrap_err();
            assert!(matches!(error, Error::Source(_)) && error.kind() == ErrorKind::Source, "{error:?}");
        }
    }
}
