//! Files brought about through control files.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use gosync_chunks::{ByteRange, ErrorKind, Limits, Sink, Source, SourceError, Transfer};
use gosync_testkit::corpus::{self, edit};
use gosync_testkit::source::MemorySource;
use gosync_update::{FileOptions, Seeds, Update, verify};
use gosync_zsync::{
    Control, ControlTarget, Error, FileDigest, MakeOptions, UnwritableError, WholeError, make, make_compressed,
};

use crate::oracle::{control, control_bytes, golden};
use crate::support::{of_whole, patch, stream};

fn sha1(data: &[u8]) -> String {
    format!("SHA-1: {}\n", FileDigest::sha1(&data.to_vec(), &|| false).unwrap())
}

fn make_of(path: &Path, data: &[u8], options: &MakeOptions) -> Control {
    fs::write(path, data).unwrap();
    make(path, options, &()).unwrap()
}

/// A source that has another target at first.
struct Second {
    places: [MemorySource; 2],
    current: AtomicU64,
}

impl Source for Second {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.places[0].size()
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        self.places[self.current.load(Ordering::Relaxed) as usize].fetch(ranges, sink)
    }

    fn limits(&self) -> Limits {
        self.places[0].limits()
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        self.current.swap(1, Ordering::Relaxed) == 0
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

#[test]
fn the_golden_file() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = golden();
    let path = directory.path().join("B.bin");
    fs::write(&path, &b).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .unwrap();
    let golden = include_bytes!("../vectors/B.zsync");
    let options = MakeOptions { as_0_6_2: true, ..MakeOptions::default() };
    assert!(make(&path, &options, &()).unwrap().write().unwrap() == golden, "what zsyncmake 0.6.2 wrote");

    let control = Control::read(golden).unwrap();
    let out = directory.path().join("out");
    let report = patch(&control, &[&a], &MemorySource::new(b.clone()), &out).unwrap();
    assert!(fs::read(&out).unwrap() == b);
    assert_eq!(report.report.fetched, 2 * 2048, "one block with the insertion, one with the cut");
    assert_eq!(fs::metadata(&out).unwrap().modified().unwrap(), UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let target = ControlTarget::new(&control);
    let verified = verify(&target, &out, &()).unwrap();
    assert!(verified.is_good() && verified.verdict.is_good() && verified.wrong_whole.is_none());
    fs::write(&out, &a).unwrap();
    let verified = verify(&target, &out, &()).unwrap();
    assert!(!verified.is_good() && !verified.verdict.is_good() && verified.wrong_whole.is_none());
}

#[test]
fn what_is_made_is_read_and_leads_to_the_target() {
    let directory = tempfile::tempdir().unwrap();
    let old = corpus::text(1, 200_000);
    for (edit, new) in edit::all(&old, 2) {
        for (as_0_6_2, block_size) in [(false, None), (true, None), (false, Some(1 << 20)), (true, Some(256))] {
            let options = MakeOptions { as_0_6_2, block_size, allow_empty: true, ..MakeOptions::default() };
            let made = make_of(&directory.path().join("new"), &new, &options);
            let bytes = made.write().unwrap();
            let control = Control::read(&bytes).unwrap();
            assert!(control.signature == made.signature && control.digests == made.digests);
            assert_eq!(control.digests.len(), if as_0_6_2 { 1 } else { 2 });
            assert!(control.write().unwrap() == bytes);
            let out = directory.path().join("out");
            fs::write(&out, &old).unwrap();
            let source = MemorySource::new(new.clone());
            let target = ControlTarget::new(&control);
            let seeds = Seeds::open([&out], &target, &()).unwrap();
            let update = Update { target: &target, seeds: &seeds, source: &source, progress: &() };
            let report = update.to_file(&out, &FileOptions { keep_old: Some(".zs-old") }).unwrap();
            assert!(fs::read(&out).unwrap() == new, "{edit}, {as_0_6_2}, {block_size:?}");
            // What is the target already is left as it is.
            let kept = fs::read(directory.path().join("out.zs-old"));
            assert!(if new == old { kept.is_err() } else { kept.unwrap() == old }, "{edit}");
            _ = fs::remove_file(directory.path().join("out.zs-old"));
            assert_eq!(report.matched_bytes() + report.report.fetched, new.len() as u64);
            assert!(stream(&control, &[&old], &source).unwrap() == new);
        }
    }
}

#[test]
fn an_empty_target_is_made_only_where_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("empty");
    fs::write(&path, b"").unwrap();
    let refused = make(&path, &MakeOptions::default(), &());
    assert!(matches!(refused, Err(Error::Unwritable { source: UnwritableError::Empty, .. })));
    let control = make(&path, &MakeOptions { allow_empty: true, ..MakeOptions::default() }, &()).unwrap();
    let control = Control::read(&control.write().unwrap()).unwrap();
    let out = directory.path().join("out");
    patch(&control, &[], &MemorySource::new(vec![]), &out).unwrap();
    assert_eq!(fs::read(&out).unwrap(), b"");
}

