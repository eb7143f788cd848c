//! Runs that stop before their end: what failed, and what was cancelled.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gosync_chunks::{BlockId, BlockLayout, ByteRange, Phase, Plan, Progress, ReadAt, SeedId};
use gosync_patcher::{PatchError, StageError, StagedFile};

use crate::case::{BLOCK, Case, Random, fails, names, write};
use crate::source::MemorySource;

#[test]
fn a_source_that_breaks_down_stops_the_copies() {
    struct Slow<'a>(&'a [u8], AtomicU64);
    impl ReadAt for Slow<'_> {
        fn size(&self) -> u64 {
            self.0.size()
        }
        fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
            self.1.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(20));
            self.0.read_exact_at(offset, buffer)
        }
    }
    let mut plan = Plan::new(BlockLayout::new(64 << 20, 1 << 20).unwrap());
    (0..63).for_each(|block| plan.copy(BlockId(block), SeedId(0), u64::from(block) << 20));
    plan.fetch(BlockId(63));
    let case = Case::new(vec![1; 64 << 20], Vec::new(), plan);
    let seed = Slow(&case.target, AtomicU64::new(0));
    let source = MemorySource { fails_after: Some(0), ..MemorySource::new(&case.target) };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("target");
    let error = case.with_seeds(&[&seed], &source, &(), |patch| write(patch, &path)).unwrap_err();
    assert!(matches!(error, PatchError::Source(_)), "{error:?}");
    let reads = seed.1.into_inner();
    assert!(reads < 60, "{reads} of 63 reads");
}

#[test]
fn what_failed_cannot_be_committed() {
    let case = Case::fetched(Random(12).bytes(10 * BLOCK), BLOCK as u32);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("target");
    let mut output = StagedFile::create(&path).unwrap();
    let source = MemorySource::new(&case.target).corrupting(ByteRange { start: 0, end: 1 }, 2);
    case.with(&source, &(), |patch| patch.write_to_file(&mut output)).unwrap_err();
    assert!(matches!(output.commit(), Err(StageError::Unfinished { .. })));
    assert!(names(directory.path()).is_empty());
}

/// Gives up after so many bytes of a phase.
struct Impatient {
    phase: Phase,
    bytes: AtomicU64,
}

impl Progress for Impatient {
    fn advance(&self, phase: Phase, bytes: u64) {
        if phase == self.phase {
            let left = |left: u64| Some(left.saturating_sub(bytes));
            let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) == 0
    }
}

#[test]
fn cancelled_in_every_phase() {
    let case = Case::random(13, 8 << 20, 4096, [1, 1, 1]);
    for phase in [Phase::Copy, Phase::Fetch, Phase::Verify] {
        for bytes in [0, 1, 1 << 20] {
            let impatient = Impatient { phase, bytes: AtomicU64::new(bytes) };
            let error = fails(&case, &MemorySource::new(&case.target), &impatient);
            assert!(matches!(error, PatchError::Cancelled(_)), "{phase:?} after {bytes}: {error:?}");
        }
    }
    for phase in [Phase::Copy, Phase::Fetch] {
        let impatient = Impatient { phase, bytes: AtomicU64::new(1 << 20) };
        let source = MemorySource::new(&case.target);
        let error = case.with(&source, &impatient, |patch| patch.write_to_stream(&mut io::sink())).unwrap_err();
        assert!(matches!(error, PatchError::Cancelled(_)), "{phase:?}: {error:?}");
    }
}

#[test]
fn a_cancelled_run_can_be_kept_and_resumed() {
    let case = Case::fetched(Random(14).bytes(8 << 20), 4096);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("target");
    let mut output = StagedFile::create(&path).unwrap();
    let impatient = Impatient { phase: Phase::Fetch, bytes: AtomicU64::new(5 << 20) };
    let cancelled = case.with(&MemorySource::new(&case.target), &impatient, |patch| patch.write_to_file(&mut output));
    assert!(matches!(cancelled, Err(PatchError::Cancelled(_))));
    output.keep();
    assert_eq!(names(directory.path()), [".target.gosync-part"]);

    // What was fetched is there to be copied.
    let mut output = StagedFile::create(&path).unwrap();
    let leftover = output.take_leftover().unwrap();
    let resumed = Case::copied(case.target.clone(), 4096, 0);
    let source = MemorySource::new(&case.target);
    let report = resumed.with_seeds(&[&leftover], &source, &(), |patch| patch.write_to_file(&mut output)).unwrap();
    output.commit().unwrap();
    assert!(report.copied >= 5 << 20 && report.fetched > 0, "{report:?}");
    assert!(std::fs::read(&path).unwrap() == case.target);
    // Some systems remove nothing that is open.
    drop(leftover);
    assert_eq!(names(directory.path()), ["target"]);
}
