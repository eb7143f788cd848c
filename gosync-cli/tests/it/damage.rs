//! Damaged and absurd indexes, and targets that are not what their index says.

use std::time::{Duration, Instant};

use gosync_testkit::corpus;

use crate::support::{FORMATS, Scratch};

/// No index here takes this long to refuse.
const QUICKLY: Duration = Duration::from_secs(5);

/// What was right is kept for a run with a better source.
const KEPT: [&str; 5] = [".old.gosync-journal", ".old.gosync-part", "new", "new.gosync", "old"];

fn assert_refused(scratch: &Scratch, index: &[u8], what: &str) {
    scratch.write("bad.gosync", index);
    for args in [&["inspect", "bad.gosync"][..], &["diff", "old", "bad.gosync"], &["patch", "old", "bad.gosync", "new"]]
    {
        let start = Instant::now();
        let run = scratch.run(args);
        assert_eq!(run.code, 3, "{what}, {args:?}: {}", run.stderr);
        run.assert_failed(3, "bad.gosync is not a usable index");
        assert!(start.elapsed() < QUICKLY, "{what}");
    }
    assert_eq!(scratch.read("old"), b"the old version");
}

#[test]
fn damaged_indexes() {
    for format in FORMATS {
        let scratch = Scratch::new();
        scratch.write("old", b"the old version");
        scratch.write("new", &corpus::random(1, 20_000));
        assert_eq!(scratch.run(&["build", "new", "--format", format]).code, 0);
        let index = scratch.read("new.gosync");
        for cut in [0, 1, 7, 10, index.len() / 2, index.len() - 1] {
            assert_refused(&scratch, &index[..cut], &format!("{format} cut at {cut}"));
        }
        assert_refused(&scratch, &[&index[..], b"x"].concat(), &format!("{format} with more behind it"));
        assert_refused(&scratch, &corpus::random(2, 500), "noise");
    }
}

#[test]
fn a_flipped_bit_in_our_own_format() {
    let scratch = Scratch::new();
    scratch.write("old", b"the old version");
    scratch.write("new", &corpus::random(1, 20_000));
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    let index = scratch.read("new.gosync");
    for at in (0..index.len()).step_by(index.len() / 16) {
        let mut flipped = index.clone();
        flipped[at] ^= 4;
        assert_refused(&scratch, &flipped, &format!("a bit flipped at {at}"));
    }
}

#[test]
fn damage_to_our_own_index_has_a_name() {
    const DAMAGE: usize = 64 << 10;
    let scratch = Scratch::new();
    scratch.write("old", b"the old version");
    scratch.write("new", &corpus::random(1, 4 << 20));
    assert_eq!(scratch.run(&["build", "new", "--layers", "16KiB,2KiB,256"]).code, 0);
    let index = scratch.read("new.gosync");
    let damaged = |at: usize| {
        let mut damaged = index.clone();
        damaged[at..at + DAMAGE].copy_from_slice(&corpus::random(at as u64, DAMAGE));
        damaged
    };
    for at in (0..index.len() - DAMAGE).step_by(index.len() / 5) {
        assert_refused(&scratch, &damaged(at), &format!("64 KiB of noise at {at}"));
    }
    scratch.write("bad.gosync", &damaged(index.len() - DAMAGE - 1000));
    scratch.run(&["inspect", "bad.gosync"]).assert_failed(3, "layer 2 (blocks of 256 bytes) does not have the hash");
}

#[test]
fn a_flipped_bit_in_a_go_sync_index_is_found_when_it_matters() {
    let scratch = Scratch::new();
    let old = scratch.write("old", b"the old version");
    scratch.write("new", &corpus::random(1, 20_000));
    assert_eq!(scratch.run(&["build", "new", "--format", "go-sync"]).code, 0);
    let mut index = scratch.read("new.gosync");
    let at = index.len() - 1;
    index[at] ^= 1;
    scratch.write("new.gosync", &index);
    scratch.run(&["patch", "old", "new.gosync"]).assert_failed(3, "bytes 16384..20000 are missing or wrong");
    assert_eq!(std::fs::read(old).unwrap(), b"the old version");
    assert_eq!(scratch.names(), KEPT);
}

/// formats.md's legacy header, with what may not be.
#[test]
fn absurd_go_sync_indexes() {
    let header = |length: i64, block_size: u32| {
        let mut index = b"G0S9NC".to_vec();
        [0u16, 2, 1].iter().for_each(|part| index.extend(part.to_le_bytes()));
        index.extend(length.to_le_bytes());
        index.extend(block_size.to_le_bytes());
        index.extend([7; 40]);
        index
    };
    let scratch = Scratch::new();
    scratch.write("old", b"the old version");
    scratch.write("new", b"");
    for (what, index) in [
        ("2^60 bytes", header(1 << 60, 8192)),
        ("2^60 bytes in large blocks", header(1 << 60, 1 << 24)),
        ("a negative length", header(-1, 8192)),
        ("blocks of 0 bytes", header(100, 0)),
        ("blocks of 2^31 bytes", header(100, 1 << 31)),
        ("too few sums", header(8192 * 3, 8192)),
        ("too many sums", header(8192, 8192)),
        ("another version", [&b"G0S9NC"[..], &[9, 0, 0, 0, 0, 0], &[0; 12]].concat()),
    ] {
        assert_refused(&scratch, &index, what);
    }
}

#[test]
fn a_source_that_is_not_the_target() {
    for format in FORMATS {
        let scratch = Scratch::new();
        let old = scratch.write("old", b"the old version");
        let target = corpus::random(1, 50_000);
        scratch.write("new", &target);
        assert_eq!(scratch.run(&["build", "new", "--format", format, "--block-size", "1024"]).code, 0);

        let mut changed = target.clone();
        changed[25_500] ^= 1;
        scratch.write("new", &changed);
        scratch.run(&["patch", "old", "new.gosync"]).assert_failed(3, "bytes 24576..25600 are missing or wrong");
        assert_eq!(scratch.names(), KEPT);
        scratch.write("new", &target[..40_000]);
        assert_eq!(scratch.run(&["patch", "old", "new.gosync", "-o", "out"]).code, 3);
        assert_eq!(std::fs::read(&old).unwrap(), b"the old version");
        assert_eq!(scratch.names(), KEPT, "nothing is left of what got nothing");
    }
}

#[test]
fn verify_names_what_is_wrong() {
    for format in FORMATS {
        let scratch = Scratch::new();
        let target = corpus::random(1, 50_000);
        scratch.write("file", &target);
        assert_eq!(scratch.run(&["build", "file", "--format", format, "--block-size", "1024"]).code, 0);
        assert_eq!(scratch.run(&["verify", "file", "file.gosync"]).code, 0);

        let mut wrong = target.clone();
        wrong[1500] ^= 1;
        wrong[2500] ^= 1;
        wrong[49_999] ^= 1;
        scratch.write("file", &wrong);
        let run = scratch.run(&["verify", "file", "file.gosync"]);
        run.assert_failed(3, "2,896 wrong bytes");
        assert_eq!(String::from_utf8(run.stdout).unwrap(), "1024..3072\n49152..50000\n");

        scratch.write("file", &target[..10_500]);
        scratch.run(&["verify", "file", "file.gosync"]).assert_failed(3, "10,500 bytes, not the 50,000");
        scratch.write("file", &[&target[..], b"more"].concat());
        scratch.run(&["verify", "file", "file.gosync"]).assert_failed(3, "50,004 bytes, not the 50,000");
    }
}
