//! Data on which sums collide and blocks overlap: the work is bounded, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{BlockLayout, Signature, Step, StrongHasher, StrongSum};
use gosync_comparer::{CompareOptions, Comparison, Matcher, Matches, RollingSum, compare};
use gosync_index::BlockIndex;
use gosync_sums::{Md5, Rolling, SumOptions, sum_target};
use gosync_testkit::corpus::{self, edit, slow};
use gosync_testkit::oracle::assert_plan_makes;

const MIB: usize = 1 << 20;

/// Counts the bytes that it sums.
#[derive(Debug)]
struct Counting {
    hasher: Md5,
    bytes: AtomicU64,
}

impl StrongHasher for Counting {
    fn sum_len(&self) -> usize {
        self.hasher.sum_len()
    }

    fn sum(&self, block: &[u8]) -> StrongSum {
        self.bytes.fetch_add(block.len() as u64, Ordering::Relaxed);
        self.hasher.sum(block)
    }

    fn sum_many(&self, blocks: &[&[u8]], sums: &mut [u8]) {
        self.bytes.fetch_add(blocks.iter().map(|block| block.len() as u64).sum(), Ordering::Relaxed);
        self.hasher.sum_many(blocks, sums);
    }
}

/// What a search came to, and the bytes of the seed's windows that it summed.
fn count(target: &[u8], block_size: u32, seed: &[u8], options: &CompareOptions) -> (Comparison, u64) {
    let summed = SumOptions { block_size, file_hash: false };
    let hasher = Arc::new(Counting { hasher: Md5::full(), bytes: AtomicU64::new(0) });
    let signature = sum_target(target, &summed, &Rolling(options.sum), hasher.clone(), &()).unwrap().signature;
    let index = BlockIndex::build(&signature);
    hasher.bytes.store(0, Ordering::Relaxed);
    let found = compare(&signature, &index, &[&seed.to_vec()], options, &()).unwrap();
    assert_plan_makes(&found.plan, target, &[seed]);
    (found, hasher.bytes.load(Ordering::Relaxed))
}

/// Bytes summed and weak hits looked up stay in proportion to the seed, whatever is in it. What
/// is found moves the search on by a block, unless blocks may overlap.
#[test]
fn no_kind_of_data_costs_more_than_its_budget() {
    let cases =
        [(RollingSum::Rsync, 1024, false), (RollingSum::Rsync, 8192, false), (RollingSum::RabinKarp, 128, true)];
    for (sum, block_size, overlapping) in cases {
        let options = CompareOptions { overlapping, ..CompareOptions::new(sum) };
        for length in [MIB / 4, MIB] {
            let (target, seed) = (slow::all(1, length), slow::all(2, length));
            for ((kind, target), (_, seed)) in target.iter().zip(&seed) {
                let (found, bytes) = count(target, block_size, seed, &options);
                let (length, pieces) = (length as u64, length.div_ceil(MIB) as u64);
                let most = (1 + u64::from(CompareOptions::STRONG_BUDGET)) * length + pieces * (MIB as u64);
                assert!(bytes <= most, "{kind}, {sum:?} {block_size}: {bytes} of {length}");
                let statistics = found.statistics;
                assert!(statistics.strong_sums * 8 <= length, "{kind}, {sum:?} {block_size}: {statistics:?}");
                assert!(statistics.matches * 16 <= length, "{kind}, {sum:?} {block_size}: {statistics:?}");
            }
        }
    }
}

/// Keys of every phase of a seed that repeats itself, none of which has the right strong sum.
#[test]
fn a_signature_of_every_phase_costs_no_more() {
    let block_size = 1 << 16;
    for period in [3, 1000, 5000] {
        let seed = corpus::periodic(3, period, 3 * MIB);
        let sum = RollingSum::RabinKarp;
        let keys: Vec<u32> = (0..period).map(|phase| sum.key(&seed[phase..][..block_size])).collect();
        let strong = corpus::random(4, 16 * period);
        let layout = BlockLayout::new((period * block_size) as u64, block_size as u32).unwrap();
        let hasher = Arc::new(Counting { hasher: Md5::full(), bytes: AtomicU64::new(0) });
        let signature = Signature::new(layout, keys, strong, hasher.clone()).unwrap();
        let index = BlockIndex::build(&signature);
        compare(&signature, &index, &[&seed], &CompareOptions::new(sum), &()).unwrap();
        let bytes = hasher.bytes.load(Ordering::Relaxed);
        assert!(bytes <= 12 * seed.len() as u64, "{period}: {bytes}");
    }
}

