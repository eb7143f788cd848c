//! Comparisons against a naive scan, on data of every kind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod slow;

use std::sync::Arc;

use gosync_chunks::{ByteRange, Phase, Progress, ReadAt, SeedId, Signature, Step, StrongHasher};
use gosync_comparer::{CompareError, CompareOptions, Comparison, RollingSum, compare, compare_again};
use gosync_index::BlockIndex;
use gosync_sums::{Md5, Rolling, SumOptions, sum_target};
use gosync_testkit::corpus::{self, edit};
use gosync_testkit::oracle::{assert_plan_makes, covered_bytes, greedy_matches};
use gosync_testkit::tiers;
use proptest::prelude::*;

const SUMS: [RollingSum; 3] = [RollingSum::Rsync, RollingSum::Librsync, RollingSum::RabinKarp];

/// Has everything done with the instructions that `GOSYNC_TIER` names, where it is set.
fn force_tier() {
    if let Some(tier) = tiers::forced() {
        tier.choose().unwrap();
    }
}

/// The signature that every test begins with.
fn signature(target: &[u8], block_size: u32, sum: RollingSum) -> Signature {
    force_tier();
    let options = SumOptions { block_size, file_hash: false };
    sum_target(target, &options, &Rolling(sum), Arc::new(Md5::full()), &()).unwrap().signature
}

fn compare_on(threads: usize, signature: &Signature, sum: RollingSum, seeds: &[&[u8]]) -> Comparison {
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    let seeds: Vec<&dyn ReadAt> = seeds.iter().map(|seed| seed as &dyn ReadAt).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    // What a naive scan finds is all of it.
    let options = CompareOptions { strong_budget: None, ..CompareOptions::new(sum) };
    pool.install(|| compare(signature, &BlockIndex::build(signature), &seeds, &options, &()).unwrap())
}

/// Compares on one thread; the plan makes the target and copies what a naive scan finds.
fn check(target: &[u8], block_size: u32, sum: RollingSum, seed: &[u8]) -> Comparison {
    let signature = signature(target, block_size, sum);
    let found = compare_on(1, &signature, sum, &[seed]);
    assert_plan_makes(&found.plan, target, &[seed]);
    let naive = covered_bytes(target, block_size, &greedy_matches(target, block_size, seed));
    let short = signature.layout().short_block().map_or(0, |block| signature.layout().range(block).len());
    // The naive scan knows no short block but at the seed's end.
    let copied = found.plan.copied_bytes();
    assert!(copied == naive || copied == naive + short, "{copied} copied, naively {naive}, {sum:?} {block_size}");
    found
}

#[test]
fn finds_what_a_naive_scan_finds() {
    for (name, data) in corpus::all(1, 60_000) {
        for (edit, target) in edit::all(&data, 2) {
            for sum in SUMS {
                for block_size in [128, 700, 2048] {
                    eprintln!("{name}, {edit}");
                    check(&target, block_size, sum, &data);
                }
            }
        }
    }
}

#[test]
fn a_match_across_a_cut_is_not_lost() {
    // An insertion puts a block's match at every position around the cut in turn.
    let target = corpus::random(3, 3 << 20);
    for shift in [0, 1, 99, 1023, 1024, 1025, 2047] {
        let seed = [vec![7; shift], target.clone()].concat();
        let found = check(&target, 1024, RollingSum::RabinKarp, &seed);
        assert_eq!(found.plan.fetched_bytes(), 0, "{shift}");
        assert_eq!(found.plan.steps().len(), 1, "one run");
    }
}

