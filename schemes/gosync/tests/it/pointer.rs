//! Pointers from the outside: FORMAT.md's example, what is refused, and what is followed.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, SystemTime};

use gosync::pointer::{Latest, Pointer, PointerError, Seen};
use gosync::publish::TargetName;
use gosync::sources::{Location, SourceOptions};
use gosync::update::Beginning;
use gosync::{Error, ErrorKind, Index, ReadOptions};

use crate::golden::{FOX, assert_bytes};
use crate::{bytes, native_index, root};

const ONE_YEAR: u64 = 365 * 24 * 60 * 60;
const DECEMBER: u64 = 1_764_547_200;

fn name(text: &str) -> TargetName {
    TargetName::new(text).unwrap()
}

/// The example of the page.
fn fox() -> Pointer {
    let index = native_index(&FOX.repeat(5), &[128, 64], "fox.txt");
    let head = *blake3::hash(index.layered().unwrap().head()).as_bytes();
    Pointer {
        name: name("fox.txt"),
        serial: 7,
        published_at: DECEMBER,
        expires_at: Some(DECEMBER + ONE_YEAR),
        index: name(&format!("fox.txt-7-{}.gosync", &blake3::Hash::from(head).to_hex()[..16])),
        head,
    }
}

#[test]
fn the_example_is_what_is_written() {
    let bytes = fox().encode();
    assert_bytes(&root().join("schemes/gosync/tests/vectors/fox.gosync-latest"), &bytes);
    assert_eq!(Pointer::read(&bytes).unwrap(), (fox(), bytes.len()));
    let signed = [&bytes, &b"untrusted comment: anything"[..]].concat();
    assert_eq!(Pointer::read(&signed).unwrap(), (fox(), bytes.len()));
}

#[test]
fn the_largest_is_small() {
    let longest = |letter: &str| name(&letter.repeat(255));
    let pointer = Pointer { serial: u64::MAX, name: longest("n"), index: longest("i"), ..fox() };
    let bytes = pointer.encode();
    assert_eq!(Pointer::read(&bytes).unwrap().0, pointer);
    // With a signature as this program makes them, it is below a kilobyte.
    assert!(bytes.len() < 650);
}

