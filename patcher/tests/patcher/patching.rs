//! What comes out is the target, whatever the plan and however the source delivers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gosync_chunks::{BlockId, BlockLayout, ByteRange, ErrorKind, Phase, Plan, Progress};
use proptest::prelude::*;

use crate::case::{Case, Random, write};
use crate::source::{MemorySource, NoSource};

const BLOCK: usize = 1000;

#[test]
fn lengths_around_a_block() {
    for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1, 3 * BLOCK, 3 * BLOCK + 1] {
        let target = Random(7).bytes(length);
        for fragment in [1, BLOCK - 1, BLOCK, BLOCK + 1, 10 * BLOCK] {
            let case = Case::fetched(target.clone(), BLOCK as u32);
            case.check(&MemorySource { fragment, ..MemorySource::new(&target) });
        }
        let copied = Case::copied(target, BLOCK as u32, 17);
        assert_eq!(copied.check(&NoSource).copied, length as u64);
    }
}

#[test]
fn lengths_around_a_piece() {
    const MIB: usize = 1 << 20;
    for length in [MIB - 1, MIB, MIB + 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1] {
        let target = Random(8).bytes(length);
        for block_size in [2048, 3 << 19, 8 << 20] {
            let source = MemorySource { fragment: 3 * MIB, threads: 3, ..MemorySource::new(&target) };
            Case::fetched(target.clone(), block_size).check(&source);
            Case::copied(target.clone(), block_size, 4096).check(&NoSource);
        }
    }
}

#[test]
fn blocks_of_one_byte() {
    let case = Case::random(3, 5000, 1, [1, 1, 1]);
    case.check(&MemorySource { fragment: 700, ..MemorySource::new(&case.target) });
}

#[test]
fn everything_is_asked_for_in_one_call() {
    let case = Case::random(11, 300 * BLOCK + 5, BLOCK as u32, [2, 1, 1]);
    let source = MemorySource::new(&case.target);
    let directory = tempfile::tempdir().unwrap();
    let report = case.to_file(&source, &directory.path().join("target")).unwrap();
    assert_eq!(*source.calls.lock().unwrap(), [case.plan.fetch_ranges()]);
    assert_eq!(report.copied, case.plan.copied_bytes());
    assert_eq!(report.repeated, case.plan.repeated_bytes());
    assert_eq!(report.transfer.bytes, case.plan.fetched_bytes());
    assert_eq!(report.transfer.requests, case.plan.fetch_ranges().len() as u64);
    assert_eq!(report.refetched_blocks, 0);
}

#[test]
fn a_stream_asks_for_several_ranges_at_once() {
    let case = Case::random(12, 12 << 20, 4096, [1, 1, 0]);
    let source = MemorySource { threads: 2, ..MemorySource::new(&case.target) };
    let (streamed, report) = case.to_stream(&source).unwrap();
    assert!(streamed == case.target);
    let calls = source.calls.lock().unwrap();
    assert!(calls.len() <= 3, "{} calls for {} bytes", calls.len(), report.transfer.bytes);
    assert_eq!(calls.concat().iter().map(|range| range.len()).sum::<u64>(), case.plan.fetched_bytes());
}

#[test]
fn a_stream_fetches_again_what_it_cannot_keep() {
    // 20 MiB of blocks, all repeated in the same order.
    let (block_size, count) = (64 << 10, 320);
    let mut target = Random(13).bytes(block_size * count);
    target.extend_from_within(..);
    let layout = BlockLayout::new(target.len() as u64, block_size as u32).unwrap();
    let mut plan = Plan::new(layout);
    (0..count as u32).for_each(|block| plan.fetch(BlockId(block)));
    (0..count as u32).for_each(|block| plan.repeat(BlockId(count as u32 + block), BlockId(block)));
    let case = Case::new(target, Vec::new(), plan);

    let source = MemorySource { fragment: 1 << 20, ..MemorySource::new(&case.target) };
    let report = case.check(&source);
    assert_eq!(report.repeated, 8 << 20);
    assert_eq!(report.transfer.bytes, 32 << 20);
    assert_eq!(source.calls.lock().unwrap().len(), 1 + 8, "a file needs one call, a stream one for 4 MiB");
}