/// Every block that is anywhere in the seed is found, also within others and across cuts: at
/// once, or by looking again where something was found.
#[test]
fn what_overlaps_is_found_where_that_is_asked_for() {
    for (name, data) in corpus::all(6, 30_000) {
        let seed: Vec<u8> = [&data[..], &data[7..20_000], &data[3..9000]].concat();
        let target: Vec<u8> = [&data[100..10_000], &data[..5000], &corpus::random(7, 999)].concat();
        for block_size in [64, 500] {
            let signature = signature(&target, block_size, RollingSum::RabinKarp);
            let options = CompareOptions { overlapping: true, ..CompareOptions::new(RollingSum::RabinKarp) };
            let found = compare(&signature, &BlockIndex::build(&signature), &[&seed], &options, &()).unwrap();
            assert_plan_makes(&found.plan, &target, &[&seed]);
            let windows: std::collections::HashSet<&[u8]> = seed.windows(block_size as usize).collect();
            let whole = target.chunks_exact(block_size as usize).filter(|block| windows.contains(block)).count();
            let expected = whole as u64 * u64::from(block_size);
            let short = u64::from(block_size) - 1;
            let copied = found.plan.copied_bytes();
            assert!((expected..=expected + short).contains(&copied), "{copied} of {expected} in {name}, {block_size}");

            let first = compare_on(1, &signature, RollingSum::RabinKarp, &[&seed]);
            let once = first.plan.copied_bytes();
            let (parts, unused) = (first.matched.clone(), first.unused());
            let copied = first.plan.copied_ranges(1);
            let touches = |one: &ByteRange, other: &ByteRange| one.start < other.end && other.start < one.end;
            assert!(!unused[0].iter().any(|unused| copied[0].iter().any(|copied| touches(unused, copied))));
            assert!(unused[0].iter().all(|unused| parts[0].iter().any(|part| part.contains(*unused))));
            let index = |missing: &[bool]| BlockIndex::build_of(&signature, |block| missing[block.index()]);
            let found = compare_again(first, &signature, index, &[&seed], &parts, &options, &()).unwrap();
            assert_plan_makes(&found.plan, &target, &[&seed]);
            let copied = found.plan.copied_bytes();
            assert!((expected..=expected + short).contains(&copied), "{once} and again {copied} of {expected}, {name}");
        }
    }
}

/// However many zeros a seed has, nothing but zeros begins within them.
#[test]
fn zeros_are_not_searched_again() {
    let target = [vec![0; 4096], corpus::random(9, 100)].concat();
    let found = check(&target, 1024, RollingSum::Rsync, &[vec![0; 3 << 20], target.clone()].concat());
    assert!(found.unused()[0].iter().map(|range| range.len()).sum::<u64>() <= 3 * 1024, "{:?}", found.unused());
}

/// A run of one byte has a match at each of its positions, of which one is enough.
#[test]
fn overlapping_matches_cost_nothing_where_data_repeats() {
    let seed = [corpus::random(8, 1000), vec![7; 1 << 20], (0..1 << 20).map(|at| (at % 100) as u8).collect()].concat();
    let target = [vec![7; 256], (0..512).map(|at| (at % 100) as u8).collect()].concat();
    let signature = signature(&target, 128, RollingSum::RabinKarp);
    let options = CompareOptions { overlapping: true, ..CompareOptions::new(RollingSum::RabinKarp) };
    let found = compare(&signature, &BlockIndex::build(&signature), &[&seed], &options, &()).unwrap();
    assert_eq!(found.plan.copied_bytes(), target.len() as u64);
    assert!(found.statistics.strong_sums < 20_000, "{:?}", found.statistics);
}

#[test]
fn boundaries() {
    let data = corpus::random(4, 5000);
    for length in [0, 1, 99, 100, 101, 199, 200, 201, 1000] {
        for seed_length in [0, 1, 99, 100, 101, 250, 1000, 5000] {
            for sum in SUMS {
                check(&data[..length], 100, sum, &data[..seed_length]);
            }
        }
    }
}

#[test]
fn the_target_itself_is_one_run() {
    for length in [1, 100, 4096, 4097, 3_000_000] {
        let data = corpus::random(5, length);
        let found = check(&data, 4096, RollingSum::Rsync, &data);
        assert_eq!(found.plan.steps().len(), 1);
        assert_eq!(found.plan.fetched_bytes(), 0);
    }
}

#[test]
fn in_a_run_every_block_costs_one_strong_sum() {
    let data = corpus::random(6, 1 << 20);
    let found = check(&data, 4096, RollingSum::Rsync, &data);
    assert_eq!(found.statistics.strong_sums, 256);
    assert_eq!(found.statistics.false_weak_hits, 0);
    assert!(found.statistics.comparisons < 10_000, "{:?}", found.statistics);
}

#[test]
fn zeros_that_match_and_zeros_that_do_not() {
    let zeros = corpus::zeros(5_000_000);
    let found = check(&zeros, 2048, RollingSum::Rsync, &zeros);
    assert!(found.statistics.strong_sums <= 6, "{:?}", found.statistics);
    assert_eq!(found.plan.steps().len(), 1);

    // Windows of spaces have the sum of zeros when the block size is a power of two.
    let spaces = vec![b' '; 300_000];
    assert_eq!(RollingSum::Rsync.key(&spaces[..8192]), RollingSum::Rsync.key(&zeros[..8192]));
    let found = check(&zeros[..300_000], 8192, RollingSum::Rsync, &spaces);
    assert!(found.statistics.weak_hits > 290_000);
    assert!(found.statistics.strong_sums < 10, "{:?}", found.statistics);
}

