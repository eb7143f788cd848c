//! Indexes that are opened: how much of them is read, and where their targets are.

use std::cell::Cell;
use std::io::{self, Cursor, Read};
use std::rc::Rc;

use gosync::sources::Location;
use gosync::{ErrorKind, Format, Index, ReadOptions, open_reader};
use gosync_testkit::corpus;

use crate::support::{options, with_publisher};

/// Indexes of both formats, short and long, with what they are called.
fn indexes() -> Vec<(String, Index, Vec<u8>)> {
    let mut indexes = Vec::new();
    for format in [Format::Layered, Format::GoSync] {
        for len in [0, 10_000, 1_000_000] {
            let target = corpus::random(1, len);
            let index = with_publisher(format, &options(&[1024], None), |publisher| {
                publisher.build_of(&target, Some("new")).unwrap()
            });
            let mut bytes = Vec::new();
            index.write(&mut bytes).unwrap();
            indexes.push((format!("{format} of {len}"), index, bytes));
        }
    }
    indexes
}

struct Counted<R>(R, Rc<Cell<usize>>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.set(self.1.get() + read);
        Ok(read)
    }
}

#[test]
fn readers_give_as_much_as_the_head_says() {
    let location: Location = "http://host/new.gosync".parse().unwrap();
    for (name, index, bytes) in indexes() {
        let opened = open_reader(Cursor::new(bytes.clone()), &location, &ReadOptions::default()).unwrap();
        assert_eq!((&opened.index, opened.transfer.bytes), (&index, bytes.len() as u64), "{name}");
        for (then, byte) in [("zeros", 0), ("line ends", b'\n')] {
            let read = Rc::new(Cell::new(0));
            let endless = Counted(Cursor::new(bytes.clone()).chain(io::repeat(byte)), read.clone());
            let error = open_reader(endless, &location, &ReadOptions::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}, then {then}: {error:?}");
            assert!(read.get() <= bytes.len() + (12 << 10), "{name}, then {then}: {}", read.get());
        }
    }
    for byte in [0, b'G', 0x89] {
        let error = open_reader(io::repeat(byte), &location, &ReadOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[cfg(feature = "http")]
mod http {
    use super::*;
    use std::fs;

    use gosync::Error;
    use gosync::sources::{SourceOptions, open_sources};
    use gosync_testkit::hostile::{Asked, Say, Scripted};

    use crate::support::{open_seeds, patch};

    fn open(location: &Location) -> Result<gosync::OpenedIndex, Error> {
        gosync::open(location, &ReadOptions::default(), &SourceOptions::default())
    }

    fn url(server: &Scripted, path: &str) -> Location {
        server.url().replace("/file", path).parse().unwrap()
    }

    /// What a server sends that has no end: with and without a length, after an index, and after
    /// nothing of the kind.
    #[test]
    fn servers_may_send_for_ever() {
        for (name, _, bytes) in indexes() {
            for headers in ["", "Content-Length: 99999999999\r\n"] {
                for answer in [&bytes[..], &[0; 5], &bytes[..bytes.len() / 2]] {
                    let answer = [answer, &[0; 1 << 20]].concat();
                    let server = Scripted::start(move |_| Say::raw("200 OK", headers, &answer).and_dribble());
                    let error = open(&url(&server, "/new.gosync")).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error:?}");
                    assert_eq!(server.asked().len(), 1, "{name}: {:?}", server.asked());
                }
            }
        }
    }

    /// Of what has another length than the head says no more is fetched than the beginning.
    #[test]
    fn another_length_is_noticed_at_once() {
        for (name, _, bytes) in indexes() {
            for wrong in [[bytes.as_slice(), b"x"].concat(), bytes[..bytes.len() - 1].to_vec()] {
                let server = Scripted::start(move |asked| Say::proper(asked, &wrong));
                let error = open(&url(&server, "/new.gosync")).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}");
                assert_eq!(server.asked().len(), 1, "{name}: {:?}", server.asked());
            }
        }
    }

    #[test]
    fn whatever_a_server_knows_of_ranges_nothing_comes_twice() {
        let target = corpus::random(3, 1_000_000);
        let index = with_publisher(Format::Layered, &options(&[4096, 64], None), |publisher| {
            publisher.build_of(&target, Some("new")).unwrap()
        });
        let mut bytes = Vec::new();
        index.write(&mut bytes).unwrap();
        for ranges in [true, false] {
            let answer = bytes.clone();
            let server = Scripted::start(move |asked| match ranges {
                true => Say::proper(asked, &answer),
                false => Say::chunked("200 OK", "", &answer),
            });
            let opened = open(&url(&server, "/new.gosync")).unwrap();
            assert_eq!(opened.index, index);
            assert_eq!(opened.transfer.bytes, if ranges { 12 << 10 } else { bytes.len() as u64 });
            let methods: Vec<String> = server.asked().into_iter().map(|asked| asked.method).collect();
            assert_eq!(methods, ["GET"]);
        }
    }

    /// GitHub's releases lead to another host under other names, where a target is only beside the
    /// URL that was given; GitLab's lead to another folder, and a target is only there.
    #[test]
    fn targets_are_beside_the_url_or_beside_where_it_led() {
        let target = corpus::random(2, 200_000);
        for compress in [None, Some(3)] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("new"), &target).unwrap();
            let payload = Location::from(directory.path().join("new.payload"));
            let index = with_publisher(Format::Layered, &options(&[], compress), |publisher| {
                let payload = compress.is_some().then_some(&payload);
                publisher.build(&directory.path().join("new"), payload).unwrap()
            });
            let mut bytes = Vec::new();
            index.write(&mut bytes).unwrap();
            let name = index.info().source_name().unwrap().as_str().to_owned();
            let published = fs::read(directory.path().join(&name)).unwrap();
            for beside_the_url in [true, false] {
                let (bytes, published, name) = (bytes.clone(), published.clone(), name.clone());
                let other = Scripted::start(move |asked| match asked.path.split('?').next().unwrap() {
                    "/jobs/index" => Say::proper(asked, &bytes),
                    path if path == format!("/jobs/{}", if beside_the_url { "asset" } else { &name }) => {
                        Say::proper(asked, &published)
                    }
                    _ => Say::plain("404 Not Found", "", b"no"),
                });
                let led = move |path: &str| {
                    let to = other.url().replace("/file", &format!("/jobs/{path}?signature=x"));
                    Say::plain("302 Found", &format!("Location: {to}\r\n"), b"")
                };
                let server = Scripted::start(move |asked: &Asked| match asked.path.as_str() {
                    "/latest/new.gosync" => led("index"),
                    "/latest/new" | "/latest/new.payload" if beside_the_url => led("asset"),
                    _ => Say::plain("404 Not Found", "", b"no"),
                });
                let opened = open(&url(&server, "/latest/new.gosync")).unwrap();
                assert_ne!(opened.found_at, opened.location);
                let sources = opened.default_sources();
                assert_eq!(sources.len(), 2);
                let length = opened.index.info().source_length();
                let source = open_sources(&sources, Some(length), &SourceOptions::default()).unwrap();
                let out = directory.path().join("out");
                patch(&opened.index, &open_seeds(&opened.index, ["none"]), &*source, &out, &()).unwrap();
                assert!(fs::read(&out).unwrap() == target);
            }
        }
    }
}
