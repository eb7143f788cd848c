//! Whatever a run fails of, what was fetched before stays.

use std::fs;
use std::io;
use std::path::Path;

use gosync_chunks::{Cancelled, ErrorKind, Progress, ReadAt, SourceError};
use gosync_patcher::{PatchError, TargetId};
use gosync_testkit::corpus;
use gosync_testkit::source::{Fault, FaultySource, MemorySource};
use gosync_update::{Comparison, Error, FileOptions, Seeds, Target, Update, Verified};

use crate::targets::{BLOCK, Described, make_file, seeds};

/// A target that cannot be compared.
struct Failing<'a> {
    target: &'a dyn Target,
    fail: fn() -> Error,
}

impl Target for Failing<'_> {
    fn id(&self) -> TargetId {
        self.target.id()
    }

    fn length(&self) -> u64 {
        self.target.length()
    }

    fn compare(&self, _: &[&dyn ReadAt], _: &dyn Progress) -> Result<Comparison, Error> {
        Err((self.fail)())
    }

    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, Error> {
        self.target.verify(path, data, progress)
    }
}

#[test]
fn no_failure_takes_away_what_was_fetched() {
    let failures: [fn() -> Error; 6] = [
        || SourceError::from(Cancelled).into(),
        || Error::Read { path: "there".into(), source: io::ErrorKind::PermissionDenied.into() },
        || Error::Write { path: "there".into(), source: io::ErrorKind::StorageFull.into() },
        || PatchError::Write { path: "there".into(), source: io::ErrorKind::QuotaExceeded.into() }.into(),
        || Error::target(ErrorKind::Usage, io::Error::other("told")),
        || Error::target(ErrorKind::Other, io::Error::other("told")),
    ];
    let new = corpus::random(2, 300_000);
    let described = Described::new(&new);
    for (name, target) in described.all() {
        let directory = tempfile::tempdir().unwrap();
        let (out, part) = (directory.path().join("out"), directory.path().join(".out.gosync-part"));
        let source = FaultySource::new(MemorySource::new(new.clone()), [Fault::BreakOnce(100_000)]);
        make_file(&*target, &[], &source, &out, &()).unwrap_err();
        let kept = fs::read(&part).unwrap();
        let source = MemorySource::new(new.clone());
        for fail in failures {
            let error = make_file(&Failing { target: &*target, fail }, &[], &source, &out, &()).unwrap_err();
            assert_eq!(error.to_string(), fail().to_string(), "{name}");
            assert!(fs::read(&part).unwrap() == kept, "{name}: {error}");
        }
        // At the very end, when all is there.
        fs::write(&out, "old").unwrap();
        fs::create_dir(directory.path().join("out.old")).unwrap();
        let update = Update { target: &*target, seeds: &seeds(&[]), source: &source, progress: &() };
        let error = update.to_file(&out, &FileOptions { keep_old: Some(".old") }).unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{name}: {error:?}");
        assert_eq!(fs::read(&out).unwrap(), b"old", "{name}");

        let nothing = MemorySource::new(vec![0; new.len()]);
        let report = make_file(&*target, &[], &nothing, &out, &()).unwrap();
        assert!(fs::read(&out).unwrap() == new, "{name}");
        assert!(report.report.kept > (new.len() - 2 * BLOCK) as u64, "{name}: {:?}", report.report);
    }
}

#[test]
fn seeds_that_cannot_be_read_cost_a_download() {
    let directory = tempfile::tempdir().unwrap();
    let (out, sub) = (directory.path().join("out"), directory.path().join("sub"));
    fs::create_dir(&sub).unwrap();
    let new = corpus::random(3, 50_000);
    let described = Described::new(&new);
    for (name, target) in described.all() {
        let seeds = Seeds::open([&sub, &out], &*target, &()).unwrap();
        assert_eq!((seeds.all().len(), seeds.unreadable().len()), (0, 1), "{name}");
        let source = MemorySource::new(new.clone());
        let update = Update { target: &*target, seeds: &seeds, source: &source, progress: &() };
        let report = update.to_file(&out, &FileOptions::default()).unwrap();
        assert!(fs::read(&out).unwrap() == new, "{name}");
        let note = report.notes.first().map(ToString::to_string).unwrap_or_default();
        assert!(note.contains("sub: it cannot be read (is a directory, not a file)"), "{name}: {note}");
        fs::remove_file(&out).unwrap();
    }
}