#[test]
fn several_seeds_complete_each_other() {
    let target = corpus::random(7, 100_000);
    let seeds: [&[u8]; 4] = [&target[50_000..], &[], &target[..60_000], &target[..5]];
    let signature = signature(&target, 1000, RollingSum::RabinKarp);
    let found = compare_on(2, &signature, RollingSum::RabinKarp, &seeds);
    assert_plan_makes(&found.plan, &target, &seeds);
    assert_eq!(found.plan.fetched_bytes(), 0);
    let used =
        |wanted| found.plan.steps().iter().any(|step| matches!(step, Step::Copy { seed, .. } if *seed == wanted));
    assert!(used(SeedId(0)) && used(SeedId(2)));
}

#[test]
fn equal_blocks_are_fetched_once() {
    let block = corpus::random(8, 1000);
    let target = block.repeat(50);
    let found = check(&target, 1000, RollingSum::Rsync, &[]);
    assert_eq!((found.plan.fetched_bytes(), found.plan.repeated_bytes()), (1000, 49_000));
}

#[test]
fn a_seed_that_cannot_be_read_costs_only_what_it_holds() {
    struct Bad(Vec<u8>);
    impl ReadAt for Bad {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
            if offset == 1 << 20 {
                Err(std::io::Error::other("bad sector"))
            } else {
                self.0.read_exact_at(offset, buffer)
            }
        }
    }
    let target = corpus::random(9, 3 << 20);
    let signature = signature(&target, 4096, RollingSum::Rsync);
    let seed = Bad(target.clone());
    let found =
        compare(&signature, &BlockIndex::build(&signature), &[&seed], &CompareOptions::new(RollingSum::Rsync), &())
            .unwrap();
    assert_plan_makes(&found.plan, &target, &[&target]);
    assert_eq!(found.plan.fetched_bytes(), 1 << 20);
    assert_eq!((found.unreadable.len(), found.unreadable[0].offset), (1, 1 << 20));
}

#[test]
fn progress_covers_the_seeds_and_can_cancel() {
    use std::sync::atomic::{AtomicU64, Ordering};
    struct Counter {
        total: AtomicU64,
        done: AtomicU64,
        cancel_after: u64,
    }
    impl Progress for Counter {
        fn begin(&self, phase: Phase, total: u64) {
            assert_eq!(phase, Phase::Compare);
            self.total.store(total, Ordering::Relaxed);
        }
        fn advance(&self, _: Phase, bytes: u64) {
            self.done.fetch_add(bytes, Ordering::Relaxed);
        }
        fn is_cancelled(&self) -> bool {
            self.done.load(Ordering::Relaxed) >= self.cancel_after
        }
    }
    let target = corpus::random(10, 5_000_001);
    let short = &target[..50];
    let signature = signature(&target, 4096, RollingSum::Rsync);
    let index = BlockIndex::build(&signature);
    let counter = |cancel_after| Counter { total: AtomicU64::new(0), done: AtomicU64::new(0), cancel_after };

    let options = CompareOptions::new(RollingSum::Rsync);
    let all = counter(u64::MAX);
    compare(&signature, &index, &[&target, &short.to_vec()], &options, &all).unwrap();
    assert_eq!(all.total.load(Ordering::Relaxed), 5_000_051);
    let cancelled = compare(&signature, &index, &[&target], &options, &counter(1));
    assert!(matches!(cancelled, Err(CompareError::Cancelled(_))));
}

/// Hits that wait to be verified together must not be lost when one behind them turns
/// out to lie in a run that has failed already.
#[test]
fn a_run_of_failures_hides_no_hit_before_it() {
    for run in 0..40 {
        let mut seed = corpus::random(15, 100);
        seed.extend(vec![1; run]);
        seed.extend([0, 1, 0, 0, 1, 1, 1, 0, 1, 1]);
        seed.extend(vec![1; 30]);
        seed.extend([1, 0, 0, 1, 0, 1, 1, 0]);
        for target in [[0, 1, 1, 0, 1, 0], [1, 1, 1, 0, 1, 1], [0, 1, 1, 1, 1, 1]] {
            for sum in SUMS {
                check(&[&target[..], &[1, 0, 1, 1, 0, 1]].concat(), 6, sum, &seed);
            }
        }
    }
}

