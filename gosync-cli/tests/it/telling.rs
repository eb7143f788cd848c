//! What is told is what was done, in text and in JSON.

use std::fs;

use gosync_testkit::corpus;
use serde_json::Value;

use crate::support::{FORMATS, Scratch};

fn published(format: &str) -> Scratch {
    let scratch = Scratch::new();
    let target = corpus::random(1, 300_000);
    scratch.write("site/new", &target);
    scratch.write("old", &target[100_000..]);
    assert_eq!(scratch.run(&["build", "site/new", "--format", format]).code, 0);
    scratch
}

#[test]
fn what_is_up_to_date_is_left_alone() {
    for format in ["gosync", "go-sync", "zsync"] {
        let scratch = published(format);
        let index = if format == "zsync" { "site/new.zsync" } else { "site/new.gosync" };
        let sourced: &[&str] = if format == "zsync" { &["site/new"] } else { &[] };
        for output in [&[][..], &["-o", "out"]] {
            let args = [&["patch", "old", index], sourced, output].concat();
            let made = output.get(1).copied().unwrap_or("old");
            let done = scratch.json(&args);
            assert_eq!((&done["changed"], &done["output"]), (&true.into(), &made.into()), "{format}");
            let before = fs::metadata(scratch.path(made)).unwrap();
            let names = scratch.names();
            let again = scratch.json(&args);
            assert_eq!((&again["changed"], &again["fetched_bytes"]), (&false.into(), &0.into()), "{format}");
            let after = fs::metadata(scratch.path(made)).unwrap();
            assert_eq!(before.modified().unwrap(), after.modified().unwrap(), "{format}");
            #[cfg(unix)]
            assert_eq!(std::os::unix::fs::MetadataExt::ino(&before), std::os::unix::fs::MetadataExt::ino(&after));
            assert_eq!(scratch.names(), names, "{format}");
            assert!(scratch.run(&args).stderr.contains("up to date already"), "{format}");
            // What only has its length is not it.
            let mut wrong = scratch.read("site/new");
            wrong[150_000] ^= 1;
            scratch.write(made, &wrong);
            assert_eq!(scratch.json(&args)["changed"], true, "{format}");
            assert!(scratch.read(made) == scratch.read("site/new"), "{format}");
            scratch.write("old", &scratch.read("site/new")[100_000..]);
        }
    }
}

#[test]
fn text_and_json_agree() {
    let scratch = published("gosync");
    let server = scratch.serve();
    let index = &format!("{}/site/new.gosync", server.url);
    for args in [&["patch", "-n", "old", index][..], &["patch", "old", index, "-o", "out"]] {
        let done = scratch.json(args);
        let _ = fs::remove_file(scratch.path("out"));
        let said = scratch.run(args).stderr;
        let _ = fs::remove_file(scratch.path("out"));
        let size = |field: &str| format!("{:.1} KiB", done[field].as_f64().unwrap() / 1024.0);
        assert!(
            said.contains(&size("fetched_bytes")) && said.contains(&format!("{} of index", size("index_bytes"))),
            "{said}"
        );
        assert!(said.contains(&format!(" in {} requests", done["requests"])), "{said}: {done}");
    }
}

#[test]
fn no_more_is_matched_than_there_is() {
    let scratch = Scratch::new();
    scratch.write("new", &corpus::random(1, 4096).repeat(3));
    scratch.write("old", &corpus::random(1, 4096).repeat(9));
    for format in FORMATS {
        assert_eq!(scratch.run(&["build", "new", "--block-size", "1024", "--format", format]).code, 0);
        let said = String::from_utf8(scratch.run(&["diff", "old", "new.gosync"]).stdout).unwrap();
        assert!(said.contains("blocks of 1,024  12 of 12 matched"), "{format}: {said}");
    }
}

#[test]
fn programs_are_told_of_progress() {
    let scratch = published("gosync");
    let run = scratch.run(&["patch", "old", "site/new.gosync", "-o", "out", "--json"]);
    let lines = String::from_utf8(run.stdout).unwrap();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fetched: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "progress" && event["phase"] == "fetch").collect();
    let last = fetched.last().expect("it is told that all is fetched");
    assert!(last["bytes"] == last["of_bytes"] && last["bytes"].as_u64() > Some(100_000), "{last}");
}