#[test]
fn fragments_of_too_many_blocks_at_once() {
    let target = Random(14).bytes(20 << 20);
    let case = Case::fetched(target, 4096);
    let source = MemorySource { fragment: 3000, shuffled: true, threads: 3, ..MemorySource::new(&case.target) };
    let directory = tempfile::tempdir().unwrap();
    let report = case.to_file(&source, &directory.path().join("target")).unwrap();
    assert!(source.call_count() > 1, "not all found room at first");
    assert!(report.transfer.bytes > case.plan.fetched_bytes());
    assert_eq!(report.refetched_blocks, 0, "none was wrong");
    assert!(std::fs::read(directory.path().join("target")).unwrap() == case.target);
}

#[test]
fn fragments_that_cut_every_block_find_room() {
    let target = Random(17).bytes(20 << 20);
    let case = Case::fetched(target, 4096);
    for fragment in [1000, 5000] {
        let source = MemorySource { fragment, threads: 1, ..MemorySource::new(&case.target) };
        let directory = tempfile::tempdir().unwrap();
        let report = case.to_file(&source, &directory.path().join("target")).unwrap();
        assert_eq!((source.call_count(), report.transfer.bytes), (1, 20 << 20));
    }
}

#[test]
fn any_number_of_threads() {
    let case = Case::random(15, 9 << 20, 2048, [3, 1, 1]);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| case.check(&MemorySource { threads, ..MemorySource::new(&case.target) }));
    }
}

#[derive(Default)]
struct Totals {
    begun: Mutex<Vec<(Phase, u64)>>,
    done: Mutex<Vec<(Phase, u64)>>,
    asked: AtomicUsize,
}

impl Progress for Totals {
    fn begin(&self, phase: Phase, total: u64) {
        self.begun.lock().unwrap().push((phase, total));
    }

    fn advance(&self, phase: Phase, bytes: u64) {
        self.done.lock().unwrap().push((phase, bytes));
    }

    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        false
    }
}

impl Totals {
    fn done(&self, phase: Phase) -> u64 {
        self.done.lock().unwrap().iter().filter(|(done, _)| *done == phase).map(|(_, bytes)| bytes).sum()
    }
}

#[test]
fn progress_adds_up() {
    let case = Case::random(16, 8 << 20, 4096, [2, 1, 1]);
    let source = MemorySource::new(&case.target);
    let directory = tempfile::tempdir().unwrap();
    let length = case.target.len() as u64;
    let local = case.plan.matched_bytes();

    let totals = Totals::default();
    case.with(&source, &totals, |patch| write(patch, &directory.path().join("target"))).unwrap();
    let begun = [(Phase::Copy, local), (Phase::Fetch, length - local), (Phase::Verify, length)];
    assert_eq!(*totals.begun.lock().unwrap(), begun);
    for (phase, total) in begun {
        assert_eq!(totals.done(phase), total, "{phase:?}");
    }
    assert!(totals.asked.load(Ordering::Relaxed) >= 16, "asked at least every mebibyte");

    let totals = Totals::default();
    case.with(&source, &totals, |patch| patch.write_to_stream(&mut std::io::sink())).unwrap();
    assert_eq!(totals.done(Phase::Copy) + totals.done(Phase::Fetch), length);
    assert_eq!(totals.done(Phase::Fetch), length - local);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn any_plan_and_any_delivery(
        seed in any::<u64>(),
        length in 0usize..400_000,
        block_size in 64u32..9000,
        weights in prop::array::uniform3(1usize..6),
        fragment in 1usize..30_000,
        shuffled in any::<bool>(),
        threads in 1usize..4,
        hashed in any::<bool>(),
        uneven in any::<bool>(),
        corrupt in prop::option::of((0.0..1.0f64, 1u64..20_000)),
    ) {
        let make = if uneven { Case::uneven } else { Case::random };
        let mut case = make(seed, length, block_size, weights);
        if !hashed {
            case.file_hash = None;
        }
        let fragment = fragment.max(length / 2000 + 1);
        let mut source = MemorySource { fragment, shuffled, threads, ..MemorySource::new(&case.target) };
        if let Some((at, len)) = corrupt {
            let start = (at * length as f64) as u64;
            source = source.corrupting(ByteRange { start, end: (start + len).min(length as u64) }, 1);
        }
        // What is wrong may be delivered in several fragments, and so be wrong once in each of two calls.
        if source.corrupt.is_empty() {
            case.check(&source);
        } else {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("target");
            match case.to_file(&source, &path) {
                Ok(_) => prop_assert!(std::fs::read(&path).unwrap() == case.target),
                Err(error) => {
                    prop_assert!(error.kind() == ErrorKind::Corrupt, "{error}");
                    prop_assert!(!path.exists());
                }
            }
        }
    }
}