/// rsync's sum is poor on data of few letters, and many hits come to nothing; the polynomial
/// turns them away before the strong sum.
#[test]
fn a_better_weak_sum_saves_strong_sums() {
    let target = corpus::two_letters(11, 400_000);
    let seed = corpus::two_letters(12, 400_000);
    let rsync = check(&target, 512, RollingSum::Rsync, &seed).statistics;
    let polynomial = check(&target, 512, RollingSum::RabinKarp, &seed).statistics;
    assert!(rsync.strong_sums > 100, "{rsync:?}");
    assert!(polynomial.strong_sums < 10, "{polynomial:?}");
}

#[test]
fn a_budget_bounds_the_strong_sums_and_says_what_it_cost() {
    // rsync's sum is poor on two letters: most of the time would go into false hits.
    let target = corpus::two_letters(13, 2_000_000);
    let seed = [corpus::two_letters(14, 1_000_000), target[500_000..900_000].to_vec()].concat();
    let signature = signature(&target, 512, RollingSum::Rsync);
    let index = BlockIndex::build(&signature);
    let compare = |strong_budget| {
        let options = CompareOptions { strong_budget, ..CompareOptions::new(RollingSum::Rsync) };
        compare(&signature, &index, &[&seed], &options, &()).unwrap()
    };
    let (all, bounded) = (compare(None), compare(Some(1)));
    assert_plan_makes(&bounded.plan, &target, &[&seed]);
    assert_eq!(all.statistics.passed_over, 0);
    assert!(bounded.statistics.passed_over > 0, "{:?}", bounded.statistics);
    assert!(bounded.statistics.strong_sums < all.statistics.strong_sums / 2);
    let windows = seed.len() / 512;
    assert!(bounded.statistics.strong_sums < 3 * windows as u64, "{:?}", bounded.statistics);
    assert!(bounded.plan.copied_bytes() > 390_000, "runs are found all the same");
}

#[test]
fn strong_sums_decide() {
    force_tier();
    // Two blocks with the same rsync sum: swapping around the middle keeps both halves' sums.
    let one: Vec<u8> = [1, 0, 0, 1, 5, 5, 5, 5].to_vec();
    let other: Vec<u8> = [0, 1, 1, 0, 5, 5, 5, 5].to_vec();
    assert_eq!(RollingSum::Rsync.key(&one), RollingSum::Rsync.key(&other));
    assert_ne!(Md5::full().sum(&one), Md5::full().sum(&other));
    let found = check(&one, 8, RollingSum::Rsync, &other);
    assert_eq!(found.plan.fetched_bytes(), 8);
    assert_eq!(found.statistics.false_weak_hits, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Several pieces, edits that move data across their cuts: the same on 1, 2 and 7 threads.
    #[test]
    fn any_number_of_threads_gives_the_same(
        seed in any::<u64>(),
        sum in prop::sample::select(&SUMS[..]),
        data in 0usize..7,
        edit in 0usize..7,
        block_size in prop::sample::select(&[512u32, 1000, 4096][..]),
        length in 1_000_000usize..4_000_000,
    ) {
        let all = corpus::all(seed, length);
        let (_, old) = &all[data % all.len()];
        let edits = edit::all(old, seed);
        let (_, target) = &edits[edit % edits.len()];
        let signature = signature(target, block_size, sum);
        let seeds: [&[u8]; 2] = [old, &target[target.len() / 2..]];
        let one = compare_on(1, &signature, sum, &seeds);
        assert_plan_makes(&one.plan, target, &seeds);
        for threads in [2, 7] {
            let many = compare_on(threads, &signature, sum, &seeds);
            prop_assert_eq!(&one.plan, &many.plan);
            prop_assert_eq!(one.statistics, many.statistics);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Low-entropy data, where blocks overlap themselves.
    #[test]
    fn any_small_data(
        target in prop::collection::vec(0u8..2, 0..300),
        seed in prop::collection::vec(0u8..2, 0..300),
        block_size in 1u32..20,
        sum in prop::sample::select(&SUMS[..]),
    ) {
        check(&target, block_size, sum, &seed);
    }
}