#[test]
fn silence_but_for_what_is_asked() {
    let scratch = published("gosync");
    for args in [
        &["inspect", "site/new.gosync"][..],
        &["diff", "old", "site/new.gosync", "--report", "page.html"],
        &["diff", "absent", "site/new.gosync"],
        &["patch", "-n", "old", "site/new.gosync"],
    ] {
        let run = scratch.run(&[args, &["-q"]].concat());
        assert_eq!((run.code, run.stdout.len(), run.stderr.as_str()), (0, 0, ""), "{args:?}");
    }
    assert!(scratch.read("page.html").starts_with(b"<!DOCTYPE html>"));
    let wrong = scratch.run(&["verify", "old", "site/new.gosync", "-q"]);
    assert_eq!((wrong.code, wrong.stdout.len()), (3, 0));
    let asked = scratch.run(&["diff", "old", "site/new.gosync", "-q", "--stats"]);
    assert!(String::from_utf8(asked.stdout).unwrap().contains("strong sums"));
    let stats = scratch.run(&["patch", "old", "site/new.gosync", "-q", "--stats", "-o", "out"]);
    assert!(stats.stdout.is_empty() && stats.stderr.starts_with("target") && stats.stderr.contains("weak hits"));
}

#[test]
fn names_are_shown_as_they_are_and_none_is_lost_unsaid() {
    let scratch = Scratch::new();
    scratch.write("a\u{202e}txt.exe", b"some bytes");
    let built = scratch.run(&["build", "a\u{202e}txt.exe", "-o", "i.gosync"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let text = scratch.run(&["inspect", "i.gosync"]).stdout;
    let json = scratch.run(&["inspect", "i.gosync", "--json"]).stdout;
    let usage = scratch.run(&["inspect", "i.gosync", "--\u{202e}x"]).stderr;
    for shown in [String::from_utf8(text).unwrap(), String::from_utf8(json).unwrap(), usage] {
        assert!(!shown.contains('\u{202e}') && shown.contains("202e"), "{shown:?}");
    }
    #[cfg(unix)]
    for (name, words) in [("a\tb", "is not a plain file name"), ("CON", "the name of a device")] {
        scratch.write(name, b"some bytes");
        let run = scratch.run(&["build", name, "-o", "j.gosync"]);
        assert!(run.code == 0 && run.stderr.contains("warning: ") && run.stderr.contains(words), "{}", run.stderr);
        assert_eq!(scratch.run(&["build", name, "-o", "j.gosync", "--quiet"]).stderr, "");
    }
}

#[test]
fn what_is_packed_is_warned_of() {
    let scratch = Scratch::new();
    scratch.write("app.img", b"\x1f\x8b\x08\0 and what follows");
    let run = scratch.run(&["build", "app.img"]);
    assert!(run.code == 0 && run.stderr.contains("warning: app.img is compressed (gzip)"), "{}", run.stderr);
    assert!(run.stderr.contains("\nhint: publish what is in it"), "{}", run.stderr);
    scratch.write("app.tgz", b"plain");
    assert!(!scratch.run(&["build", "app.tgz"]).stderr.contains("warning"));
}

#[test]
fn a_version_and_what_it_is_made_of() {
    let scratch = Scratch::new();
    let short = String::from_utf8(scratch.run(&["--version"]).stdout).unwrap();
    assert_eq!(short.lines().count(), 1, "{short}");
    for args in [&["--version", "-v"][..], &["-vV"]] {
        let full = String::from_utf8(scratch.run(args).stdout).unwrap();
        assert!(full.starts_with(short.trim_end()) && full.contains("\ninstructions: "), "{full}");
    }
}

#[test]
fn colours_where_they_are_asked_for() {
    let scratch = Scratch::new();
    assert!(scratch.run(&["inspect", "absent", "--color", "always"]).stderr.contains("\u{1b}[31merror:"));
    for color in ["auto", "never"] {
        assert!(scratch.run(&["inspect", "absent", "--color", color]).stderr.starts_with("error: "));
    }
}