#[test]
fn every_change_and_every_end_is_noticed() {
    let good = fox().encode();
    for at in 0..good.len() {
        assert!(Pointer::read(&good[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut flipped = good.clone();
            flipped[at] ^= 1 << bit;
            assert!(Pointer::read(&flipped).is_err(), "bit {bit} of byte {at}");
        }
    }
}

/// Fields put together by hand under a good checksum.
fn by_hand(version: u16, flags: u16, fields: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89GOSYLT\n".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend((fields.len() as u32).to_le_bytes());
    bytes.extend(fields);
    bytes.extend(blake3::hash(&bytes).as_bytes());
    bytes
}

fn fields(serial: u64, published: u64, expires: u64, names: [&[u8]; 2]) -> Vec<u8> {
    let mut fields = [serial, published, expires].map(u64::to_le_bytes).concat();
    fields.extend([7; 32]);
    for name in names {
        fields.push(name.len() as u8);
        fields.extend(name);
    }
    fields
}

#[test]
fn hostile_pointers_are_refused() {
    let good = fields(1, 0, 0, [b"x", b"x.gosync"]);
    assert!(Pointer::read(&by_hand(1, 0, &good)).is_ok());
    assert!(matches!(Pointer::read(&by_hand(2, 0, &good)), Err(PointerError::Version { version: 2 })));
    let long = [&good[..], &[0; 1000]].concat();
    for (bytes, words) in [
        (by_hand(1, 1, &good), "flags"),
        (by_hand(1, 0, &long), "too long"),
        (by_hand(1, 0, &long[..good.len() + 1]), "more than its fields"),
        (by_hand(1, 0, &good[..good.len() - 1]), "cut off"),
        (by_hand(1, 0, &good[..20]), "cut off"),
        (by_hand(1, 0, b""), "cut off"),
        (by_hand(1, 0, &fields(0, 0, 0, [b"x", b"y"])), "cannot be"),
        (by_hand(1, 0, &fields(1, 5, 5, [b"x", b"y"])), "cannot be"),
        (by_hand(1, 0, &fields(1, u64::MAX, 1, [b"x", b"y"])), "cannot be"),
        (by_hand(1, 0, &fields(1, 0, 0, [b"\xff", b"y"])), "no text"),
        (b"\x89GOSYLT\r\n".repeat(20), "line ends"),
        (b"<html>".to_vec(), "does not begin"),
        ([&b"\x89GOSYLT\n\x01\0\0\0\xff\xff\xff\xff"[..], &[0; 4000]].concat(), "too long"),
    ] {
        let error = Pointer::read(&bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error:?}");
    }
    let names: [&[u8]; 12] = [
        b"",
        b".",
        b"..",
        b"../x",
        b"/etc/passwd",
        b"a/b",
        b"a\\b",
        b"C:x",
        b"a\0b",
        b"a\nb",
        b"\x1b[2J",
        b"https://example.org/x",
    ];
    for hostile in names {
        for names in [[hostile, b"y"], [b"x", hostile]] {
            let read = Pointer::read(&by_hand(1, 0, &fields(1, 0, 0, names)));
            assert!(matches!(read, Err(PointerError::Name(_))), "{hostile:?}: {read:?}");
        }
    }
}

fn latest(bytes: Vec<u8>, location: &str) -> Result<Latest, Error> {
    let location: Location = location.parse().unwrap();
    Latest::read(Beginning::of(Cursor::new(bytes), &location, None, 1 << 20).unwrap(), None)
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn a_pointer_is_of_what_was_asked_for() {
    for location in ["https://host/a/fox.txt.gosync-latest?token=1", "fox.txt.gosync-latest", "https://host/any"] {
        assert_eq!(latest(fox().encode(), location).unwrap().pointer, fox());
    }
    let error = latest(fox().encode(), "https://host/hen.txt.gosync-latest").unwrap_err();
    assert!(matches!(&error, Error::Pointer { source: PointerError::OtherName { .. }, .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let long = [fox().encode(), vec![b'x'; 5000]].concat();
    assert_eq!(latest(long, "fox.txt.gosync-latest").unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn time_and_versions_only_go_forward() {
    let found = latest(fox().encode(), "fox.txt.gosync-latest").unwrap();
    assert!(found.check_time(at(DECEMBER + ONE_YEAR - 1)).is_ok());
    let expired = found.check_time(at(DECEMBER + ONE_YEAR)).unwrap_err();
    assert!(
        matches!(expired, Error::Pointer { source: PointerError::Expired { ref at }, .. } if at == "2026-12-01 00:00 UTC")
    );

    let index = native_index(&FOX.repeat(5), &[128, 64], "fox.txt");
    let index = index.layered().unwrap();
    let check = |seen: Pointer| {
        let bytes = Seen::bytes(&seen, index);
        found.check_seen(&Seen::read(&bytes, Path::new("kept")).unwrap())
    };
    for seen in [fox(), Pointer { serial: 6, ..fox() }, Pointer { serial: 9, name: name("hen.txt"), ..fox() }] {
        assert!(check(seen).is_ok());
    }
    let rollback = check(Pointer { serial: 8, ..fox() }).unwrap_err();
    assert!(matches!(rollback, Error::Pointer { source: PointerError::Rollback { serial: 7, seen: 8, .. }, .. }));
    let replaced = check(Pointer { published_at: 1, ..fox() }).unwrap_err();
    assert!(matches!(replaced, Error::Pointer { source: PointerError::Replaced { serial: 7, .. }, .. }));
}

#[test]
fn the_index_has_to_be_the_one_that_is_pointed_to() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let pointer = fox();
    fs::write(place("fox.txt.gosync-latest"), pointer.encode()).unwrap();
    let open = || {
        let location = Location::from(place("fox.txt.gosync-latest"));
        let options = SourceOptions::default();
        let latest = Latest::read(Beginning::read(&location, 1 << 20, &options).unwrap(), None).unwrap();
        latest.open(None, None, &ReadOptions::default(), &options)
    };
    assert_eq!(open().unwrap_err().kind(), ErrorKind::Other, "it is not there");
    let right: Index = native_index(&FOX.repeat(5), &[128, 64], "fox.txt");
    fs::write(place(pointer.index.as_str()), bytes(&right)).unwrap();
    let opened = open().unwrap();
    assert_eq!(opened.index, right);
    assert_eq!(opened.default_source(), Some(place("fox.txt").into()), "what the index names is beside it");
    for other in [native_index(&FOX.repeat(4), &[128, 64], "fox.txt"), crate::legacy_index(FOX, 16)] {
        fs::write(place(pointer.index.as_str()), bytes(&other)).unwrap();
        let error = open().unwrap_err();
        assert!(matches!(&error, Error::Pointer { source: PointerError::OtherIndex { .. }, .. }), "{error:?}");
    }
}

#[test]
fn what_was_seen_is_kept_beside_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.img");
    assert_eq!(Seen::beside(&file).unwrap(), None);
    let index = native_index(&FOX.repeat(5), &[128, 64], "fox.txt");
    let kept = Seen::bytes(&fox(), index.layered().unwrap());
    Seen::keep_beside(&file, &kept).unwrap();
    assert_eq!(fs::read(directory.path().join(".app.img.gosync-seen")).unwrap(), kept);
    assert_eq!(Seen::beside(&file).unwrap().unwrap().pointer, fox());
    for damaged in [&b""[..], b"x", &kept[..100]] {
        fs::write(directory.path().join(".app.img.gosync-seen"), damaged).unwrap();
        assert_eq!(Seen::beside(&file).unwrap_err().kind(), ErrorKind::Corrupt, "it is not taken for nothing");
    }
}
