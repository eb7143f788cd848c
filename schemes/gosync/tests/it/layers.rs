//! The descent through layers, against a flat search and the truth.

use std::fs;

use gosync::update::Comparison;
use gosync::{Format, Index};
use gosync_chunks::ByteRange;
use gosync_testkit::corpus::{self, edit};
use gosync_testkit::{Random, oracle};
use tempfile::TempDir;

use crate::support::{self, build, open_seeds, verify};

/// Files, and an index of the new one.
struct Case {
    directory: TempDir,
    index: Index,
}

impl Case {
    fn new(new: &[u8], sizes: &[u32]) -> Self {
        Self::of(Format::Layered, new, sizes)
    }

    fn of(format: Format, new: &[u8], sizes: &[u32]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new");
        fs::write(&path, new).unwrap();
        Self { index: build(&path, format, sizes).unwrap(), directory }
    }

    /// What is found in `olds`, which the plan is held against.
    fn compare(&self, olds: &[&[u8]], new: &[u8]) -> Comparison {
        let write = |(at, old): (usize, &&[u8])| {
            let path = self.directory.path().join(format!("old-{at}"));
            fs::write(&path, old).unwrap();
            path
        };
        let seeds = open_seeds(&self.index, olds.iter().enumerate().map(write));
        let found = support::compare(&self.index, &seeds);
        let zeros = vec![0; new.len()];
        let seeds: Vec<&[u8]> = olds.iter().copied().chain([&zeros[..]]).collect();
        oracle::assert_plan_makes(&found.plan, new, &seeds);
        found
    }
}

fn compare(olds: &[&[u8]], new: &[u8], sizes: &[u32]) -> Comparison {
    Case::new(new, sizes).compare(olds, new)
}

const LAYERS: [&[u32]; 4] = [&[8192, 256], &[4096, 2048, 1024, 512, 256, 128, 64], &[65_536, 8192, 1024], &[512, 64]];

/// No more than a flat search with the finest blocks fetches, but for a block or two where
/// a piece that was found in larger blocks ends elsewhere.
#[test]
fn every_kind_of_data_and_edit_as_a_flat_search() {
    for (kind, old) in corpus::all(5, 120_000) {
        for (at, (edit, new)) in edit::all(&old, 6).into_iter().enumerate() {
            let sizes = LAYERS[at % LAYERS.len()];
            let leaf = *sizes.last().unwrap();
            let layered = compare(&[&old], &new, sizes).plan.fetched_bytes();
            let flat = compare(&[&old], &new, &[leaf]).plan.fetched_bytes();
            assert!(layered <= flat + 4 * u64::from(leaf), "{kind}, {edit}, {sizes:?}: {layered}, flat {flat}");
        }
    }
}

/// Pieces of two seeds in any order, new bytes, zeros and repetitions between them.
fn patchwork(random: &mut Random, olds: &[Vec<u8>]) -> (Vec<u8>, u64) {
    let (mut new, mut unknown) = (Vec::new(), 0);
    while new.len() < 150_000 {
        match random.below(6) {
            0 => {
                let len = random.range(1..3000);
                new.extend(random.bytes(len));
                unknown += len as u64;
            }
            1 => new.resize(new.len() + random.range(1..20_000), 0),
            2 => {
                let (period, len) = (random.range(1..700), random.range(1..6000));
                new.extend(corpus::periodic(random.next_u64(), period, len));
                unknown += len as u64;
            }
            _ => {
                let old = random.pick(olds);
                let start = random.below(old.len() - 1);
                let len = random.range(1..30_000).min(old.len() - start);
                new.extend_from_slice(&old[start..start + len]);
            }
        }
    }
    (new, unknown)
}

#[test]
fn all_that_was_moved_or_copied_is_found() {
    for seed in 0..24 {
        let mut random = Random::new(seed);
        let olds = [corpus::random(seed + 100, 90_000), corpus::text(seed + 200, 60_000)];
        let (new, unknown) = patchwork(&mut random, &olds);
        let mut sizes: Vec<u32> = (6..=16).filter(|_| random.one_in(3)).map(|log| 1 << log).rev().collect();
        if sizes.is_empty() {
            sizes.push(256);
        }
        let leaf = *sizes.last().unwrap();
        let olds: Vec<&[u8]> = olds.iter().map(Vec::as_slice).collect();
        let layered = compare(&olds, &new, &sizes);
        // Two neighbours confirm each other, so what is found for certain is two blocks long.
        let flat = compare(&olds, &new, &[2 * leaf]);
        let (fetched, at_most) = (layered.plan.fetched_bytes(), flat.plan.fetched_bytes());
        assert!(fetched <= at_most + 8 * u64::from(leaf), "{seed}, {sizes:?}: {fetched}, flat {at_most}");
        if leaf <= 256 {
            // Each end of some 30 pieces costs less than a block.
            assert!(fetched < unknown + 100 * u64::from(leaf), "{seed}, {sizes:?}: {fetched} of {unknown}");
        }
    }
}

