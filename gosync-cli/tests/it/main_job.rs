//! Build, diff, patch and verify, from files and servers.

use gosync_testkit::corpus::{self, edit, tree};
use gosync_testkit::nginx::Nginx;

use crate::support::{FORMATS, Scratch};

/// Two versions of an archive of a source tree.
fn versions() -> (Vec<u8>, Vec<u8>) {
    let files = tree::source_tree(1, 300);
    (tree::tar(&files), tree::tar(&tree::next_version(&files, 2)))
}

/// Patches `old.tar` to `new.tar` with the index at `index` and compares everything
/// that is said about it.
fn check(scratch: &Scratch, index: &str, source: &[&str], new: &[u8]) {
    let foretold = scratch.json(&["diff", "old.tar", index]);
    let matched = foretold["matched_bytes"].as_u64().unwrap();
    let missing = foretold["missing_bytes"].as_u64().unwrap();
    assert_eq!(matched + missing, new.len() as u64);
    assert!(matched > new.len() as u64 / 2, "{foretold}");

    let done = scratch.json(&[&["patch", "old.tar", index], source, &["-o", "out.tar"]].concat());
    assert!(scratch.read("out.tar") == new, "the output differs from the new version");
    assert_eq!(done["fetched_bytes"].as_u64(), Some(missing), "as foretold");
    assert_eq!(done["matched_bytes"].as_u64(), Some(matched));
    assert_eq!(done["output_bytes"].as_u64(), Some(new.len() as u64));
    assert_eq!(
        done["requests"].as_u64() > Some(0),
        index.contains("://") || source.iter().any(|at| at.contains("://"))
    );

    let verified = scratch.json(&["verify", "out.tar", index]);
    assert_eq!(verified["ok"], true);
    std::fs::remove_file(scratch.path("out.tar")).unwrap();
}

#[test]
fn from_a_file_from_our_server_and_from_nginx() {
    let (old, new) = versions();
    let nginx_scratch = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let scratch = Scratch::new();
        scratch.write("old.tar", &old);
        scratch.write("new.tar", &new);
        let built = scratch.json(&["build", "new.tar", "--format", format, "--block-size", "1024"]);
        let index_bytes = std::fs::metadata(scratch.path("new.tar.gosync")).unwrap().len();
        assert_eq!(built["index_bytes"].as_u64(), Some(index_bytes));

        check(&scratch, "new.tar.gosync", &[], &new);
        let server = scratch.serve();
        check(&scratch, &format!("{}/new.tar.gosync", server.url), &[], &new);
        if let Some(nginx) = Nginx::start(&scratch.path(""), nginx_scratch.path(), "") {
            let source = format!("{}/new.tar", nginx.url());
            check(&scratch, &format!("{}/new.tar.gosync", nginx.url()), &[&source], &new);
        }
    }
}

#[test]
fn the_seed_is_replaced_when_there_is_no_output() {
    let (old, new) = versions();
    let scratch = Scratch::new();
    scratch.write("new/app.tar", &new);
    scratch.write("app.tar", &old);
    assert_eq!(scratch.run(&["build", "new/app.tar"]).code, 0);
    let run = scratch.run(&["patch", "app.tar", "new/app.tar.gosync"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(scratch.read("app.tar") == new);
    assert_eq!(scratch.names(), ["app.tar", "new"]);

    let again = scratch.json(&["patch", "app.tar", "new/app.tar.gosync"]);
    assert_eq!((again["fetched_bytes"].as_u64(), again["requests"].as_u64()), (Some(0), Some(0)));
}

#[test]
fn aliases_threads_and_outputs() {
    let (old, new) = versions();
    let scratch = Scratch::new();
    scratch.write("old.tar", &old);
    scratch.write("new.tar", &new);
    assert_eq!(scratch.run(&["b", "new.tar", "-o", "x.gosync", "-p", "1"]).code, 0);
    assert_eq!(scratch.run(&["b", "new.tar", "-o", "y.gosync", "--threads", "7"]).code, 0);
    assert!(scratch.read("x.gosync") == scratch.read("y.gosync"), "threads change nothing");

    let one = scratch.json(&["d", "old.tar", "x.gosync", "-p", "1"]);
    let seven = scratch.json(&["d", "old.tar", "x.gosync", "-p", "7"]);
    for field in ["matched_bytes", "missing_bytes", "comparisons", "weak_hits", "false_weak_hits", "strong_sums"] {
        assert_eq!(one[field], seven[field], "{field}");
    }
    assert_eq!(scratch.run(&["p", "old.tar", "x.gosync", "new.tar", "positional.tar"]).code, 0);
    assert!(scratch.read("positional.tar") == new);
    let streamed = scratch.run(&["p", "old.tar", "x.gosync", "-o", "-"]);
    assert_eq!(streamed.code, 0, "{}", streamed.stderr);
    assert!(streamed.stdout == new, "standard output carries data only");
}

#[test]
fn more_seeds_mean_less_to_fetch() {
    let target = corpus::random(3, 400 << 10);
    let scratch = Scratch::new();
    scratch.write("new", &target);
    scratch.write("front", &target[..150 << 10]);
    scratch.write("back", &target[200 << 10..]);
    assert_eq!(scratch.run(&["build", "new", "--block-size", "1024"]).code, 0);
    let missing = |args: &[&str]| scratch.json(args)["missing_bytes"].as_u64().unwrap();
    assert_eq!(missing(&["diff", "front", "new.gosync"]), 250 << 10);
    assert_eq!(missing(&["diff", "front", "new.gosync", "--seed", "back"]), 50 << 10);
    let done = scratch.json(&["patch", "front", "new.gosync", "--seed", "back", "--seed", "absent", "-o", "out"]);
    assert_eq!(done["fetched_bytes"].as_u64(), Some(50 << 10));
    assert!(scratch.read("out") == target);
}

#[test]
fn every_kind_of_data_and_edit() {
    for (name, old) in corpus::all(5, 150_000) {
        for (edit, new) in edit::all(&old, 6) {
            let scratch = Scratch::new();
            scratch.write("old", &old);
            scratch.write("new", &new);
            for format in FORMATS {
                assert_eq!(scratch.run(&["build", "new", "--format", format]).code, 0);
                let missing = scratch.json(&["diff", "old", "new.gosync"])["missing_bytes"].clone();
                let done = scratch.json(&["patch", "old", "new.gosync", "-o", "out"]);
                assert!(scratch.read("out") == new, "{name}, {edit}, {format}");
                std::fs::remove_file(scratch.path("out")).unwrap();
                assert_eq!(done["fetched_bytes"], missing, "{name}, {edit}, {format}");
            }
        }
    }
}
