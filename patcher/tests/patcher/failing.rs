//! What goes wrong is repaired or told, and never put in place.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gosync_chunks::{
    BlockId, BlockLayout, ByteRange, FileHash, Limits, LocalFile, Phase, Plan, Progress, ReadAt, SeedId, Sink, Source,
    SourceError, Transfer,
};
use gosync_patcher::{Patch, PatchError, StageError, StagedFile};

use crate::case::{Case, Random, names, write};
use crate::source::{MemorySource, NoSource};

const BLOCK: usize = 1000;

/// Runs `patch` where an old file stands, which must survive, and nothing else.
fn fails(case: &Case, source: &MemorySource, progress: &dyn Progress) -> PatchError {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("target");
    std::fs::write(&path, "old").unwrap();
    let error = case.with(source, progress, |patch| write(patch, &path)).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(names(directory.path()), ["target"]);
    error
}

fn corrupt_ranges(error: PatchError) -> Vec<ByteRange> {
    match error {
        PatchError::Corrupt { ranges } => ranges,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_wrong_once_is_fetched_again() {
    let case = Case::fetched(Random(1).bytes(100 * BLOCK + 10), BLOCK as u32);
    for fragment in [1, 300, BLOCK, 200 * BLOCK] {
        let source = || {
            let source = MemorySource { fragment, ..MemorySource::new(&case.target) };
            let source = source.corrupting(ByteRange { start: 5_500, end: 5_501 }, 1);
            source.corrupting(ByteRange { start: 100_005, end: 100_006 }, 1)
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target");
        let source_of_file = source();
        let report = case.to_file(&source_of_file, &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == case.target);
        assert_eq!(report.refetched_blocks, 2);
        assert_eq!(report.transfer.bytes, 100_010 + 1_010);
        let again = [ByteRange { start: 5_000, end: 6_000 }, ByteRange { start: 100_000, end: 100_010 }];
        assert_eq!(source_of_file.calls.lock().unwrap()[1..], [again.to_vec()]);

        let (streamed, report) = case.to_stream(&source()).unwrap();
        assert!(streamed == case.target);
        assert_eq!(report.refetched_blocks, 2);
    }
}

#[test]
fn what_is_wrong_twice_is_an_error_that_says_where() {
    let case = Case::fetched(Random(2).bytes(100 * BLOCK), BLOCK as u32);
    let source = || {
        let source = MemorySource::new(&case.target).corrupting(ByteRange { start: 9_999, end: 10_001 }, u64::MAX);
        source.corrupting(ByteRange { start: 50_000, end: 50_001 }, u64::MAX)
    };
    let expected = [ByteRange { start: 9_000, end: 11_000 }, ByteRange { start: 50_000, end: 51_000 }];
    let error = fails(&case, &source(), &());
    assert!(error.is_corrupt() && error.to_string().starts_with("bytes 9000..11000, 50000..51000 are"), "{error}");
    assert_eq!(corrupt_ranges(error), expected);
    assert_eq!(corrupt_ranges(case.to_stream(&source()).unwrap_err()), expected);
}

/// One place after another, as each is rejected.
struct Mirrors {
    mirrors: Vec<MemorySource>,
    rejections: Mutex<Vec<Vec<ByteRange>>>,
    /// Whether it always claims that there is another.
    is_endless: bool,
}

impl Mirrors {
    /// As many mirrors as there are lists of places where each is wrong for good.
    fn new(target: &[u8], wrong: &[&[u64]]) -> Self {
        let mirror = |wrong: &&[u64]| {
            wrong.iter().fold(MemorySource::new(target), |mirror, &start| {
                mirror.corrupting(ByteRange { start, end: start + 1 }, u64::MAX)
            })
        };
        Self { mirrors: wrong.iter().map(mirror).collect(), rejections: Mutex::default(), is_endless: false }
    }
}

impl Source for Mirrors {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.mirrors[0].size()
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let rejections = self.rejections.lock().unwrap().len();
        self.mirrors[rejections.min(self.mirrors.len() - 1)].fetch(ranges, sink)
    }

    fn limits(&self) -> Limits {
        self.mirrors[0].limits()
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        let mut rejections = self.rejections.lock().unwrap();
        rejections.push(ranges.to_vec());
        self.is_endless || rejections.len() < self.mirrors.len()
    }
}

#[test]
fn what_one_place_has_wrong_another_may_have_right() {
    let case = Case::fetched(Random(17).bytes(100 * BLOCK), BLOCK as u32);
    let block = |number: u64| ByteRange::at(number * 1000, 1000);
    for (wrong, rejections, corrupt) in [
        (&[&[5_500, 50_000][..], &[50_999], &[]][..], vec![vec![block(5), block(50)], vec![block(50)]], vec![]),
        (&[&[5_500], &[7_000]], vec![vec![block(5)]], vec![]),
        (&[&[5_500, 6_000], &[5_000, 9_000]], vec![vec![(5_000..7_000).into()], vec![block(5)]], vec![block(5)]),
        (&[&[5_500]], vec![vec![block(5)]], vec![block(5)]),
    ] {
        for to_stream in [false, true] {
            let source = Mirrors::new(&case.target, wrong);
            let directory = tempfile::tempdir().unwrap();
            let result = if to_stream {
                case.to_stream(&source).map(|(_, report)| report)
            } else {
                case.to_file(&source, &directory.path().join("target"))
            };
            match result {
                Ok(report) => assert_eq!((report.refetched_blocks, corrupt.len()), (wrong[0].len() as u64, 0)),
                Err(error) => assert_eq!(corrupt_ranges(error), corrupt),
            }
            assert_eq!(*source.rejections.lock().unwrap(), rejections);
        }
    }
    let endless = Mirrors { is_endless: true, ..Mirrors::new(&case.target, &[&[5_500]]) };
    assert_eq!(corrupt_ranges(case.to_stream(&endless).unwrap_err()), [block(5)]);
    let calls = endless.mirrors[0].call_count();
    assert!((3..100).contains(&calls), "{calls} calls");
}

#[test]
fn what_is_not_delivered_is_an_error_that_says_where() {
    let case = Case::fetched(Random(3).bytes(20 * BLOCK), BLOCK as u32);
    let withheld = Some(ByteRange { start: 7_000, end: 9_000 });
    let source = || MemorySource { fragment: 1, withheld, ..MemorySource::new(&case.target) };
    assert_eq!(corrupt_ranges(fails(&case, &source(), &())), [ByteRange { start: 7_000, end: 9_000 }]);
    assert!(case.to_stream(&source()).unwrap_err().is_corrupt());
}

#[test]
fn a_source_with_other_data() {
    let case = Case::random(4, 300 * BLOCK, BLOCK as u32, [1, 1, 1]);
    let source = MemorySource::new(&Random(5).bytes(300 * BLOCK));
    let ranges = corrupt_ranges(fails(&case, &source, &()));
    // Blocks of zeros in the target are wrong here too.
    assert_eq!(ranges, case.plan.fetch_ranges());
}

#[test]
fn a_source_that_breaks_down() {
    let case = Case::random(6, 3000 * BLOCK, BLOCK as u32, [1, 1, 0]);
    for fails_after in [0, 1, 500_000] {
        let source = || MemorySource { fails_after: Some(fails_after), threads: 2, ..MemorySource::new(&case.target) };
        let error = fails(&case, &source(), &());
        assert!(matches!(error, PatchError::Source(SourceError::Unreachable { .. })), "{error:?}");
        assert!(error.is_transient() && !error.is_corrupt());
        assert!(case.to_stream(&source()).unwrap_err().is_transient());
    }
}

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
fn a_source_that_breaks_down_when_asked_again() {
    let case = Case::fetched(Random(7).bytes(10 * BLOCK), BLOCK as u32);
    let source = MemorySource { fails_after: Some(10_000), ..MemorySource::new(&case.target) };
    let error = fails(&case, &source.corrupting(ByteRange { start: 0, end: 1 }, 1), &());
    assert!(matches!(error, PatchError::Source(_)), "{error:?}");
}

#[test]
fn a_seed_that_has_changed_costs_a_download() {
    for with_hash in [true, false] {
        let mut case = Case::random(8, 500 * BLOCK + 3, BLOCK as u32, [3, 1, 1]);
        if !with_hash {
            case.file_hash = None;
        }
        for change in [1, 100, 100_000] {
            let end = case.seeds[0].len() - 500;
            case.seeds[0][end - change..end].fill(0);
        }
        let source = MemorySource::new(&case.target);
        let report = case.check(&source);
        assert!(report.refetched_blocks >= 50, "{report:?}");
        assert!(report.fetched > case.plan.fetched_bytes());
        assert_eq!(report.transfer.bytes, report.fetched);
    }
}

#[test]
fn a_seed_that_became_shorter_costs_a_download() {
    let mut case = Case::copied(Random(9).bytes(5 << 20), 4096, 100);
    case.seeds[0].truncate(3 << 20);
    let report = case.check(&MemorySource { fragment: 1 << 20, ..MemorySource::new(&case.target) });
    assert!(report.fetched >= 2 << 20 && report.copied >= 2 << 20, "{report:?}");

    // The same with a file, where the kernel copies.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("seed"), &case.seeds[0]).unwrap();
    let seed = LocalFile::open(&directory.path().join("seed")).unwrap();
    let path = directory.path().join("target");
    let source = MemorySource::new(&case.target);
    let report = case.with_seeds(&[&seed], &source, &(), |patch| write(patch, &path)).unwrap();
    assert!(report.fetched >= 2 << 20, "{report:?}");
    assert!(std::fs::read(&path).unwrap() == case.target);
}

#[test]
fn a_changed_seed_and_a_corrupt_source() {
    let mut case = Case::copied(Random(10).bytes(50 * BLOCK), BLOCK as u32, 0);
    case.seeds[0][20_500] ^= 1;
    let source = MemorySource::new(&case.target).corrupting(ByteRange { start: 20_999, end: 21_000 }, u64::MAX);
    assert_eq!(corrupt_ranges(fails(&case, &source, &())), [ByteRange { start: 20_000, end: 21_000 }]);
}

#[test]
fn a_hash_that_contradicts_the_blocks() {
    let mut case = Case::random(11, 50 * BLOCK, BLOCK as u32, [1, 1, 1]);
    case.file_hash = Some(FileHash([7; 32]));
    let error = fails(&case, &MemorySource::new(&case.target), &());
    assert!(matches!(error, PatchError::FileHash { actual, .. } if actual == FileHash::of(&case.target)), "{error:?}");
    assert!(error.is_corrupt());
    let error = case.to_stream(&MemorySource::new(&case.target)).unwrap_err();
    assert!(matches!(error, PatchError::FileHash { actual, .. } if actual == FileHash::of(&case.target)), "{error:?}");
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
            assert!(matches!(error, PatchError::Cancelled), "{phase:?} after {bytes}: {error:?}");
        }
    }
    for phase in [Phase::Copy, Phase::Fetch] {
        let impatient = Impatient { phase, bytes: AtomicU64::new(1 << 20) };
        let source = MemorySource::new(&case.target);
        let error = case.with(&source, &impatient, |patch| patch.write_to_stream(&mut io::sink())).unwrap_err();
        assert!(matches!(error, PatchError::Cancelled), "{phase:?}: {error:?}");
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
    assert!(matches!(cancelled, Err(PatchError::Cancelled)));
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
    assert_eq!(names(directory.path()), ["target"]);
}

#[test]
fn a_stream_that_takes_no_more() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(data.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let case = Case::random(15, 20 << 20, 4096, [1, 2, 1]);
    let source = MemorySource::new(&case.target);
    let error = case.with(&source, &(), |patch: Patch<'_>| patch.write_to_stream(&mut Full(3 << 20))).unwrap_err();
    assert!(matches!(error, PatchError::Stream(source) if source.kind() == io::ErrorKind::StorageFull));
}

/// A file system of some bytes, for as long as it lives.
#[cfg(target_os = "linux")]
struct TinyDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl TinyDisk {
    fn mount(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(directory.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then(|| Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(target_os = "linux")]
impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let Some(disk) = TinyDisk::mount("2m") else {
        eprintln!("SKIPPED a_full_disk: no file system can be mounted here");
        return;
    };
    let path = disk.path().join("target");
    std::fs::write(&path, "old").unwrap();
    let target = Random(16).bytes(8 << 20);
    let copied = Case::copied(target.clone(), 4096, 0);
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(elsewhere.path(), &copied.seeds[0]).unwrap();
    let seed_file = LocalFile::open(elsewhere.path()).unwrap();

    let fetched = Case::fetched(target, 4096);
    let source = MemorySource { threads: 2, ..MemorySource::new(&fetched.target) };
    let errors = [
        fetched.with(&source, &(), |patch| write(patch, &path)).unwrap_err(),
        copied.with(&NoSource, &(), |patch| write(patch, &path)).unwrap_err(),
        copied.with_seeds(&[&seed_file], &NoSource, &(), |patch| write(patch, &path)).unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().ends_with(".target.gosync-part"), "{error}");
        assert!(matches!(error, PatchError::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(disk.path()), ["target"]);
    }
}
