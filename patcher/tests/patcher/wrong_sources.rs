//! Sources that are wrong, incomplete or not there: fetched again, or told, and never put in place.

use std::sync::Mutex;

use gosync_chunks::{ByteRange, ErrorKind, FileHash, Limits, Sink, Source, SourceError, Transfer};
use gosync_patcher::PatchError;
use gosync_sums::FileHasher;

use crate::case::{BLOCK, Case, Random, corrupt_ranges, fails};
use crate::source::MemorySource;

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
    assert!(
        error.kind() == ErrorKind::Corrupt && error.to_string().starts_with("bytes 9000..11000, 50000..51000 are"),
        "{error}"
    );
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

    fn reads_rebuilt(&self) -> bool {
        false
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
    assert!(case.to_stream(&source()).unwrap_err().kind() == ErrorKind::Corrupt);
}

#[test]
fn a_source_with_other_data() {
    let case = Case::random(4, 300 * BLOCK, BLOCK as u32, [1, 1, 1]);
    let source = MemorySource::new(&Random(5).bytes(300 * BLOCK));
    let ranges = corrupt_ranges(fails(&case, &source, &()));
    // Blocks of zeros in the target are wrong here too. The first wrong ones are enough.
    let wanted = case.plan.fetch_ranges();
    assert!(ranges.iter().all(|wrong| wanted.iter().any(|range| range.contains(*wrong))), "{ranges:?}");
    assert!(ranges.iter().map(|range| range.len()).sum::<u64>() >= 64_000, "{ranges:?}");
}

/// A source of another version, of which the beginning may be the same: no more of it is fetched
/// than it takes to see that, once more a few blocks, and from the next place all the rest.
#[test]
fn the_first_wrong_blocks_tell_that_a_source_is_another() {
    let case = Case::fetched(Random(18).bytes(5000 * BLOCK), BLOCK as u32);
    for same in [0, 100] {
        let other = [&case.target[..same * BLOCK], &Random(19).bytes((5000 - same) * BLOCK)].concat();
        let wrong = || MemorySource { fragment: BLOCK, ..MemorySource::new(&other) };
        let delivered = |source: &MemorySource| source.calls.lock().unwrap().len();
        let alone = wrong();
        let ranges = corrupt_ranges(fails(&case, &alone, &()));
        assert_eq!(ranges, [ByteRange::at((same * BLOCK) as u64, 64_000)]);
        assert_eq!(delivered(&alone), 2, "a call for all, and one for the wrong blocks");
        assert_eq!(alone.calls.lock().unwrap()[1], ranges);

        let mirrors = Mirrors {
            mirrors: vec![wrong(), MemorySource { fragment: BLOCK, ..MemorySource::new(&case.target) }],
            rejections: Mutex::default(),
            is_endless: false,
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target");
        let report = case.to_file(&mirrors, &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == case.target);
        assert_eq!(*mirrors.rejections.lock().unwrap(), [ranges]);
        assert_eq!(report.refetched_blocks, 64);
        let all = (5000 * BLOCK) as u64;
        assert!(report.transfer.bytes < all + 300_000, "{report:?}");
        let (streamed, _) = case.to_stream(&Mirrors { rejections: Mutex::default(), ..mirrors }).unwrap();
        assert!(streamed == case.target);
    }
}

/// What was wrong only on its way is right when it is asked for again, however much that is.
#[test]
fn what_was_wrong_on_its_way_is_no_other_source() {
    let case = Case::fetched(Random(20).bytes(1000 * BLOCK), BLOCK as u32);
    let source = MemorySource { fragment: BLOCK, ..MemorySource::new(&case.target) };
    let source = source.corrupting(ByteRange { start: 0, end: 64_000 }, 1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("target");
    case.to_file(&source, &path).unwrap();
    assert!(std::fs::read(&path).unwrap() == case.target);
}

#[test]
fn a_source_that_breaks_down() {
    let case = Case::random(6, 3000 * BLOCK, BLOCK as u32, [1, 1, 0]);
    for fails_after in [0, 1, 500_000] {
        let source = || MemorySource { fails_after: Some(fails_after), threads: 2, ..MemorySource::new(&case.target) };
        let error = fails(&case, &source(), &());
        assert!(matches!(error, PatchError::Source(SourceError::Unreachable { .. })), "{error:?}");
        assert!(error.is_transient() && error.kind() == ErrorKind::Source);
        assert!(case.to_stream(&source()).unwrap_err().is_transient());
    }
}

#[test]
fn a_source_that_breaks_down_when_asked_again() {
    let case = Case::fetched(Random(7).bytes(10 * BLOCK), BLOCK as u32);
    let source = MemorySource { fails_after: Some(10_000), ..MemorySource::new(&case.target) };
    let error = fails(&case, &source.corrupting(ByteRange { start: 0, end: 1 }, 1), &());
    assert!(matches!(error, PatchError::Source(_)), "{error:?}");
}

#[test]
fn a_hash_that_contradicts_the_blocks() {
    let mut case = Case::random(11, 50 * BLOCK, BLOCK as u32, [1, 1, 1]);
    case.file_hash = Some(FileHash([7; 32]));
    let error = fails(&case, &MemorySource::new(&case.target), &());
    assert!(
        matches!(error, PatchError::FileHash { actual, .. } if actual == FileHasher::hash(&case.target)),
        "{error:?}"
    );
    assert!(error.kind() == ErrorKind::Corrupt);
    let error = case.to_stream(&MemorySource::new(&case.target)).unwrap_err();
    assert!(
        matches!(error, PatchError::FileHash { actual, .. } if actual == FileHasher::hash(&case.target)),
        "{error:?}"
    );
}
