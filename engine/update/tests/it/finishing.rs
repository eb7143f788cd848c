//! Targets that are not what is wanted, which is made of them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use gosync_chunks::{Cancelled, ErrorKind, FileHash, Progress, ReadAt, Transfer};
use gosync_patcher::TargetId;
use gosync_sums::FileHasher;
use gosync_testkit::corpus;
use gosync_testkit::source::MemorySource;
use gosync_update::{Comparison, Error, FileOptions, Finish, Finished, Target, Update, Verified};

use crate::targets::{BLOCK, Described, make_file, seeds};

/// A target of which its bytes are wanted backwards, and three more behind them.
struct Backwards<'a> {
    target: &'a dyn Target,
    hash: FileHash,
    fail: Option<fn() -> Error>,
}

impl Target for Backwards<'_> {
    fn id(&self) -> TargetId {
        self.target.id()
    }

    fn length(&self) -> u64 {
        self.target.length()
    }

    fn file_hash(&self) -> Option<FileHash> {
        self.target.file_hash()
    }

    fn own_seeds(&self) -> Vec<&dyn ReadAt> {
        self.target.own_seeds()
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error> {
        self.target.compare(seeds, progress)
    }

    fn verify(&self, _: &Path, _: &dyn ReadAt, _: &dyn Progress) -> Result<Verified, Error> {
        unreachable!("its hash is known")
    }

    fn finish(&self) -> Option<&dyn Finish> {
        Some(self)
    }
}

impl Finish for Backwards<'_> {
    fn length(&self) -> u64 {
        self.target.length() + 3
    }

    fn file_hash(&self) -> FileHash {
        self.hash
    }

    fn write(&self, target: &dyn ReadAt, out: &mut (dyn Write + Send), _: &dyn Progress) -> Result<Transfer, Error> {
        let mut bytes = vec![0; target.size() as usize];
        target.read_exact_at(0, &mut bytes).unwrap();
        out.write_all(&backwards(&bytes)).unwrap();
        self.fail.map_or(Ok(Transfer { bytes: 3, requests: 1 }), |fail| Err(fail()))
    }
}

fn backwards(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().chain(b"end").copied().collect()
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn what_is_made_of_a_target_takes_its_place() {
    let new = corpus::random(3, 100_000);
    let described = Described::new(&new);
    let wanted = backwards(&new);
    for (name, target) in described.all() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        fs::write(&out, "old").unwrap();
        let target = Backwards { target: &*target, hash: FileHasher::hash(&wanted), fail: None };
        let source = MemorySource::new(new.clone());
        let made = || make_file(&target, &[&new[..50 * BLOCK]], &source, &out, &());
        let report = made().unwrap();
        assert!(fs::read(&out).unwrap() == wanted, "{name}");
        let finished = Finished { bytes: 100_003, transfer: Transfer { bytes: 3, requests: 1 } };
        assert!(report.changed && report.finished == Some(finished), "{name}");
        assert_eq!(report.matched_bytes() + report.report.fetched, 100_000, "{name}");
        assert_eq!(names(directory.path()), ["out"], "{name}");
        // What is wanted is there already, and is no seed of the target.
        let report = made().unwrap();
        assert!(!report.changed && report.finished.is_none(), "{name}");

        let mut stream = Vec::new();
        let seeds = seeds(&[]);
        let update = Update { target: &target, seeds: &seeds, source: &source, progress: &() };
        update.to_stream(&mut stream).unwrap();
        assert!(stream == wanted, "{name}");
        update.to_file(&out, &FileOptions { keep_old: Some(".old") }).unwrap();
        assert_eq!(names(directory.path()), ["out"], "{name}: it was that already");
        fs::write(&out, "old").unwrap();
        update.to_file(&out, &FileOptions { keep_old: Some(".old") }).unwrap();
        assert_eq!(fs::read(directory.path().join("out.old")).unwrap(), b"old", "{name}");
    }
}

#[test]
fn what_comes_out_wrong_takes_no_place_and_the_target_stays() {
    let new = corpus::random(4, 100_000);
    let described = Described::new(&new);
    let failures: [Option<fn() -> Error>; 3] = [
        None,
        Some(|| Cancelled.into()),
        Some(|| Error::target(ErrorKind::Corrupt, io::Error::other("it cannot be made"))),
    ];
    for (name, target) in described.all() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        fs::write(&out, "old").unwrap();
        for fail in failures {
            let source = MemorySource::new(new.clone());
            let target = Backwards { target: &*target, hash: FileHash([7; 32]), fail };
            let error = make_file(&target, &[], &source, &out, &()).unwrap_err();
            assert_eq!(matches!(error, Error::Unlike { .. }), fail.is_none(), "{name}: {error:?}");
            assert!(error.is_resumable() && fs::read(&out).unwrap() == b"old", "{name}: {error:?}");
            assert_eq!(names(directory.path()), [".out.gosync-journal", ".out.gosync-part", "out"], "{name}");
        }
        let target = Backwards { target: &*target, hash: FileHasher::hash(&backwards(&new)), fail: None };
        let report = make_file(&target, &[], &MemorySource::new(Vec::new()), &out, &()).unwrap();
        assert_eq!((report.report.kept, report.report.fetched), (100_000, 0), "{name}");
        assert!(fs::read(&out).unwrap() == backwards(&new), "{name}");
        assert_eq!(names(directory.path()), ["out"], "{name}");
    }
}
