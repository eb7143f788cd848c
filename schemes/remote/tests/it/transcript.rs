//! What both sides say, byte for byte: neither may say anything else to a peer of this version.

use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use gosync_remote::{Asked, Line, State, Wish, ask};

use crate::support::{ALL, Kept, answer, pipes, wish};

/// The first flight that asks for `dir/x`, of which a file of 5 bytes is here, changed at 1.5 s.
const FIRST: &[u8] = b"\x89GSP\r\n\x1a\n\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \x01\x10\0\0\0\x08\x05dir/x\0\x05\x02\x80\xca\xb5\xee\x01";
const SAME: &[u8] = b"\x89GSP\r\n\x1a\n\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0";
const DONE: &[u8] = b"\x03\0\0\0";

fn state() -> State {
    State { length: 5, modified: SystemTime::UNIX_EPOCH + Duration::from_millis(1500) }
}

#[test]
fn the_side_that_updates() {
    let (line, mut reader, mut writer) = pipes();
    let sent = Arc::<Mutex<Vec<u8>>>::default();
    let line = Line { writer: Box::new(Kept { stream: line.writer, kept: sent.clone() }), ..line };
    writer.write_all(SAME).unwrap();
    let asked = ask(line, &Wish { file: Some(state()), ..wish("dir/x") }).unwrap();
    assert!(matches!(asked, Asked::Same(traffic) if traffic.received == SAME.len() as u64));
    drop(writer);
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    assert_eq!(*sent.lock().unwrap(), [FIRST, DONE].concat());
}

#[test]
fn the_side_that_serves() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("dir")).unwrap();
    let file = directory.path().join("dir/x");
    fs::write(&file, "hello").unwrap();
    let modified = state().modified;
    fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    let answer = |said: &[u8]| answer(said, directory.path(), ALL);
    let (out, served) = answer(&[FIRST, DONE].concat());
    assert_eq!(out, SAME);
    served.unwrap();
    // One that wants all of it: 5 bytes in a block, behind an index that comes with it.
    let mut wants = FIRST.to_vec();
    let length = wants.len() - 7;
    wants[length] = 6;
    let read = b"\x02\x04\0\0\x01\x01\0\x05";
    let (out, served) = answer(&[&wants, &read[..], DONE].concat());
    served.unwrap();
    let (hello, rest) = out.split_at(24);
    assert!(hello == &SAME[..24] && rest[0] == 0x11);
    let opened = 4 + usize::from(rest[1]);
    let index_length = usize::from(rest[5]) - 0x80 + (usize::from(rest[6]) << 7);
    assert_eq!(
        &rest[4..opened],
        [&[2, rest[5], rest[6], 5, 2, 0x80, 0xca, 0xb5, 0xee, 0x01, 1, 0, rest[5], rest[6], 0][..]].concat()
    );
    assert!((200..600).contains(&index_length));
    assert_eq!(rest[opened], 0x12);
    // The last message has the five bytes, as a raw block of the stream.
    assert!(out.ends_with(b"hello"));
}

#[test]
fn a_newer_peer_is_told_from_an_older_one() {
    let said = |hello: &[u8]| {
        let (line, reader, mut writer) = pipes();
        writer.write_all(hello).unwrap();
        drop(writer);
        let silent = thread::spawn(move || {
            let mut reader = reader;
            std::io::copy(&mut reader, &mut std::io::sink())
        });
        let error = ask(line, &wish("x")).err().unwrap().to_string();
        silent.join().unwrap().unwrap();
        error
    };
    let mut newer = SAME.to_vec();
    (newer[8], newer[9]) = (2, 3);
    assert!(said(&newer).contains("update gosync here"));
    let mut older = SAME.to_vec();
    (older[8], older[9]) = (0, 0);
    assert!(said(&older).contains("update gosync there"));
    let mut needs = SAME.to_vec();
    needs[19] = 0x80;
    assert!(said(&needs).contains("needs what this version does not know"));
    assert!(said(b"Last login: today\n").contains("start-up files"));
}