/// Where all has to be found, what repeats is verified once, whatever its period.
#[test]
fn what_repeats_is_verified_once_also_without_a_budget() {
    let (target, seed) = (slow::ramp(1, 2 * MIB), slow::ramp(2, MIB));
    let summed = SumOptions { block_size: 8192, file_hash: false };
    let hasher = Arc::new(Md5::full());
    let signature = sum_target(&target, &summed, &Rolling(RollingSum::Rsync), hasher, &()).unwrap().signature;
    let index = BlockIndex::build(&signature);
    let options = CompareOptions { strong_budget: None, ..CompareOptions::new(RollingSum::Rsync) };
    let mut matches = Matches::default();
    let found = Matcher::new(&signature, &index, &options).search(&seed, 0..MIB - 8191, &mut matches);
    assert!(found.weak_hits > MIB as u64 / 300, "there is something to verify: {found:?}");
    assert!(found.strong_sums <= 3 * 255, "{found:?}");
}

/// The budget is only for data that repeats itself: of other data everything is found.
#[test]
fn ordinary_data_loses_nothing_to_the_budget() {
    for (name, data) in corpus::all(5, MIB) {
        // Two letters and numbered records are what rsync's sum is poor at.
        for sum in [RollingSum::RabinKarp, RollingSum::Rsync] {
            if sum == RollingSum::Rsync && ["two letters", "records", "counters"].iter().any(|poor| name.contains(poor))
            {
                continue;
            }
            for (edit, target) in edit::all(&data, 6) {
                let (found, _) = count(&target, 1024, &data, &CompareOptions::new(sum));
                // A search that saved nothing is one without a budget.
                if found.statistics.passed_over > 0 {
                    let all = CompareOptions { strong_budget: None, ..CompareOptions::new(sum) };
                    let (all, _) = count(&target, 1024, &data, &all);
                    assert_eq!(found.plan, all.plan, "{name}, {edit}, {sum:?}");
                }
            }
        }
    }
}

/// What two versions of such data have in common is found, but for its edges.
#[test]
fn long_runs_of_blocks_are_found_in_slow_data_too() {
    for (kind, old) in slow::all(7, 2 * MIB) {
        let target = [&old[..700_001], &slow::all(8, 100_000)[0].1, &old[700_001..]].concat();
        for sum in [RollingSum::Rsync, RollingSum::RabinKarp] {
            let (found, _) = count(&target, 1024, &old, &CompareOptions::new(sum));
            let fetched = found.plan.fetched_bytes();
            assert!(fetched < 300_000, "{fetched} of {kind}, {sum:?}");
        }
    }
}

/// Of blocks that are at many places one place each is taken, and that is the one at the front.
#[test]
fn what_is_known_is_where_it_was_found_first() {
    for (kind, old) in slow::all(9, MIB / 4) {
        let target = [&slow::all(8, 1000)[0].1, &old[3000..90_000], &old[..]].concat();
        let options =
            CompareOptions { overlapping: true, strong_budget: None, ..CompareOptions::new(RollingSum::RabinKarp) };
        let (found, _) = count(&target, 512, &old, &options);
        for step in found.plan.steps() {
            let Step::Copy { target: range, offset, .. } = *step else { continue };
            // A short last block is only looked for at the seed's end and behind the block before it.
            for start in (range.start..range.end).step_by(512).filter(|start| start + 512 <= range.end) {
                let (block, offset) = (&target[start as usize..][..512], offset + start - range.start);
                let first = old.windows(block.len()).position(|window| window == block).map(|first| first as u64);
                assert!(offset == start || Some(offset) == first, "{kind}: {start} at {offset}, not {first:?}");
            }
        }
    }
}
