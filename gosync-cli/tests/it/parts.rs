//! An index made in parts, and merged.

use gosync_testkit::corpus;

use crate::support::Scratch;

#[test]
fn parts_make_what_one_build_makes() {
    let scratch = Scratch::new();
    let data = corpus::text(1, (5 << 20) + 100);
    scratch.write("app.img", &data);
    for compress in [&[][..], &["--compress=1"]] {
        scratch.json(&[&["build", "app.img", "-o", "whole.gosync"], compress].concat());
        let payload = compress.first().map(|_| scratch.read("app.img.gosync-payload"));
        for (part, start, end) in [("1/3", 0, 2 << 20), ("2/3", 2 << 20, 4 << 20), ("3/3", 4 << 20, data.len())] {
            let done = scratch.json(&[&["build", "app.img", "--part", part], compress].concat());
            assert_eq!((&done["part_start"], &done["part_end"]), (&start.into(), &end.into()), "{done}");
            assert_eq!(done["index"], format!("app.img.gosync.{}-of-3", &part[..1]));
        }
        let _ = std::fs::remove_file(scratch.path("app.img.gosync-payload"));
        let parts = ["app.img.gosync.3-of-3", "app.img.gosync.1-of-3", "app.img.gosync.2-of-3"];
        let done = scratch.json(&[&["index", "merge"], &parts[..], &["-o", "app.img.gosync"]].concat());
        assert!(scratch.read("app.img.gosync") == scratch.read("whole.gosync"));
        assert_eq!(done["index_bytes"], scratch.read("whole.gosync").len());
        assert!(payload == compress.first().map(|_| scratch.read("app.img.gosync-payload")));
        assert_eq!(scratch.run(&["patch", "absent", "app.img.gosync", "-o", "out"]).code, 0);
        assert!(scratch.read("out") == data);
    }
}

#[test]
fn wrong_parts_are_usage_and_bad_ones_corrupt() {
    let scratch = Scratch::new();
    scratch.write("new", &corpus::random(1, 3 << 20));
    let make = |part: &str, name: &str| assert_eq!(scratch.run(&["build", "new", "--part", part, "-o", name]).code, 0);
    make("1/2", "a");
    make("2/2", "b");
    make("2/3", "c");
    let merge = |parts: &[&str]| scratch.run(&[&["index", "merge", "-o", "new.gosync"], parts].concat());
    merge(&["a"]).assert_failed(2, "cannot merge a\n  caused by: the bytes 1048576..3145728 of the target");
    merge(&["b"]).assert_failed(2, "next to its own, are in none of the parts\nhint: give every part");
    merge(&["a", "b", "c"]).assert_failed(2, "cannot merge b\n  caused by: it has bytes of the target that c has too");
    merge(&["a", "new"]).assert_failed(3, "cannot merge new\n  caused by: it is no part of an index\nhint: make that");
    merge(&["a", "absent"]).assert_failed(1, "cannot read absent");
    merge(&["a", "."]).assert_failed(1, "cannot read .");
    assert!(!scratch.path("new.gosync").exists());
    assert_eq!(merge(&["a", "b"]).code, 0);

    for (args, words) in [
        (&["--part", "0/2"][..], "from 1 to N"),
        (&["--part", "3"], "from 1 to N"),
        (&["--part", "1/2", "--format", "go-sync"], "has no parts"),
        (&["--part", "1/2", "--format", "zsync"], "has no parts"),
        (&["--part", "1/2", "--sign", "key"], "cannot be used with"),
    ] {
        let run = scratch.run(&[&["build", "new"], args].concat());
        assert!(run.code == 2 && run.stderr.contains(words), "{}", run.stderr);
    }
    assert_eq!(scratch.run(&["index", "merge", "-o", "out"]).code, 2);
}
