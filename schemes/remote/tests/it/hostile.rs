//! Peers that lie, each way.

use std::fs;
use std::io::{self, Read, Write};
use std::thread;

use gosync_chunks::ByteRange;
use gosync_remote::{Asked, Place, ServeError, ask, serve};
use gosync_testkit::corpus;
use gosync_testkit::source::MemorySink;

use crate::support::{ALL, FarSide, answer, pipes, wish, write_all};

const HELLO: &[u8] = b"\x89GSP\r\n\x1a\n\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = (body.len() as u32).to_le_bytes();
    [&[kind, a, b, c], body].concat()
}

/// What asking a far side comes to that says this, and nothing more.
fn asked(said: &[u8]) -> Result<bool, String> {
    let (line, mut reader, mut writer) = pipes();
    let said = said.to_vec();
    let there = thread::spawn(move || {
        let _ = writer.write_all(&said);
        drop(writer);
        let _ = io::copy(&mut reader, &mut io::sink());
    });
    let asked = ask(line, &wish("x")).map(|asked| matches!(asked, Asked::Same(_)));
    there.join().unwrap();
    asked.map_err(|error| error.to_string())
}

#[test]
fn far_sides_that_lie() {
    let opened = |body: &[u8]| [HELLO, &message(0x11, body)].concat();
    for (name, said) in [
        ("nothing", vec![]),
        ("half a hello", HELLO[..12].to_vec()),
        ("only a hello", HELLO.to_vec()),
        ("noise", corpus::random(1, 100_000)),
        ("a kind that there is not", [HELLO, &message(0x77, b"")].concat()),
        ("a message of ours", [HELLO, &message(2, &[0, 0])].concat()),
        ("a length of 16 MB", [HELLO, &[0x11, 0xff, 0xff, 0xff]].concat()),
        ("a message that ends early", [HELLO, &[0x11, 100, 0, 0], &[0; 50]].concat()),
        ("data at once", [HELLO, &message(0x12, b"data")].concat()),
        ("an empty answer", opened(b"")),
        ("flags", opened(&[0xff, 9, 9, 0, 0])),
        ("absurd lengths", opened(&[&[0][..], &[0xff; 9], &[1], &[0xff; 9], &[1, 0, 0]].concat())),
        ("absurd counts", opened(&[0, 100, 100, 0xff, 0xff, 0xff, 0xff, 0x0f, 0])),
        ("ranges that are not in it", opened(&[0, 100, 100, 1, 90, 20, 0])),
        ("ranges of nothing", opened(&[0, 100, 100, 1, 0, 0, 0])),
        ("too much unasked", opened(&[0, 0x80, 0x80, 0x80, 0x80, 1, 1, 1, 0, 0x80, 0x80, 0x80, 0x80, 1, 0])),
        ("unasked bytes that do not come", opened(&[0, 100, 100, 1, 0, 100, 0])),
        (
            "unasked bytes that are no zstd",
            [&*opened(&[0, 100, 100, 1, 0, 100, 0]), &message(0x12, b"rubbish")].concat(),
        ),
        ("messages with nothing in them", [&*opened(&[0, 100, 100, 1, 0, 100, 0]), &message(0x12, b"")].concat()),
        ("no index", opened(&[0, 0, 0, 0, 0])),
        ("a time that is none", opened(&[2, 9, 9, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])),
        ("a reason that is too long", [HELLO, &message(0x14, &[1, 0xff, 0x7f])].concat()),
    ] {
        let error = asked(&said).expect_err(name);
        assert!(!error.chars().any(char::is_control), "{name}: {error}");
    }
    assert_eq!(asked(&[HELLO, &message(0x15, b""), &message(0x15, b""), &message(0x13, b"")].concat()), Ok(true));
    let told = asked(&[HELLO, &message(0x14, b"\x04\x08no\x1b]0;x\x07")].concat()).unwrap_err();
    assert_eq!(told, "there does not deliver: no?]0;x?");
}

