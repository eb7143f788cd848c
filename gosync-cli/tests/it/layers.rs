//! Indexes behind a server, of which only parts are read.

use gosync_testkit::corpus::{self, edit};

use crate::support::Scratch;

#[test]
fn an_index_read_by_range_says_what_a_whole_one_does() {
    let scratch = Scratch::new();
    let old = corpus::random(1, 8 << 20);
    let new = edit::scatter(&edit::insert(&old, 2, 5, 1000), 3, 20);
    scratch.write("old", &old);
    scratch.write("new", &new);
    let index_bytes = scratch.json(&["build", "new"])["index_bytes"].as_u64().unwrap();
    let server = scratch.serve();
    let url = format!("{}/new.gosync", server.url);

    let here = scratch.json(&["diff", "old", "new.gosync"]);
    let there = scratch.json(&["diff", "old", &url]);
    for field in ["matched_bytes", "missing_bytes", "missing_ranges", "comparisons", "strong_sums"] {
        assert_eq!(here[field], there[field], "{field}");
    }
    assert_eq!(here["index_bytes"].as_u64(), Some(index_bytes));
    let read = there["index_bytes"].as_u64().unwrap();
    assert!(read * 8 < index_bytes, "{read} of {index_bytes}");
    assert!(there["missing_bytes"].as_u64().unwrap() < 25 * 2 * 256 + 5 * 1000, "{there}");

    let done = scratch.json(&["patch", "old", &url, "-o", "out"]);
    assert!(scratch.read("out") == new);
    assert_eq!((&done["index_bytes"], &done["fetched_bytes"]), (&there["index_bytes"], &there["missing_bytes"]));

    let again = scratch.json(&["patch", "out", &url]);
    assert!(again["index_bytes"].as_u64().unwrap() <= 12 << 10, "{again}");
    assert!(again["requests"].as_u64().unwrap() <= 3, "{again}");
    let nothing = scratch.json(&["diff", "missing", &url]);
    assert!(nothing["index_bytes"].as_u64().unwrap() * 8 < index_bytes, "{nothing}");
}

#[test]
fn damage_to_what_is_read_by_range_costs_a_download_and_never_the_result() {
    let scratch = Scratch::new();
    let old = corpus::text(1, 4 << 20);
    let new = edit::scatter(&old, 3, 200);
    scratch.write("old", &old);
    scratch.write("new", &new);
    let server = scratch.serve();
    let url = format!("{}/new.gosync", server.url);
    for options in [&[][..], &["--compress"], &["--compress", "--layers", "1MiB,64KiB,4KiB,256"]] {
        assert_eq!(scratch.run(&[&["build", "new"][..], options].concat()).code, 0);
        let mut index = scratch.read("new.gosync");
        // The coarsest layer is read whole, and has a hash.
        let header_len = u32::from_le_bytes(index[12..16].try_into().unwrap()) as usize;
        let coarsest = (16 + header_len).next_multiple_of(8) + 32;
        index[coarsest + 9] ^= 1;
        scratch.write("new.gosync", &index);
        let run = scratch.run(&["patch", "old", &url, "-o", "out"]);
        run.assert_failed(3, "layer 0 (blocks of ");
        index[coarsest + 9] ^= 1;

        // Of the others only parts are read; what is fetched is not what they say, and then
        // the layers above them have to do.
        let at = index.len() - (66 << 10);
        index[at..at + (64 << 10)].copy_from_slice(&corpus::random(4, 64 << 10));
        scratch.write("new.gosync", &index);
        let run = scratch.run(&["patch", "old", &url, "-o", "out"]);
        assert_eq!(run.code, 0, "{options:?} {}", run.stderr);
        assert!(run.stderr.contains("of the index is damaged; it was done without"), "{}", run.stderr);
        assert!(scratch.read("out") == new && scratch.read("old") == old);
        std::fs::remove_file(scratch.path("out")).unwrap();
    }
}

