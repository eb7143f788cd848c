//! Indexes of directories that nobody but an attacker makes.

use std::fs;

use gosync_blocksources::{Location, MemorySource, SourceOptions};
use gosync_chunks::ErrorKind;
use gosync_layers::format::Section;
use gosync_publish::{Build, BuildOptions};
use gosync_tree::{SECTION, TreeInfo, TreeOptions, TreeSource, TreeUpdate};

use crate::trees::{Ground, write};

pub(crate) fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        out.push(number as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend(bytes);
}

/// A listing of these paths, each with what says of what kind it is; all that is needed to be one
/// is right.
fn listing(entries: &[Raw<'_>]) -> Vec<u8> {
    let mut column = Vec::new();
    let mut before: &[u8] = b"";
    for (path, kind) in entries {
        let shared = before.iter().zip(*path).take_while(|(one, other)| one == other).count();
        number(&mut column, shared as u64);
        text(&mut column, &path[shared..]);
        column.extend(*kind);
        before = path;
    }
    let mut bytes = Vec::new();
    number(&mut bytes, entries.len() as u64);
    text(&mut bytes, &column);
    bytes
}

/// What comes of an index with this listing, and nothing but it.
fn outcome(listing: &[u8]) -> Result<(), ErrorKind> {
    let ground = Ground::new();
    write(&ground.at("outside/x"), b"not to be touched", 1);
    write(&ground.at("tree/mine"), b"nor this", 1);
    let mut section = vec![1];
    number(&mut section, listing.len() as u64);
    section.extend(blake3::hash(listing).as_bytes());
    section.extend([0; 4]);
    let target = listing.to_vec();
    let sections = vec![Section { id: SECTION, bytes: section }];
    let options = BuildOptions::default();
    let build = Build { target: &target, called: "it", name: None, sections, options: &options, progress: &() };
    let index = build.index(None).unwrap();
    let info = TreeInfo::of(&index).unwrap().unwrap();
    let (source, location, sources) =
        (MemorySource::new(target), Location::Path("it".into()), SourceOptions::default());
    let source = TreeSource::Payload { source: &source, location: &location, files: None, options: &sources };
    let options = TreeOptions { delete: true, ..TreeOptions::default() };
    let update = TreeUpdate { index: &index, info: &info, source, seeds: &[], options, progress: &() };
    let made = update.to_directory(&ground.at("tree"));
    if made.is_err() {
        assert_eq!(fs::read(ground.at("tree/mine")).unwrap(), b"nor this");
    }
    assert_eq!(fs::read(ground.at("outside/x")).unwrap(), b"not to be touched");
    let mut names: Vec<_> = fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["outside", "tree"]);
    made.map(drop).map_err(|error| error.kind())
}

/// A path, and what says of what kind it is.
type Raw<'a> = (&'a [u8], &'a [u8]);

const ROOT: Raw<'_> = (b"", b"\0\xed\x03\0\0");
const DIRECTORY: &[u8] = b"\0\xed\x03\0\0";
const EMPTY: &[u8] = b"\x01\xa4\x03\0\0\0";

#[test]
fn they_are_refused_and_nothing_is_written() {
    let long = vec![b'x'; 256];
    let deep = b"d/".repeat(2048);
    let paths: [&[u8]; 15] = [
        b"..",
        b".",
        b"/",
        b"/etc/x",
        b"../outside/x",
        b"d/../../outside/x",
        b"d//x",
        b"d/",
        b"a\0b",
        b".gosync/lock",
        b".GOSYNC",
        b"not/listed",
        b"d/..",
        &long,
        &deep,
    ];
    for path in paths {
        let refused = outcome(&listing(&[ROOT, (b"d", DIRECTORY), (path, EMPTY)]));
        assert_eq!(refused, Err(ErrorKind::Corrupt), "{}", String::from_utf8_lossy(path));
        let refused = outcome(&listing(&[ROOT, (path, EMPTY)]));
        assert_eq!(refused, Err(ErrorKind::Corrupt), "{}", String::from_utf8_lossy(path));
    }
    let link: &[u8] = b"\x02\0\0\x0a../outside";
    let cases: [(&str, &[Raw<'_>]); 13] = [
        ("nothing", &[]),
        ("no root", &[(b"a", EMPTY)]),
        ("a file for a root", &[(b"", EMPTY)]),
        ("a link for a root", &[(b"", link)]),
        ("twice", &[ROOT, (b"a", EMPTY), (b"a", EMPTY)]),
        ("not in order", &[ROOT, (b"b", EMPTY), (b"a", EMPTY)]),
        ("through a link", &[ROOT, (b"d", link), (b"d/x", EMPTY)]),
        ("in a file", &[ROOT, (b"d", EMPTY), (b"d/x", EMPTY)]),
        ("one more name of itself", &[ROOT, (b"a", b"\x03\x01")]),
        ("one more name of a directory", &[ROOT, (b"a", b"\x03\x00")]),
        ("one more name of a link", &[ROOT, (b"a", link), (b"b", b"\x03\x01")]),
        ("a set-id bit", &[ROOT, (b"a", b"\x01\xed\x13\0\0\0")]),
        ("a device", &[ROOT, (b"a", b"\x04\xa4\x03\0\0\0")]),
    ];
    for (what, entries) in cases {
        assert_eq!(outcome(&listing(entries)), Err(ErrorKind::Corrupt), "{what}");
    }
    // A count that is more than there is, contents that the index has no room for, and a rest.
    let good = listing(&[ROOT, (b"a", EMPTY)]);
    assert_eq!(outcome(&good), Ok(()));
    for bad in [[&[0xff, 0xff, 0xff, 0xff, 0x0f], &good[1..]].concat(), [&good, &b"x"[..]].concat()] {
        assert_eq!(outcome(&bad), Err(ErrorKind::Corrupt));
    }
    let full = [listing(&[ROOT, (b"a", b"\x01\xa4\x03\0\0\x05")]), vec![7; 32]].concat();
    assert_eq!(outcome(&full), Err(ErrorKind::Corrupt));
}
