//! Targets that came out wrong though all their blocks have the right sums.

use std::fs;
use std::path::Path;

use gosync_chunks::{Progress, ReadAt};
use gosync_patcher::TargetId;
use gosync_testkit::corpus;
use gosync_testkit::source::{Fault, FaultySource, MemorySource, RecordingSource};
use gosync_update::{Check, Comparison, Error, FlatTarget, Target, Verified, Whole};

use crate::targets::{BLOCK, Described, make_file};

/// A target that takes itself for wrong, in other blocks each time, for so many rounds.
struct Doubting<'a> {
    flat: FlatTarget<'a>,
    rounds: usize,
}

impl Target for Doubting<'_> {
    fn id(&self) -> TargetId {
        self.flat.id()
    }

    fn length(&self) -> u64 {
        self.flat.length()
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error> {
        self.flat.compare(seeds, progress)
    }

    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, Error> {
        self.flat.verify(path, data, progress)
    }

    fn check(&self, whole: &Whole<'_>) -> Result<Check, Error> {
        if whole.round >= self.rounds {
            return Ok(Check::Right);
        }
        let mut blocks = whole.plan.cut().blocks();
        blocks.end.0 /= if whole.round == 0 { 2 } else { 1 };
        Ok(Check::Wrong(vec![blocks]))
    }
}

/// Whatever is fetched again, and however often: what a report counts is the target, once.
#[test]
fn what_is_fetched_again_is_counted_once_and_no_match() {
    let new = corpus::random(1, 200 * BLOCK + 5);
    let half = new[100 * BLOCK..].to_vec();
    let described = Described::new(&new);
    for (rounds, refetched, again) in
        [(0, 0, 0), (1, 100, 100 * BLOCK), (2, 301, 300 * BLOCK + 5), (4, 703, 700 * BLOCK + 15)]
    {
        let target = Doubting { flat: described.flat(), rounds };
        for (seeds, interrupted) in [(vec![], false), (vec![&half[..]], false), (vec![&new[..]], false), (vec![], true)]
        {
            let directory = tempfile::tempdir().unwrap();
            let out = directory.path().join("out");
            if interrupted {
                let source = FaultySource::new(MemorySource::new(new.clone()), [Fault::BreakOnce(60_000)]);
                make_file(&target, &seeds, &source, &out, &()).unwrap_err();
            }
            let source = RecordingSource::new(MemorySource::new(new.clone()));
            let made = make_file(&target, &seeds, &source, &out, &()).unwrap();
            assert!(fs::read(&out).unwrap() == new);
            let length = new.len() as u64;
            let what = format!("{rounds} rounds, {} seeds, {interrupted}: {:?}", seeds.len(), made.report);
            assert_eq!(made.report.kept > 0, interrupted && rounds < 2, "{what}");
            assert!(made.matched_bytes() <= length, "{what}");
            assert_eq!(made.matched_bytes() + made.report.fetched, length, "{what}");
            assert_eq!(made.report.refetched_blocks, refetched, "{what}");
            assert_eq!(made.report.transfer.bytes, source.requested_bytes(), "{what}");
            let at_first = source.requested_bytes() - again as u64;
            assert!(at_first <= made.comparison.plan.fetched_bytes(), "{what}");
        }
    }
}