#[test]
fn layers_that_cannot_be() {
    let scratch = Scratch::new();
    scratch.write("new", b"the new version");
    for sizes in [["--layers", "1000,100"], ["--layers", "64,128"], ["--block-size", "1000"], ["--block-size", "32"]] {
        let run = scratch.run(&[&["build", "new"][..], &sizes].concat());
        run.assert_failed(2, "they have to be descending powers of two from 64 to 16777216");
    }
    for sizes in [["--block-size", "65536"], ["--layers", "1MiB,128KiB"]] {
        let run = scratch.run(&[&["build", "new", "--compress"][..], &sizes].concat());
        run.assert_failed(2, "which have to be of at most 32768 bytes");
        assert_eq!(scratch.names(), ["new"]);
    }
    let coarse = ["build", "new", "--compress", "--layers", "1MiB,128KiB,32KiB"];
    assert_eq!(scratch.json(&coarse)["block_sizes"], serde_json::json!([1 << 20, 128 << 10, 32 << 10]));
    let go_sync = ["build", "new", "--format", "go-sync"];
    assert_eq!(scratch.run(&[&go_sync[..], &["--block-size", "1000"]].concat()).code, 0);
    assert_eq!(scratch.run(&["build", "new", "--layers", "128", "--block-size", "64"]).code, 2);
    let built = scratch.json(&["build", "new", "--layers", "64KiB,8KiB,1KiB"]);
    assert_eq!(built["block_sizes"], serde_json::json!([65_536, 8192, 1024]));
}

#[test]
fn a_payload_has_a_name_of_its_own_and_is_not_always_worth_it() {
    let scratch = Scratch::new();
    for (content, is_worth_it) in [(corpus::text(1, 300_000), true), (corpus::random(1, 300_000), false)] {
        scratch.write("new", &content);
        scratch.write("new.zst", b"somebody else's");
        let run = scratch.run(&["build", "new", "--compress"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(run.stderr.contains("warning: new.gosync-payload is larger than the file"), !is_worth_it);
        assert_eq!(scratch.read("new.zst"), b"somebody else's");
        assert_eq!(scratch.names(), ["new", "new.gosync", "new.gosync-payload", "new.zst"]);
        let size = scratch.read("new.gosync-payload").len();
        assert_eq!(size > content.len(), !is_worth_it);
        std::fs::remove_file(scratch.path("new")).unwrap();
        assert_eq!(scratch.run(&["patch", "absent", "new.gosync", "-o", "out"]).code, 0);
        assert!(scratch.read("out") == content);
        std::fs::remove_file(scratch.path("out")).unwrap();
    }
}

/// What a format does not have is refused and not left out.
#[test]
fn options_that_are_not_of_a_format() {
    let scratch = Scratch::new();
    scratch.write("new", b"the new version");
    for format in ["go-sync", "zsync"] {
        for (option, what) in [
            (&["--layers", "1024,256"][..], "has no layers"),
            (&["--layers", "1024"], "has no layers"),
            (&["--compress"], "has no compressed payload"),
            (&["--compress=5"], "has no compressed payload"),
            (&["--sign", "key"], "has no header that could be signed"),
        ] {
            let run = scratch.run(&[&["build", "new", "--format", format][..], option].concat());
            run.assert_failed(2, what);
            assert_eq!(scratch.names(), ["new"], "{format} {option:?}");
        }
    }
    for (args, what) in [
        (&["inspect", "new.zsync", "--signed-part", "part"][..], "no header to sign"),
        (&["inspect", "new.zsync", "--public-key", "key"], "cannot be signed"),
        (&["patch", "new", "new.zsync", "--public-key", "key"], "cannot be signed"),
        (&["verify", "new", "new.zsync", "--public-key", "key"], "cannot be signed"),
        (&["build", "new", "--key-password-file", "word"], "--sign <KEYFILE>"),
        (&["zsyncmake", "new", "-U", "url"], "required arguments"),
    ] {
        assert_eq!(scratch.run(&["build", "new", "--format", "zsync"]).code, 0);
        scratch.run(args).assert_failed(2, what);
        assert_eq!(scratch.names(), ["new", "new.zsync"], "{args:?}");
    }
}
