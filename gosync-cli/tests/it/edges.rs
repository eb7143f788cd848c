//! Files and seeds at the edges of what there can be.

use gosync_testkit::corpus;

use crate::support::{FORMATS, Scratch};

#[test]
fn targets_and_seeds_around_a_block() {
    const BLOCK: usize = 1024;
    let data = corpus::random(1, 5 * BLOCK);
    for format in FORMATS {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let scratch = Scratch::new();
            let target = &data[..length];
            scratch.write("target", target);
            assert_eq!(scratch.run(&["build", "target", "--format", format, "--block-size", "1024"]).code, 0);
            scratch.write("empty", b"");
            scratch.write("short", &data[..BLOCK / 2]);
            scratch.write("longer", &data);
            for seed in ["missing", "empty", "short", "longer", "target"] {
                let missing = scratch.json(&["diff", seed, "target.gosync"])["missing_bytes"].as_u64().unwrap();
                let done = scratch.json(&["patch", seed, "target.gosync", "-o", "out"]);
                assert_eq!(scratch.read("out"), target, "{format}, {length} from {seed}");
                std::fs::remove_file(scratch.path("out")).unwrap();
                assert_eq!(done["fetched_bytes"].as_u64(), Some(missing));
                match seed {
                    "missing" | "empty" => assert_eq!(missing, length as u64),
                    // A short last block is found behind the block before it.
                    "longer" if length > BLOCK => assert_eq!(missing, 0, "{format}, {length}"),
                    "target" => assert_eq!(missing, 0, "{format}, {length}"),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_missing_seed_is_made() {
    let scratch = Scratch::new();
    scratch.write("new/data", b"some bytes");
    assert_eq!(scratch.run(&["build", "new/data"]).code, 0);
    let run = scratch.run(&["patch", "data", "new/data.gosync"]);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("data does not exist"), "{}", run.stderr);
    assert_eq!(scratch.read("data"), b"some bytes");
}

#[test]
fn a_go_sync_index_is_named_after_its_target() {
    let scratch = Scratch::new();
    scratch.write("target.bin", b"some bytes");
    assert_eq!(scratch.run(&["build", "target.bin", "--format", "go-sync"]).code, 0);
    assert_eq!(scratch.run(&["patch", "out", "target.bin.gosync"]).code, 0);
    assert_eq!(scratch.read("out"), b"some bytes");

    std::fs::rename(scratch.path("target.bin.gosync"), scratch.path("index")).unwrap();
    scratch.run(&["patch", "out", "index"]).assert_failed(2, "does not name its target");
    assert_eq!(scratch.run(&["patch", "out", "index", "target.bin"]).code, 0);
}

#[cfg(unix)]
#[test]
fn a_link_goes_on_pointing_and_permissions_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scratch = Scratch::new();
    scratch.write("new", &corpus::random(2, 10_000));
    let old = scratch.write("old", b"old");
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o750)).unwrap();
    symlink("old", scratch.path("link")).unwrap();
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    assert_eq!(scratch.run(&["patch", "link", "new.gosync"]).code, 0);
    assert!(scratch.path("link").is_symlink());
    assert_eq!(scratch.read("old"), scratch.read("new"));
    assert_eq!(std::fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o750);
}

#[test]
fn a_report_shows_what_comes_from_where() {
    let scratch = Scratch::new();
    let old = corpus::text(1, 400_000);
    scratch.write("o&d", &old);
    scratch.write("new", &[&old[100_000..], &corpus::random(2, 50_000)].concat());
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    let event = scratch.json(&["diff", "o&d", "new.gosync", "--report", "page.html"]);
    let page = String::from_utf8(scratch.read("page.html")).unwrap();
    assert!(page.contains("<h1>new</h1>") && page.contains("o&amp;d") && page.contains("<svg"));
    for layer in ["64.0 KiB", "8.0 KiB", "1.0 KiB"] {
        assert!(page.contains(&format!("<tr><td>{layer}</td><td>")), "{layer}");
    }
    let copied = event["matched_bytes"].as_u64().unwrap();
    assert!(copied > 250_000 && page.contains("350,000 bytes"));
    let grouped = format!("{},{:03} bytes ({:.1} %)", copied / 1000, copied % 1000, copied as f64 / 3500.0);
    assert!(page.contains(&grouped), "{grouped}");
    scratch
        .run(&["diff", "o&d", "new.gosync", "--report", "no/such/page"])
        .assert_failed(1, "cannot write no/such/page");
}