/// Seed and target have the same text several times, each time at another place within their
/// blocks: without finer layers, too, one copy is as good as another, and not used up by the
/// first.
#[test]
fn what_is_there_several_times_is_found_by_flat_searches() {
    let text = corpus::text(9, 40_000);
    let copies = |gaps: [usize; 4]| -> Vec<u8> {
        let parts = gaps.iter().zip(100..).map(|(&gap, seed)| [corpus::random(seed, gap), text.clone()].concat());
        parts.collect::<Vec<_>>().concat()
    };
    let (old, new) = (copies([17, 3000, 2100, 700]), copies([0, 333, 1999, 5]));
    for format in [Format::Layered, Format::GoSync] {
        let found = Case::of(format, &new, &[1024]).compare(&[&old], &new);
        // The gaps, the ends of copies, and what shares a block with them.
        let missing = found.plan.fetched_bytes();
        assert!(missing < 12 * 1024, "{format:?}: {missing} of {}", new.len());
    }
}

#[test]
fn an_unchanged_file_needs_the_coarsest_layer() {
    for length in [1usize, 4095, 4096, 100_000] {
        let data = corpus::random(1, length);
        let found = compare(&[&data], &data, &[4096, 512, 64]);
        assert_eq!(found.plan.fetched_bytes(), 0);
        let blocks = length.div_ceil(4096) as u64;
        assert_eq!(
            found.layers.iter().map(|layer| (layer.asked, layer.matched)).collect::<Vec<_>>(),
            [(blocks, blocks)]
        );
    }
}

#[test]
fn a_change_costs_its_path_through_the_layers() {
    let old = corpus::random(1, 1 << 20);
    let mut new = old.clone();
    new[500_000] ^= 1;
    let found = compare(&[&old], &new, &[16_384, 2048, 256]);
    let asked: Vec<_> = found.layers.iter().map(|layer| (layer.asked, layer.matched)).collect();
    assert_eq!((found.plan.fetched_bytes(), asked), (256, vec![(64, 63), (8, 7), (8, 7)]));
    assert!(!found.layers[1].searched, "what did not move is found where it is expected");
    let at = 500_000 - 500_000 % 256;
    assert_eq!(found.plan.fetch_ranges(), [ByteRange::at(at, 256)]);
}

#[test]
fn hopeless_seeds_end_the_descent() {
    let new = corpus::random(1, 8 << 20);
    for old in [corpus::random(2, 8 << 20), Vec::new()] {
        let found = compare(&[&old], &new, &[16_384, 2048, 256]);
        assert_eq!(found.plan.fetched_bytes(), new.len() as u64);
        let index_bytes: u64 = found.layers.iter().map(|layer| layer.index_bytes).sum();
        assert!(index_bytes < new.len() as u64 / 200, "{index_bytes}");
    }
    // A little that is spread over all of it is no reason to stop.
    let mut old = corpus::random(2, 8 << 20);
    old.chunks_mut(16_384).zip(new.chunks(16_384)).for_each(|(old, new)| old[..1024].copy_from_slice(&new[..1024]));
    let found = compare(&[&old], &new, &[16_384, 2048, 256]);
    assert_eq!(found.plan.fetched_bytes(), (8 << 20) - 512 * 1024);
}

#[test]
fn zeros_come_from_nowhere() {
    let mut new = corpus::zeros(100_000);
    new[50_000] = 1;
    let found = compare(&[], &new, &[4096, 512, 64]);
    // And the last block, which is short.
    assert_eq!(found.plan.fetched_bytes(), 64 + 100_000 % 64);
    assert_eq!(compare(&[b"no zeros"], &[0; 4096], &[64]).plan.fetched_bytes(), 0);
}

#[test]
fn equal_blocks_are_fetched_once() {
    let new = corpus::random(3, 4096).repeat(20);
    assert_eq!(compare(&[], &new, &[4096, 256]).plan.fetched_bytes(), 4096);
    assert_eq!(compare(&[], &new, &[16_384, 1024]).plan.fetched_bytes(), 4096);
}

#[test]
fn verify_names_what_is_wrong_to_the_finest_layer() {
    let target = corpus::random(1, 300_000);
    let case = Case::new(&target, &[65_536, 4096, 64]);
    let path = case.directory.path().join("file");
    let wrong = |data: &[u8]| {
        fs::write(&path, data).unwrap();
        verify(&case.index, &path).wrong
    };
    assert_eq!(wrong(&target), []);
    let mut flipped = target.clone();
    flipped[70_000] ^= 1;
    flipped[70_100] ^= 1;
    flipped[299_999] ^= 1;
    let range = |start, end| ByteRange { start, end };
    assert_eq!(wrong(&flipped), [range(69_952, 70_016), range(70_080, 70_144), range(299_968, 300_000)]);
    assert_eq!(wrong(&target[..100_000]), [range(99_968, 300_000)]);
    assert_eq!(wrong(&[&target[..], b"more"].concat()), []);
}
