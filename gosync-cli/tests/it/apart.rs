//! What is read is not written over, by whatever name.

use std::fs;

use gosync_testkit::corpus;

use crate::support::Scratch;

/// `new` with its indexes, parts and payload, and the older `old`.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let new = corpus::text(1, 100_000);
    scratch.write("old", &new[..60_000]);
    scratch.write("new", &new);
    scratch.write("packed", &new);
    for args in [
        &["build", "new"][..],
        &["build", "packed", "--compress"],
        &["build", "new", "--part", "1/2", "--compress"],
        &["build", "new", "--part", "2/2", "--compress"],
        &["zsyncmake", "new"],
        &["zsyncmake", "-z", "new", "-o", "z.zsync"],
        &["rdiff", "signature", "old", "sums"],
        &["rdiff", "delta", "sums", "new", "delta"],
    ] {
        assert_eq!(scratch.run(args).code, 0, "{args:?}");
    }
    scratch
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let scratch = scratch();
    let (first, second) = ("new.gosync.1-of-2", "new.gosync.2-of-2");
    let payload = format!("{second}.gosync-payload");
    // What is read, what is written in its place, and the command.
    let cases: &[(&str, &[&str])] = &[
        ("new", &["build", "new", "-o", "OUT"]),
        ("new", &["build", "new", "--format", "go-sync", "-o", "OUT"]),
        ("new", &["build", "new", "--format", "zsync", "-o", "OUT"]),
        ("new", &["build", "new", "--compress", "-o", "OUT"]),
        ("new", &["build", "new", "--part", "1/2", "-o", "OUT"]),
        ("old", &["diff", "old", "new.gosync", "--report", "OUT"]),
        ("new.gosync", &["diff", "old", "new.gosync", "--report", "OUT"]),
        ("new", &["diff", "old", "new.gosync", "--source", "new", "--report", "OUT"]),
        ("new.gosync", &["inspect", "new.gosync", "--signed-part", "OUT"]),
        ("new.gosync", &["patch", "old", "new.gosync", "-o", "OUT"]),
        ("new.gosync", &["patch", "OUT", "new.gosync"]),
        ("packed", &["patch", "old", "new.gosync", "--seed", "packed", "-o", "OUT"]),
        ("new", &["patch", "old", "new.gosync", "-o", "OUT"]),
        ("new", &["patch", "old", "new.gosync", "new", "OUT"]),
        ("packed.gosync-payload", &["patch", "OUT", "packed.gosync"]),
        (first, &["index", "merge", first, second, "-o", "OUT"]),
        (&payload, &["index", "merge", first, second, "-o", "OUT"]),
        ("new", &["zsyncmake", "new", "-o", "OUT"]),
        ("new.zsync", &["zsync", "new.zsync", "-o", "OUT"]),
        ("old", &["zsync", "new.zsync", "-i", "old", "-o", "made", "-k", "OUT"]),
        ("new.gz", &["zsync", "z.zsync", "-o", "OUT"]),
        ("new.gz", &["patch", "old", "z.zsync", "-o", "OUT"]),
        ("new", &["patch", "old", "new.zsync", "-o", "OUT"]),
        ("old", &["rdiff", "-f", "signature", "old", "OUT"]),
        ("new", &["rdiff", "-f", "delta", "sums", "new", "OUT"]),
        ("sums", &["rdiff", "-f", "delta", "sums", "new", "OUT"]),
        ("delta", &["rdiff", "-f", "patch", "old", "delta", "OUT"]),
    ];
    let same = scratch.path(".");
    for &(read, args) in cases {
        fs::hard_link(scratch.path(read), scratch.path("linked")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(read, scratch.path("symbolic")).unwrap();
        let (names, before) = (scratch.names(), scratch.read(read));
        let another = same.join(read);
        for name in [read, another.to_str().unwrap(), "linked", "symbolic"] {
            if name == "symbolic" && cfg!(not(unix)) {
                continue;
            }
            let args: Vec<&str> = args.iter().map(|&arg| if arg == "OUT" { name } else { arg }).collect();
            let run = scratch.run(&args);
            let code = if args[0] == "rdiff" { 100 } else { 2 };
            run.assert_failed(code, "is the same file as");
            assert!(run.stderr.contains(name) && run.stderr.contains(read), "{args:?}: {}", run.stderr);
            assert!(scratch.read(read) == before && scratch.names() == names, "{args:?} changed something");
        }
        fs::remove_file(scratch.path("linked")).unwrap();
        let _ = fs::remove_file(scratch.path("symbolic"));
    }
}

#[test]
fn outputs_are_apart_from_each_other() {
    let scratch = scratch();
    let before = scratch.names();
    scratch
        .run(&["build", "old", "--compress", "-o", "old.gosync-payload"])
        .assert_failed(2, "is the same file as old.gosync-payload");
    assert_eq!(scratch.names(), before);
}

#[test]
fn what_is_brought_to_the_new_version_in_place_may_be_named_twice() {
    let scratch = scratch();
    let new = scratch.read("new");
    for args in [
        &["patch", "old", "new.gosync"][..],
        &["patch", "old", "new.gosync", "-o", "./old", "--seed", "old"],
        // The publisher's own.
        &["patch", "new", "new.gosync"],
        &["zsync", "new.zsync", "-i", "old", "-o", "old"],
        &["rdiff", "-f", "patch", "old", "delta", "old"],
    ] {
        scratch.write("old", &new[..60_000]);
        let run = scratch.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        assert!(scratch.read("new") == new && (scratch.read("old") == new || args[1] == "new"), "{args:?}");
    }
    let other = corpus::text(2, 1000);
    scratch.write("-", &other);
    assert_eq!(scratch.run(&["diff", "old", "new.gosync", "--report", "page"]).code, 0);
    assert_eq!(scratch.run(&["build", "old", "-o", "page"]).code, 0, "an output of before is no input");
}

#[test]
fn a_directory_is_not_written_over_by_what_is_made_of_it() {
    let scratch = Scratch::new();
    scratch.write("site/page", b"a page");
    scratch.write("site/site.gosync-listing", b"a page of that name");
    scratch.write("patterns", b"none");
    fs::hard_link(scratch.path("site/page"), scratch.path("linked")).unwrap();
    for (output, more, told) in [
        ("site/page", &[][..], "site/page"),
        ("linked", &[], "site/page"),
        ("site/x.gosync", &[], "site/site.gosync-listing"),
        ("patterns", &["--exclude-from", "patterns"], "patterns"),
    ] {
        let run = scratch.run(&[&["build", "site", "--no-compress", "-o", output], more].concat());
        run.assert_failed(2, "is the same file as");
        let stderr = run.stderr.replace('\\', "/");
        assert!(stderr.contains(told), "{output}: {stderr}");
    }
    assert_eq!(scratch.read("site/page"), b"a page");
    assert_eq!(scratch.read("site/site.gosync-listing"), b"a page of that name");
    // What is left out is not published.
    let left_out = ["build", "site", "-o", "site/x.gosync", "--exclude", "*.gosync*", "--compress"];
    assert_eq!([0; 2].map(|_| scratch.run(&left_out).code), [0, 0]);
}
