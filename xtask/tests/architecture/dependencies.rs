//! How many crates come with each part, for a user who picks it alone.

use std::collections::BTreeSet;
use std::process::Command;

use crate::root;

/// Crates of others that a part brings with its default features on Linux, at most, all that
/// they need themselves included.
const MOST: [(&str, usize); 10] = [
    // thiserror, and what its macro is made with.
    ("gosync-chunks", 6),
    // fearless_simd.
    ("gosync-rollsum", 1),
    // rayon, and channels of crossbeam.
    ("gosync-work", 7),
    ("gosync-files", 9),
    ("gosync-sums", 34),
    ("gosync-index", 13),
    ("gosync-comparer", 17),
    ("gosync-blocksources", 68),
    ("gosync-patcher", 42),
    ("gosync-server", 26),
];

/// Hashes of blocks and files come with the sums and with what checks files.
const HASHES: [&str; 8] = ["blake2", "blake3", "md-5", "md4", "sha1", "sha2", "twox-hash", "xxhash-rust"];
const HASHING: [&str; 2] = ["gosync-sums", "gosync-patcher"];

#[test]
fn no_part_brings_more_than_it_did() {
    for (part, most) in MOST {
        let crates = crates_of(part);
        assert!(!crates.is_empty(), "{part} was not understood");
        assert!(crates.len() <= most, "{part} brings {} crates, not {most} at most: {crates:?}", crates.len());
        let hashes: Vec<_> = HASHES.into_iter().filter(|hash| crates.contains(*hash)).collect();
        assert!(HASHING.contains(&part) || hashes.is_empty(), "{part} brings hashes: {hashes:?}");
    }
}

/// The names of all crates that are not of this workspace.
///
/// Of `cargo tree`, because `cargo metadata` joins the features that all members of a
/// workspace ask for, and so counts what only the command turns on.
fn crates_of(part: &str) -> BTreeSet<String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--locked", "--package", part, "--edges", "normal", "--prefix", "none"]);
    command.args(["--format", "{p}", "--target", "x86_64-unknown-linux-gnu"]).current_dir(root());
    let printed = command.output().expect("cargo runs");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let lines = String::from_utf8(printed.stdout).expect("names are text");
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| !name.is_empty() && !name.starts_with("gosync")).map(str::to_owned).collect()
}
