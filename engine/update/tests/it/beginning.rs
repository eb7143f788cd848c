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
            let beginning = Beginning::read(&location, LIMIT, &options).unwrap();
            assert!(beginning.start() == &data[..len.min(START)], "{len}");
            assert!(beginning.parts().is_none());
            if whole {
                let document = beginning.read_all(LIMIT).unwrap();
                assert!(document.bytes == data, "{len}");
                assert_eq!((document.location, document.transfer.requests), (location, 0));
                assert_eq!(document.transfer.bytes, len as u64);
            } else {
                let (reader, transfer) = beginning.reader(LIMIT).unwrap();
                assert!(all(reader) == data, "{len}");
                assert_eq!(transfer, Transfer::default());
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
        let read = |limit| Beginning::read(&location, limit, &options).unwrap().read_all(limit);
        let document = read(len as u64).unwrap();
        assert_eq!(document.modified, Some(fs::metadata(&path).unwrap().modified().unwrap()));
        if len > 0 {
            let error = read(len as u64 - 1).unwrap_err();
            assert!(matches!(&error, Error::Read { path: of, .. } if *of == path), "{len}: {error:?}");
        }
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

    #[test]
    fn what_is_short_takes_one_get() {
        for len in [1, 10_000, START + 1, 4 * START] {
            let data = corpus::random(3, len);
            let (server, location) = serve(&data, Say::proper);
            let options = SourceOptions::default();
            let beginning = Beginning::read(&location, LIMIT, &options).unwrap();
            assert!(beginning.start() == data && beginning.parts().is_none(), "{len}");
            let document = beginning.read_all(LIMIT).unwrap();
            assert!(document.bytes == data, "{len}");
            assert_eq!((document.location, document.transfer), (location, Transfer { bytes: len as u64, requests: 1 }));
            assert_eq!(asked(&server), [("HEAD".into(), None), get(None)], "{len}");
        }
    }

    #[test]
    fn of_what_is_long_the_beginning_is_fetched_once() {
        let data = corpus::random(4, 200_000);
        let (server, location) = serve(&data, Say::proper);
        let options = SourceOptions::default();
        let beginning = Beginning::read(&location, LIMIT, &options).unwrap();
        let begun = [("HEAD".into(), None), get(Some((0, START - 1)))];
        assert!(beginning.start() == &data[..START]);
        assert_eq!(asked(&server), begun);
        let parts = beginning.parts().unwrap();
        assert!(parts.start == data[..START]);
        assert_eq!((parts.size, parts.transfer), (200_000, Transfer { bytes: START as u64, requests: 2 }));
        let (part, _) = read_ranges(&*parts.source, "there", &[ByteRange::at(150_000, 100)]).unwrap();
        assert!(part == data[150_000..150_100]);
        assert_eq!(asked(&server)[2..], [get(Some((150_000, 150_099)))], "nothing is asked again");

        let (reader, transfer) = beginning.reader(LIMIT).unwrap();
        assert!(all(reader) == data);
        assert_eq!(transfer, Transfer { bytes: (200_000 + START) as u64, requests: 3 });
        assert_eq!(asked(&server)[3..], [get(None)]);
    }

    #[test]
    fn a_server_without_parts_sends_all_of_it() {
        let data = corpus::random(5, 200_000);
        let (_server, location) = serve(&data, |asked, data| match asked.method.as_str() {
            "HEAD" => Say::proper(asked, data),
            _ => Say::plain("200 OK", "", data),
        });
        let options = SourceOptions::default();
        let beginning = Beginning::read(&location, LIMIT, &options).unwrap();
        assert!(beginning.start() == data && beginning.parts().is_none());
        assert!(beginning.read_all(LIMIT).unwrap().bytes == data);
    }

    #[test]
    fn a_server_need_not_tell_a_length() {
        let data = corpus::random(6, 100_000);
        let (_server, location) = serve(&data, |asked, data| match asked.method.as_str() {
            "HEAD" => Say::raw("200 OK", "", b"").and_hang_up(),
            _ => Say::chunked("200 OK", "", data),
        });
        let options = SourceOptions::default();
        assert!(Beginning::read(&location, LIMIT, &options).unwrap().read_all(LIMIT).unwrap().bytes == data);
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let options = SourceOptions::default();
        for len in [10_000, 200_000] {
            let (_server, location) = serve(&corpus::random(7, len), Say::proper);
            let limit = len as u64 - 1;
            let read = Beginning::read(&location, limit, &options).and_then(|beginning| beginning.read_all(limit));
            let error = read.unwrap_err();
            assert!(matches!(error, Error::Source(_)) && error.kind() == ErrorKind::Source, "{error:?}");
        }
    }
}
