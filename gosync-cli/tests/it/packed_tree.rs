//! Packed files in directories, with the command.

use std::fs;

use gosync_testkit::corpus;

use crate::packed::{number, with_unknown_encoder, zip};
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

#[test]
fn versions_are_opened_where_a_pointer_leads_to_them() {
    let scratch = published();
    let packed = |arguments: &[&str]| scratch.json(arguments)["files"].as_array().unwrap().len();
    scratch.write("1/app.jar", &zip(false));
    scratch.write("2/app.jar", &zip(true));
    // The packed file is there too, for those who cannot pack what is in it.
    assert_eq!(packed(&["publish", "1/app.jar", "--to", "pub"]), 3);
    scratch.json(&["patch", "app.jar", "pub/app.jar.gosync-latest"]);
    assert!(scratch.read("app.jar") == zip(false));
    let again = scratch.json(&["publish", "1/app.jar", "--to", "pub"]);
    assert_eq!((&again["changed"], again["files"].as_array().unwrap().len()), (&false.into(), 3));
    let made = scratch.json(&["publish", "2/app.jar", "--to", "pub", "--keep", "1"]);
    assert_eq!(made["removed"].as_array().unwrap().len(), 3, "{made}");
    let contents = made["files"].as_array().unwrap().iter().filter_map(|name| name.as_str());
    let content = contents.clone().find(|name| name.ends_with(".gosync-content")).unwrap();
    assert!(scratch.read(&format!("pub/{content}")) == zip(true));
    let done = scratch.json(&["patch", "app.jar", "pub/app.jar.gosync-latest"]);
    assert!(number(&done, "fetched_bytes") < 10_000, "{done}");
    assert!(scratch.read("app.jar") == zip(true));
    assert_eq!(scratch.json(&["patch", "app.jar", "pub/app.jar.gosync-latest"])["changed"], false);
    assert_eq!(packed(&["publish", "1/app.jar", "--to", "plain", "--no-unpack"]), 2);

    let made = scratch.run(&["publish", "www/new", "--to", "trees"]);
    assert!(made.code == 0 && made.stderr.contains("2 packed files of "), "{}", made.stderr);
    let done = scratch.json(&["patch", "old", "trees/new.gosync-latest"]);
    assert!(number(&done, "fetched_bytes") < 10_000 && number(&done, "packed.files") == 1, "{done}");
    assert!(scratch.read("old/lib/changed.jar") == zip(true));
    scratch.write("plain.txt", b"nothing to be opened");
    let refused = scratch.run(&["publish", "plain.txt", "--to", "pub", "--unpack"]);
    refused.assert_failed(2, "there is nothing in plain.txt that can be opened");
}

#[test]
fn what_cannot_be_packed_is_fetched_from_the_version_that_was_published() {
    let scratch = Scratch::new();
    scratch.write("1/app.jar", &zip(false));
    let made = scratch.json(&["publish", "1/app.jar", "--to", "pub"]);
    let index = made["index"].as_str().unwrap();
    // The pointer would lead to no index that was changed.
    scratch.write(index, &with_unknown_encoder(scratch.read(index)));
    let done = scratch.json(&["patch", "old.jar", index, "-o", "out.jar"]);
    assert!(scratch.read("out.jar") == zip(false));
    assert!(number(&done, "packed.as_published_bytes") > 500_000, "{done}");
    let content = made["files"].as_array().unwrap().iter().filter_map(|name| name.as_str());
    let content = content.clone().find(|name| name.ends_with(".gosync-content")).unwrap();
    fs::remove_file(scratch.path(&format!("pub/{content}"))).unwrap();
    let failed = scratch.run(&["patch", "old.jar", index, "-o", "other.jar"]);
    assert!(failed.code == 1 && failed.stderr.contains("the file itself is not at hand"), "{}", failed.stderr);
}
