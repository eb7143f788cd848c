//! Packed files in directories, with the command.

use std::fs;

use gosync_testkit::corpus;

use crate::packed::{number, zip};
use crate::support::Scratch;

/// `old` and `www/new`, each with three packed files, one of which changed, and its index.
fn published() -> Scratch {
    let scratch = Scratch::new();
    for (tree, is_edited) in [("old", false), ("www/new", true)] {
        scratch.write(&format!("{tree}/lib/changed.jar"), &zip(is_edited));
        scratch.write(&format!("{tree}/lib/same.jar"), &zip(false)[..]);
        scratch.write(&format!("{tree}/README"), tree.as_bytes());
    }
    let built = scratch.run(&["build", "www/new"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    assert!(built.stderr.contains("www/new: 2 packed files of "), "{}", built.stderr);
    scratch
}

#[test]
fn only_what_changed_in_them_is_fetched_and_all_tells_of_it() {
    let scratch = published();
    let server = scratch.serve();
    let index = &format!("{}/www/new.gosync", server.url);
    let told = String::from_utf8(scratch.run(&["inspect", index]).stdout).unwrap();
    assert!(told.contains("packed files") && told.contains("2 files of "), "{told}");
    let event = scratch.json(&["inspect", index]);
    assert_eq!(number(&event, "directory.packed.files"), 2);
    let jar = scratch.read("www/new/lib/changed.jar");

    let foretold = scratch.json(&["patch", "-n", "old", index]);
    let compared = scratch.json(&["diff", "old", index]);
    for event in [&foretold, &compared] {
        assert_eq!((number(event, "packed.files"), number(event, "packed.bytes")), (1, jar.len() as u64), "{event}");
        assert!(number(event, "missing_bytes") < 10_000, "{event}");
    }
    let told = String::from_utf8(scratch.run(&["diff", "old", index]).stdout).unwrap();
    assert!(told.contains("closing") && told.contains("1 file of "), "{told}");
    let told = scratch.run(&["patch", "-n", "old", index]);
    assert!(told.stderr.contains("would pack 1 file of "), "{}", told.stderr);

    let done = scratch.json(&["patch", "old", index]);
    assert!(scratch.read("old/lib/changed.jar") == jar);
    assert_eq!((number(&done, "packed.files"), number(&done, "packed.unknown_bytes")), (1, 0));
    assert!(number(&done, "fetched_bytes") < 10_000, "{done}");
    assert_eq!(scratch.run(&["verify", "old", index]).code, 0);
    let again = scratch.json(&["patch", "old", index]);
    assert!(again["packed"].is_null() && again["changed"] == false, "{again}");
    assert_eq!(number(&again, "fetched_bytes"), 0);
}

#[test]
fn they_are_opened_where_that_pays_or_is_asked_for() {
    let scratch = published();
    let packed = |arguments: &[&str]| {
        let event = scratch.json(arguments);
        event["packed"]["files"].as_u64().unwrap_or_default()
    };
    assert_eq!(packed(&["build", "www/new", "--no-unpack"]), 0);
    assert_eq!(packed(&["build", "www/new", "--no-compress"]), 0);
    // Where most of it is something else, only if there is a payload anyway.
    scratch.write("www/new/large", &corpus::text(77, 6_000_000));
    assert_eq!(packed(&["build", "www/new"]), 0);
    assert_eq!(packed(&["build", "www/new", "--compress"]), 2);
    assert_eq!(packed(&["build", "www/new", "--unpack"]), 2);

    let refused = scratch.run(&["build", "www/new", "--unpack", "--no-compress"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    fs::remove_dir_all(scratch.path("www/new/lib")).unwrap();
    let refused = scratch.run(&["build", "www/new", "--unpack"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("there is no packed file in www/new"), "{}", refused.stderr);
}
