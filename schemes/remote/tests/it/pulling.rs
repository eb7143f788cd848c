//! What is pulled is what is there, for few bytes and round trips.

use std::fs;
use std::time::{Duration, SystemTime};

use gosync_chunks::SourceError;
use gosync_remote::{Asked, State, Wish, ask};
use gosync_testkit::corpus;
use gosync_tree::TreeOptions;
use gosync_update::Error;

use crate::support::{FarSide, pull_directory, pull_file, refusal, wish, write_all};

/// Pulls `new` to where `old` is, and tells bytes and round trips.
fn pulled(old: Option<&[u8]>, new: &[u8]) -> (u64, u64) {
    let directory = tempfile::tempdir().unwrap();
    let (root, local) = (directory.path().join("there"), directory.path().join("here"));
    write_all(&root, &[("file", new)]);
    if let Some(old) = old {
        fs::write(&local, old).unwrap();
    }
    let file = old.map(|old| State { length: old.len() as u64, modified: SystemTime::UNIX_EPOCH });
    let (report, traffic) = pull_file(&root, "file", &local, &Wish { file, ..Wish::default() });
    assert!(fs::read(&local).unwrap() == new);
    let there = fs::metadata(root.join("file")).unwrap().modified().unwrap();
    assert!(!report.changed || fs::metadata(&local).unwrap().modified().unwrap() == there);
    (traffic.sent + traffic.received, traffic.round_trips)
}

#[test]
fn files_around_the_lengths_of_blocks() {
    for length in [0, 1, 255, 256, 257, 4095, 4096, 4097, 32_767, 32_768, 32_769, 300_000] {
        let new = corpus::random(1, length);
        let mut old = new.clone();
        old.truncate(length / 2);
        old.extend_from_slice(b"something that was there");
        old.extend_from_slice(&new[length / 2..]);
        for old in [None, Some(&old[..]), Some(&new), Some(&[])] {
            pulled(old, &new);
        }
    }
}

#[test]
fn a_change_costs_what_it_is() {
    let new = corpus::random(2, 3 << 20);
    let mut old = new.clone();
    old.splice(1_000_000..1_000_000, *b"inserted");
    old[2_000_000] ^= 1;
    let (bytes, round_trips) = pulled(Some(&old), &new);
    // The coarse layer, the records and blocks beneath two changes.
    assert!(bytes < 768 * 7 + 2 * (16 * 7 + 256) + 1000, "{bytes}");
    assert_eq!(round_trips, 3);
    let (bytes, round_trips) = pulled(None, &new);
    assert!(bytes < (3 << 20) + 10_000 && round_trips <= 3, "{bytes} in {round_trips}");
    let text = "the same line again and again\n".repeat(40_000);
    let (bytes, _) = pulled(None, text.as_bytes());
    assert!(bytes < 10_000, "{bytes}");
}

#[test]
fn a_small_file_comes_with_its_index() {
    let new: String = (0..900).map(|line| format!("this is line {line}\n")).collect();
    let (bytes, round_trips) = pulled(Some(new.replace("line 500", "line five").as_bytes()), new.as_bytes());
    assert!(bytes < 1500 && round_trips == 2, "{bytes} in {round_trips}");
}

#[test]
fn what_is_the_same_costs_one_round_trip() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write_all(root, &[("file", b"what is in it")]);
    let modified = fs::metadata(root.join("file")).unwrap().modified().unwrap();
    let same = |file: State, checksum: bool| {
        let (line, side) = FarSide::start(root);
        let asked = ask(line, &Wish { file: Some(file), checksum, ..wish("file") }).unwrap();
        match asked {
            Asked::Same(traffic) => {
                side.end().unwrap();
                assert!(traffic.round_trips == 1 && traffic.sent + traffic.received < 100, "{traffic:?}");
                true
            }
            Asked::Far(_) => false,
        }
    };
    assert!(same(State { length: 13, modified }, false));
    assert!(!same(State { length: 13, modified }, true));
    assert!(!same(State { length: 12, modified }, false));
    assert!(!same(State { length: 13, modified: modified - Duration::from_nanos(1000) }, false));
}

#[test]
fn directories() {
    let directory = tempfile::tempdir().unwrap();
    let (root, local) = (directory.path().join("there"), directory.path().join("here"));
    let large = corpus::random(3, 400_000);
    write_all(&root, &[("a.txt", b"first"), ("b/large", &large), ("b/c/same", b"same"), ("left.log", b"not this")]);
    let all = TreeOptions { delete: true, ..TreeOptions::default() };
    let (report, traffic) = pull_directory(&root, &local, all, "*.log\n");
    assert_eq!(report.unwrap().counts.added, 3);
    assert!(fs::read(local.join("b/large")).unwrap() == large && !local.join("left.log").exists());
    assert!(traffic.round_trips <= 4, "{traffic:?}");

    // What is the same costs next to nothing, and what was left out here stays.
    fs::write(local.join("own.log"), "own").unwrap();
    // That has changed the time of the directory.
    let (report, _) = pull_directory(&root, &local, all, "*.log\n");
    assert_eq!(report.unwrap().counts.unchanged, 3);
    let (report, traffic) = pull_directory(&root, &local, all, "*.log\n");
    assert!(report.is_none() && traffic.round_trips == 1, "{traffic:?}");
    assert!(traffic.sent + traffic.received < 200, "{traffic:?}");

    let mut changed = large.clone();
    changed[200_000] ^= 1;
    fs::rename(root.join("b/c"), root.join("moved")).unwrap();
    write_all(&root, &[("b/large", &changed)]);
    fs::remove_file(root.join("a.txt")).unwrap();
    let (report, traffic) = pull_directory(&root, &local, all, "*.log\n");
    let counts = report.unwrap().counts;
    assert_eq!((counts.changed, counts.moved, counts.removed), (1, 1, 1));
    assert!(fs::read(local.join("b/large")).unwrap() == changed && !local.join("a.txt").exists());
    assert_eq!(fs::read(local.join("moved/same")).unwrap(), b"same");
    assert_eq!(fs::read(local.join("own.log")).unwrap(), b"own");
    assert!(traffic.received < 4000 && traffic.round_trips <= 4, "{traffic:?}");

    // A change that keeps length and time is seen where every file is read.
    let file = root.join("moved/same");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "Same").unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    let (report, _) = pull_directory(&root, &local, TreeOptions { checksum: true, ..all }, "*.log\n");
    assert_eq!(report.unwrap().counts.changed, 1);
    assert_eq!(fs::read(local.join("moved/same")).unwrap(), b"Same");
}

#[test]
fn what_cannot_be_had_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    write_all(directory.path(), &[("root/file", b"inside"), ("outside", b"outside")]);
    for path in ["none", "file/none"] {
        let error = refusal(&root, &wish(path));
        assert!(matches!(error, Error::Source(SourceError::NotFound { .. })), "{error:?}");
    }
    let outside = directory.path().join("outside");
    for path in ["../outside", outside.to_str().unwrap(), "file/../../outside"] {
        let error = refusal(&root, &wish(path));
        let is_said = matches!(&error, Error::Source(error) if !error.is_transient());
        assert!(is_said && !error.to_string().contains("root"), "{error:?}");
    }
    let error = refusal(&root, &Wish { excludes: "a[\n".into(), ..wish("") });
    assert!(error.to_string().contains("a["), "{error}");
}