#[test]
fn more_than_was_asked_for_reaches_nobody() {
    let (line, mut reader, mut writer) = pipes();
    let directory = tempfile::tempdir().unwrap();
    write_all(directory.path(), &[("x", &corpus::random(2, 100_000))]);
    let root = directory.path().to_owned();
    // A far side that answers each request as if it were for twice as much.
    let there = thread::spawn(move || {
        let (inner, side) = FarSide::start(&root);
        let (mut from, mut to) = (inner.reader, inner.writer);
        let both = thread::spawn(move || io::copy(&mut from, &mut writer).map(drop));
        let mut first = [0; 24 + 4 + 5];
        reader.read_exact(&mut first).unwrap();
        to.write_all(&first).unwrap();
        let mut request = [0; 4 + 4];
        reader.read_exact(&mut request).unwrap();
        request[7] *= 2;
        to.write_all(&request).unwrap();
        let _ = io::copy(&mut reader, &mut to);
        drop(to);
        let _ = both.join().unwrap();
        let _ = side.end();
    });
    let Asked::Far(far) = ask(line, &wish("x")).unwrap() else { panic!("nothing is here") };
    let wanted = [ByteRange::at(0, 40)];
    let error = far.source.fetch(&wanted, &MemorySink::new(&wanted)).unwrap_err();
    assert_eq!(error.to_string(), "there does not deliver: it sends more than was asked for");
    let error = far.source.fetch(&wanted, &MemorySink::new(&wanted)).unwrap_err();
    assert!(error.to_string().contains("cannot reach there"), "{error}");
    drop(far);
    there.join().unwrap();
}

#[test]
fn updating_sides_that_lie() {
    let directory = tempfile::tempdir().unwrap();
    write_all(directory.path(), &[("root/x", b"hello"), ("secret", b"secret")]);
    fs::create_dir(directory.path().join("root/.ssh")).unwrap();
    let open = |path: &[u8]| message(1, &[&[0, 0, path.len() as u8], path, &[0]].concat());
    let wants = [HELLO, &open(b"x")].concat();
    let read = |body: &[u8]| [&*wants, &message(2, body)].concat();
    let done = message(3, b"");
    let pushes = [HELLO, &message(1, b"\x01\0\x01y\0")].concat();
    for (name, said) in [
        ("nothing", vec![]),
        ("noise", corpus::random(3, 100_000)),
        ("a request of HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("only a hello", HELLO.to_vec()),
        ("a wish that is none", [HELLO, &message(1, b"\0")].concat()),
        ("another role", [HELLO, &message(1, b"\x02\0\x01x\0")].concat()),
        ("flags", [HELLO, &message(1, b"\0\xe0\x01x\0")].concat()),
        ("a push of nothing", [HELLO, &message(1, b"\x01\0\x01x\0")].concat()),
        (
            "a push of absurd lengths",
            [&*pushes, &message(0x11, &[&[0][..], &[0xff; 9], &[1, 1, 0, 0]].concat())].concat(),
        ),
        ("a push of no index", [&*pushes, &message(0x11, &[0, 9, 9, 1, 0, 9, 0]), &message(0x12, b"no zstd")].concat()),
        ("a push of a wish", [&*pushes, &open(b"x")].concat()),
        ("a read at once", [HELLO, &message(2, b"\0\0")].concat()),
        ("a wish of 16 MB", [HELLO, &[1, 0xff, 0xff, 0xff]].concat()),
        ("a path that goes up", [HELLO, &open(b"../secret"), &done].concat()),
        ("a path with a zero", [HELLO, &open(b"x\0y"), &done].concat()),
        ("two wishes", [&*wants, &open(b"x")].concat()),
        ("a read of something else", read(&[2, 1, 0, 1])),
        ("a read past the end", read(&[1, 1, 0, 6])),
        ("a read of nothing", read(&[1, 1, 0, 0])),
        ("absurd counts", read(&[1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1])),
        ("ranges that overflow", read(&[&[1, 2, 0, 5][..], &[0xff; 9], &[1, 1]].concat())),
        ("more behind the ranges", read(&[1, 1, 0, 5, 0])),
        ("goodbye with a body", [&*wants, &message(3, b"x")].concat()),
        ("an early end", wants.clone()),
    ] {
        let (out, served) = answer(&said, &directory.path().join("root"), ALL);
        assert!(served.is_err(), "{name}");
        assert!(out.len() < 2000 && !out.windows(6).any(|window| window == b"secret"), "{name}");
        if !matches!(served, Err(ServeError::Io(_))) {
            let refused = out.iter().rposition(|&byte| byte == 0x14);
            assert!(refused.is_some(), "{name}: it is not told why");
        }
    }
    assert!(!directory.path().join("root/y").exists());
    // One that does not read what it asked for holds nothing up but itself.
    let place = Place::beneath(&directory.path().join("root")).unwrap();
    let (there, here) = io::pipe().unwrap();
    drop(there);
    let said = [read(&[1, 1, 0, 5]), done].concat();
    assert!(matches!(serve(io::Cursor::new(said), here, &place, ALL, || ()), Err(ServeError::Io(_))));
}
