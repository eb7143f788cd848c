//! The same bytes as the real rdiff, and each reads what the other wrote.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use gosync_librsync::SignatureKind;
use gosync_testkit::corpus::{self, edit};
use gosync_testkit::{Random, peers};
use tempfile::TempDir;

use crate::support::{apply, diff, on_threads, options, signature_of};

/// rdiff in a directory of its own.
struct Rdiff {
    program: PathBuf,
    directory: TempDir,
}

impl Rdiff {
    fn new() -> Option<Self> {
        Some(Self { program: peers::require("rdiff")?, directory: tempfile::tempdir().unwrap() })
    }

    /// What it writes to its last file, of `files` that are written before.
    fn run(&self, args: &[&str], files: &[&[u8]]) -> Vec<u8> {
        let path = |name: usize| self.directory.path().join(name.to_string());
        let mut command = Command::new(&self.program);
        command.arg("-f").args(args);
        for (name, data) in files.iter().enumerate() {
            fs::write(path(name), data).unwrap();
            command.arg(path(name));
        }
        let output = command.arg(path(files.len())).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        fs::read(path(files.len())).unwrap()
    }

    /// Both make the same signature and delta, and patch with it.
    fn check(&self, old: &[u8], new: &[u8], kind: SignatureKind, block_len: u32, strong_len: u32, what: &str) {
        let (hash, rolling) = match kind {
            SignatureKind::Md4Rollsum => ("md4", "rollsum"),
            SignatureKind::Blake2Rollsum => ("blake2", "rollsum"),
            SignatureKind::Md4RabinKarp => ("md4", "rabinkarp"),
            SignatureKind::Blake2RabinKarp => ("blake2", "rabinkarp"),
        };
        let (block, strong) = (block_len.to_string(), strong_len.to_string());
        let what = format!("{kind:?}, blocks of {block_len}, sums of {strong_len}, {what}");
        let args = ["-H", hash, "-R", rolling, "-b", &block, "-S", &strong, "signature"];
        let signature = self.run(&args, &[old]);
        assert!(signature_of(old, &options(kind, block_len, strong_len, old)) == signature, "{what}");
        let delta = self.run(&["delta"], &[&signature, new]);
        for threads in [1, 3] {
            assert!(on_threads(threads, || diff(&signature, new)) == delta, "{what}, {threads} threads");
        }
        assert!(self.run(&["patch"], &[old, &delta]) == new, "{what}");
        assert!(apply(old, &delta).unwrap() == new, "{what}");
    }
}

/// Lengths around those of blocks, and beyond a piece.
fn length(random: &mut Random, block_len: usize) -> usize {
    let blocks = random.below(40);
    match random.below(10) {
        0 => random.below(3),
        1 => block_len - 1 + random.below(3),
        2..5 => (blocks * block_len + random.below(3)).saturating_sub(1),
        5..9 => random.below(200_000),
        _ => random.below(4_000_000),
    }
}

fn pair(random: &mut Random, block_len: usize) -> (String, Vec<u8>, Vec<u8>) {
    let (seed, len) = (random.next_u64(), length(random, block_len));
    let kinds = corpus::all(seed, len);
    let (name, old) = random.pick(&kinds).clone();
    let edits = edit::all(&old, seed);
    let (edited, mut new) = random.pick(&edits).clone();
    if random.one_in(8) {
        new = random.pick(&kinds).1.clone();
    }
    if random.one_in(3) {
        new.truncate(length(random, block_len));
    }
    if random.one_in(4) {
        let before = length(random, block_len).min(100_000);
        new.splice(0..0, random.bytes(before));
    }
    (format!("{name} of {len}, {edited}, {}", new.len()), old, new)
}

#[test]
fn two_hundred_random_pairs() {
    let Some(rdiff) = Rdiff::new() else { return };
    let mut random = Random::new(5);
    for case in 0..200 {
        let kind = SignatureKind::ALL[case % 4];
        let block_len = *random.pick(&[0, 1, 2, 7, 16, 61, 64, 100, 256, 700, 1024, 2048, 4096, 5000, 65_536]);
        let (what, mut old, mut new) = pair(&mut random, (block_len as usize).max(256));
        if block_len > 0 && block_len < 64 {
            old.truncate(20_000);
            new.truncate(20_000);
        }
        // Sums of one byte collide, and librsync's choice shows.
        let strong_len = *random.pick(&[0, 0, 0, 1, 2, 4, 8, 12, 16]);
        rdiff.check(&old, &new, kind, block_len, strong_len, &format!("case {case}, {what}"));
    }
}