/// Sums of one byte fit other blocks all the time: the hash of the whole decides, and the
/// file is right in the end.
#[test]
fn wrong_matches_are_found_out_and_fetched() {
    let directory = tempfile::tempdir().unwrap();
    let target = corpus::random(3, 300_000);
    let mut wrong = 0;
    for seed in 0..4 {
        for lengths in [(1, 2, 1), (2, 1, 1)] {
            let control = control(&target, 256, lengths, &sha1(&target));
            let seed: Vec<u8> = [corpus::random(100 + seed, 400_000), target[50_000..150_000].to_vec()].concat();
            let out = directory.path().join("out");
            let source = MemorySource::new(target.clone());
            let report = patch(&control, &[&seed], &source, &out).unwrap();
            assert!(fs::read(&out).unwrap() == target, "{lengths:?}");
            wrong += report.report.refetched_blocks;
            assert_eq!(report.matched_bytes() + report.report.fetched, target.len() as u64);
        }
    }
    assert!(wrong > 0, "nothing was wrong, so nothing was tested");
}

/// A mirror can forge sums that are so short.
#[test]
fn forged_blocks_are_fetched_from_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let target = vec![7; 1000];
    let bytes = control_bytes(&target, 16, (1, 1, 1), &sha1(&target));
    // Another block with the same first byte of its MD4.
    let sum = |block: &[u8]| *control_bytes(block, 16, (1, 1, 1), "").last().unwrap();
    let forged =
        (0..).map(|at: u64| [at.to_le_bytes(), [1; 8]].concat()).find(|block| sum(block) == sum(&[7; 16])).unwrap();
    let mut other = forged.repeat(62);
    other.extend(&target[992..]);
    let out = directory.path().join("out");
    let second = |good: &[u8]| Second {
        places: [MemorySource::new(other.clone()), MemorySource::new(good.to_vec())],
        current: AtomicU64::new(0),
    };
    let control = Control::read(&bytes).unwrap();
    patch(&control, &[b""], &second(&target), &out).unwrap();
    assert!(fs::read(&out).unwrap() == target);
    fs::remove_file(&out).unwrap();
    let failed = patch(&control, &[b""], &second(&other), &out).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Corrupt);
    assert!(matches!(of_whole(&failed), Some(WholeError::Digest { .. })), "{failed}");
    assert!(!out.exists());
}

#[test]
fn every_hash_has_to_hold() {
    let directory = tempfile::tempdir().unwrap();
    let target = corpus::text(5, 10_000);
    let good = sha1(&target);
    let bad256 = format!("Safe: File-Hash\n{good}File-Hash: SHA-256:{}\n", "0".repeat(64));
    for lines in [sha1(b"other"), bad256] {
        let control = control(&target, 1024, (1, 4, 16), &lines);
        let out = directory.path().join("out");
        let source = MemorySource::new(target.clone());
        for failed in [
            patch(&control, &[&target], &source, &out).unwrap_err(),
            stream(&control, &[&target], &source).unwrap_err(),
        ] {
            assert!(matches!(of_whole(&failed), Some(WholeError::Digest { .. })), "{failed}");
        }
        assert!(fs::read_dir(directory.path()).unwrap().next().is_none(), "nothing is left");
        fs::write(&out, &target).unwrap();
        let verified = verify(&ControlTarget::new(&control), &out, &()).unwrap();
        assert!(verified.verdict.is_good() && !verified.is_good(), "only the whole is wrong");
        let wrong = verified.wrong_whole.unwrap();
        assert!(matches!(wrong.downcast_ref(), Some(WholeError::Digest { .. })), "{wrong}");
        fs::remove_file(&out).unwrap();
    }
}

/// As zsync2 makes them where the last block is short.
#[test]
fn a_tail_that_was_left_out_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let target = corpus::text(7, 10_000);
    let control = control(&target[..9 * 1024], 1024, (1, 4, 16), &sha1(&target));
    let source = MemorySource::new(target.clone());
    let out = directory.path().join("out");
    let failed = patch(&control, &[], &source, &out).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Corrupt);
    let lost = of_whole(&failed);
    assert!(matches!(lost, Some(WholeError::LostTail { length: 9216, actual: 10_000 })), "{failed}");
}

#[test]
fn compressed_targets_round_trip() {
    let directory = tempfile::tempdir().unwrap();
    let (target, gz) = (directory.path().join("x y"), directory.path().join("x y.gz"));
    let mut control = make_of(&target, &corpus::text(6, 100_000), &MakeOptions::default());
    make_compressed(&mut control, &target, &gz, &[], &()).unwrap();
    let bytes = control.write().unwrap();
    let read = Control::read(&bytes).unwrap();
    assert_eq!(
        (read.z_urls.as_slice(), read.urls.as_slice()),
        (&["x%20y.gz".to_owned()][..], &["x%20y".to_owned()][..])
    );
    assert_eq!(read.block_map, control.block_map);
    assert!(read.write().unwrap() == bytes);
}
