//! What is found in seeds: never less than zsync finds, and never anything wrong.

use gosync_testkit::corpus::{self, edit};
use gosync_testkit::oracle::{assert_plan_makes, covered_bytes, greedy_matches};
use gosync_update::Comparison;

use crate::oracle::{control, in_pairs};
use crate::support::compare;

fn find(target: &[u8], block_size: usize, lengths: (usize, usize, usize), seeds: &[&[u8]]) -> Comparison {
    let control = control(target, block_size, lengths, "");
    let found = compare(&control, seeds);
    // What is padded may be found in the zeros of another block, but no byte is wrong.
    assert_plan_makes(&found.plan, target, seeds);
    found
}

/// Ones where single blocks are told apart, ones where it takes pairs, and cut sums.
const LENGTHS: [(usize, usize, usize); 6] = [(1, 4, 16), (1, 3, 8), (2, 2, 8), (2, 3, 8), (1, 2, 9), (2, 1, 10)];

#[test]
fn every_kind_of_data_and_edit() {
    for (name, old) in corpus::all(7, 280_000) {
        for (edit, new) in edit::all(&old, 8) {
            let least = in_pairs(&new, 64, &old);
            for lengths in [LENGTHS[0], LENGTHS[2], LENGTHS[5]] {
                let found = find(&new, 64, lengths, &[&old]);
                let matched = found.plan.matched_bytes();
                // Of blocks that overlap, another may be found.
                assert!(matched + least / 100 >= least, "{name}, {edit}, {lengths:?}: {matched} of {least}");
            }
        }
    }
}

#[test]
fn single_blocks_are_not_lost() {
    let target = corpus::random(1, 600_000);
    // Every other block differs, in place, so that no two in a row are left; and shifted.
    let mut seed = target.clone();
    seed.chunks_mut(1024).for_each(|blocks| blocks[500.min(blocks.len() - 1)] ^= 1);
    let shifted = [&seed[..100_000], b"shift", &seed[100_000..]].concat();
    // Sums of one byte, which nobody makes, fit everywhere.
    for lengths in &LENGTHS[..5] {
        for seed in [&seed, &shifted] {
            let found = find(&target, 512, *lengths, &[seed]);
            let naive = covered_bytes(&target, 512, &greedy_matches(&target, 512, seed));
            assert!(naive > 290_000);
            let matched = found.plan.matched_bytes();
            assert!(matched >= naive, "{lengths:?}: {matched} of {naive}");
        }
    }
}

/// With so many blocks a sum of two bytes fits nearly everywhere; only where their
/// neighbours let expect them, single blocks are looked for.
#[test]
fn single_blocks_where_they_are_expected() {
    let target = corpus::random(2, 4 << 20);
    let mut seed = corpus::random(3, 4 << 20);
    for (at, block) in seed.chunks_mut(64).enumerate() {
        if at % 4 != 3 && at % 300 < 100 {
            block.copy_from_slice(&target[at * 64..][..64]);
        }
    }
    let lonely = (0..seed.len() / 64).filter(|at| at % 4 == 0 && at % 300 < 100).count();
    seed.chunks_mut(64).enumerate().filter(|(at, _)| at % 4 == 1 && at % 8 == 5).for_each(|(_, block)| block[3] ^= 1);
    let found = find(&target, 64, (2, 2, 8), &[&seed]);
    let least = in_pairs(&target, 64, &seed);
    assert!(found.plan.matched_bytes() > least + lonely as u64 * 64 / 4, "{} of {least}", found.plan.matched_bytes());
}

#[test]
fn the_last_block_is_padded() {
    for length in [1, 511, 512, 513, 1023, 1025, 5000] {
        let target = corpus::random(4, length);
        for lengths in LENGTHS {
            // The seed's end, its middle, and a seed that is shorter than a block.
            let longer = [&corpus::random(5, 777)[..], &target, &corpus::random(6, 100)].concat();
            for (what, seed) in [("itself", &target), ("within", &longer)] {
                let found = find(&target, 512, lengths, &[seed]);
                let last = if what == "itself" || length > 1024 || length % 512 == 0 { 0 } else { 512 };
                let missing = found.plan.fetched_bytes();
                assert!(missing <= last, "{what}, {length}, {lengths:?}: {missing} missing");
            }
            let tail = &target[target.len() - target.len() % 512..];
            let found = find(&target, 512, lengths, &[tail]);
            assert_eq!(found.plan.copied_bytes(), tail.len() as u64, "{length}, {lengths:?}");
        }
    }
}

#[test]
fn constant_and_periodic_data() {
    let zeros = corpus::zeros(300_000);
    let spaces = vec![b' '; 300_001];
    let periodic = corpus::periodic(1, 700, 300_002);
    let mut ends_in_zeros = corpus::random(9, 2048);
    ends_in_zeros.extend([0; 100]);
    for target in [&zeros, &spaces, &periodic, &ends_in_zeros] {
        for seed in [&zeros, &spaces, &periodic, &ends_in_zeros] {
            for block_size in [256, 2048, 1 << 20] {
                for lengths in LENGTHS {
                    let found = find(target, block_size, lengths, &[seed]);
                    if target == seed {
                        assert_eq!(found.plan.fetched_bytes(), 0, "{lengths:?}, {block_size}");
                    }
                }
            }
        }
    }
}

#[test]
fn several_seeds() {
    let target = corpus::random(10, 100_000);
    let seeds: [&[u8]; 3] = [&target[60_000..], &[], &target[..50_000]];
    for lengths in LENGTHS {
        let found = find(&target, 1024, lengths, &seeds);
        assert!(found.plan.fetched_bytes() <= 12 * 1024, "{lengths:?}");
    }
}

/// Seed and target have the same text several times, each time at another place within
/// their blocks: one copy in the seed is as good as another, and is not used up by the first.
#[test]
fn what_is_there_several_times() {
    let text = corpus::text(9, 40_000);
    let copies = |gaps: [usize; 4]| -> Vec<u8> {
        let parts = gaps.iter().zip(100..).map(|(&gap, seed)| [corpus::random(seed, gap), text.clone()].concat());
        parts.collect::<Vec<_>>().concat()
    };
    let target = copies([0, 333, 1999, 5]);
    for lengths in [(1, 4, 8), (2, 2, 6)] {
        let control = control(&target, 1024, lengths, "");
        let seed = copies([17, 3000, 2100, 700]);
        let found = compare(&control, &[&seed]);
        // The gaps, the ends of copies, and what shares a block with them.
        let missing = found.plan.fetched_bytes();
        assert!(missing < 12 * 1024, "{lengths:?}: {missing} of {}", target.len());
    }
}
