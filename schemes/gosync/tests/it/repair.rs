//! Targets that come out wrong though all their blocks have the right sums.

use std::collections::HashMap;
use std::fs;

use gosync::update::Error;
use gosync::{ErrorKind, Index, ReadOptions};
use gosync_chunks::StrongHasher;
use gosync_sums::Xxh3;
use gosync_testkit::corpus;
use gosync_testkit::source::MemorySource;

use crate::by_hand::ByHand;
use crate::support::{open_seeds, patch};
use crate::{KEY_MULTIPLIER, polynomial};

const BLOCK: usize = 64;
const SIZES: &[u32] = &[BLOCK as u32];
const MIB: usize = 1 << 20;

/// Two blocks with one weak sum and, of a strong sum, one first byte: 40 bits, which some
/// pair of a few million blocks has in common.
fn twins(salt: u64) -> [Vec<u8>; 2] {
    let hasher = Xxh3::truncated(1, salt).unwrap();
    let block = |number: u32| -> Vec<u8> {
        let words = (0..16u32).map(|word| (number + 1).wrapping_mul(0x9e37_79b1).wrapping_mul(word * 2 + 1) ^ word);
        words.flat_map(u32::to_le_bytes).collect()
    };
    let mut seen = HashMap::new();
    for number in 0.. {
        let data = block(number);
        let sums = (polynomial(&data, KEY_MULTIPLIER), hasher.sum(&data).as_bytes()[0]);
        if let Some(other) = seen.insert(sums, number) {
            return [block(other), data];
        }
    }
    unreachable!("there are fewer sums than blocks")
}

/// A target of several mebibytes with short sums, and one that only differs from it in two
/// blocks with the same sums, in the second mebibyte and the last.
struct Case {
    target: Vec<u8>,
    twin: Vec<u8>,
    index: Index,
}

impl Case {
    fn new() -> Self {
        let mut target = corpus::random(31, 3 * MIB + 200);
        let salt = ByHand::new(&target, SIZES, "").salt;
        let [one, other] = twins(salt);
        let mut twin = target.clone();
        for at in [MIB + 5 * BLOCK, 3 * MIB] {
            target[at..at + BLOCK].copy_from_slice(&one);
            twin[at..at + BLOCK].copy_from_slice(&other);
        }
        let [bytes, of_twin] = [&target, &twin].map(|summed| {
            ByHand { strong_len: 1, salt, hashed: Some(&target), ..ByHand::new(summed, SIZES, "target") }.bytes()
        });
        assert!(bytes == of_twin, "nobody can tell them apart by their sums");
        Self { index: Index::read(bytes.as_slice(), &ReadOptions::default()).unwrap(), target, twin }
    }
}

#[test]
fn what_only_the_tree_tells_apart_is_fetched_again() {
    let case = Case::new();
    let directory = tempfile::tempdir().unwrap();
    let (seed, out) = (directory.path().join("seed"), directory.path().join("out"));
    fs::write(&seed, &case.twin).unwrap();
    let seeds = open_seeds(&case.index, [&seed]);
    let source = MemorySource::new(case.target.clone());
    let made = patch(&case.index, &seeds, &source, &out, &()).unwrap();
    assert!(fs::read(&out).unwrap() == case.target);
    assert_eq!(made.comparison.plan.fetched_bytes(), 0, "the seed had it all, as it seemed");
    let wrong = (MIB + 200) as u64;
    assert_eq!(made.report.refetched_blocks, wrong.div_ceil(BLOCK as u64), "a mebibyte, and the last one's bytes");
    assert_eq!((made.report.fetched, made.report.transfer.bytes), (wrong, wrong));
    assert_eq!(made.matched_bytes() + wrong, made.output_bytes(), "what was fetched again is no match any more");
}

#[test]
fn a_source_that_is_as_wrong_is_found_out_and_nothing_is_lost() {
    let case = Case::new();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    fs::write(&out, b"what was there before").unwrap();
    let seeds = open_seeds(&case.index, [directory.path().join("none")]);
    let error = patch(&case.index, &seeds, &MemorySource::new(case.twin.clone()), &out, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(matches!(error, Error::Patch(_)), "{error}");
    assert_eq!(fs::read(&out).unwrap(), b"what was there before");
}
