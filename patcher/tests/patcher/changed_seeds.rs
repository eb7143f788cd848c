//! Seeds that are no longer what they were when they were compared.

use gosync_chunks::ByteRange;
use gosync_files::LocalFile;

use crate::case::{BLOCK, Case, Random, corrupt_ranges, fails, write};
use crate::source::MemorySource;

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

    // The same with a file.
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
