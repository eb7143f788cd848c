//! Files and streams that are brought about, also after a run that was interrupted.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use gosync_blocksources::{Location, SourceOptions, open_sources};
use gosync_chunks::{ErrorKind, Phase, Progress};
use gosync_testkit::corpus::{self, edit};
use gosync_testkit::hostile::{Say, Scripted};
use gosync_testkit::source::{Fault, FaultySource, MemorySource, RecordingSource};
use gosync_update::{Error, FileOptions, Seeds, Update, compare, verify};

use crate::targets::{BLOCK, Described, make_file, seeds};

#[test]
fn files_and_streams_of_every_kind_of_data_and_edit() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    for (kind, old) in corpus::all(3, 60_000) {
        for (edit, new) in edit::all(&old, 4) {
            let described = Described::new(&new);
            for (name, target) in described.all() {
                let what = format!("{kind}, {edit}, {name}");
                let found = compare(&*target, &seeds(&[&old]), &()).unwrap();
                fs::write(&out, &old).unwrap();
                let seeds = Seeds::open([&out, &directory.path().join("none")], &*target, &()).unwrap();
                assert_eq!((seeds.all().len(), seeds.all()[0].path()), (1, out.as_path()));
                assert_eq!(seeds.missing(), [directory.path().join("none")]);
                let source = RecordingSource::new(MemorySource::new(new.clone()));
                let update = Update { target: &*target, seeds: &seeds, source: &source, progress: &() };

                let mut streamed = Vec::new();
                let stream = update.to_stream(&mut streamed).unwrap();
                assert!(streamed == new, "{what}");
                let file = update.to_file(&out, &FileOptions::default()).unwrap();
                assert!(fs::read(&out).unwrap() == new, "{what}");
                assert!(verify(&*target, &out, &()).unwrap().is_good(), "{what}");
                let wanted = found.plan.fetched_bytes();
                for report in [stream, file] {
                    assert_eq!((report.report.fetched, report.report.transfer.bytes), (wanted, wanted), "{what}");
                    assert_eq!(report.matched_bytes() + wanted, new.len() as u64, "{what}");
                    assert_eq!(report.output_bytes(), new.len() as u64, "{what}");
                    assert!(report.report.refetched_blocks == 0 && report.damage.is_none(), "{what}");
                    assert_eq!(report.comparison.plan.steps(), found.plan.steps(), "{what}");
                }
                assert_eq!(source.requested_bytes(), 2 * wanted, "{what}");
            }
        }
    }
}

#[test]
fn the_old_file_is_kept_where_that_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let new = corpus::text(1, 10_000);
    let described = Described::new(&new);
    let source = MemorySource::new(new.clone());
    for (_, target) in described.all() {
        let update = Update { target: &*target, seeds: &seeds(&[]), source: &source, progress: &() };
        let options = FileOptions { keep_old: Some(".old") };
        update.to_file(&out, &options).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "there was no old one");
        for old in [b"first", b"later"] {
            fs::write(&out, old).unwrap();
            update.to_file(&out, &options).unwrap();
            assert!(fs::read(&out).unwrap() == new);
            assert_eq!(fs::read(directory.path().join("out.old")).unwrap(), old);
        }
        fs::remove_file(directory.path().join("out.old")).unwrap();
        fs::remove_file(&out).unwrap();
    }
}

#[test]
fn a_run_goes_on_where_another_ended() {
    let (old, middle) = (corpus::random(1, 60_000), corpus::random(2, 300_000));
    let new = [&old[..], &middle].concat();
    let described = Described::new(&new);
    for (name, target) in described.all() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        fs::write(&out, b"before").unwrap();
        let source = FaultySource::new(MemorySource::new(new.clone()), [Fault::BreakOnce(100_000)]);
        let failed = make_file(&*target, &[&old], &source, &out, &()).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Source, "{name}: {failed}");
        assert!(failed.is_resumable());
        assert_eq!(fs::read(&out).unwrap(), b"before", "{name}");
        assert!(fs::read_dir(directory.path()).unwrap().count() > 1, "{name}: what came is kept");

        let source = RecordingSource::new(MemorySource::new(new.clone()));
        let report = make_file(&*target, &[&old], &source, &out, &()).unwrap();
        assert!(fs::read(&out).unwrap() == new, "{name}");
        assert!(report.report.kept > 100_000 - 2 * BLOCK as u64, "{name}: {:?}", report.report);
        assert_eq!(source.requested_bytes(), report.report.fetched, "{name}");
        assert!(report.report.fetched < 200_000 + 4 * BLOCK as u64, "{name}: {:?}", report.report);
        assert_eq!(report.matched_bytes() + report.report.fetched, new.len() as u64, "{name}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{name}: nothing else is left");
    }
}

#[test]
fn what_was_left_of_another_target_is_a_seed() {
    let new = corpus::random(3, 300_000);
    let next = edit::insert(&new, 4, 2, 100);
    let (described, of_next) = (Described::new(&new), Described::new(&next));
    for ((name, target), (_, next_target)) in described.all().into_iter().zip(of_next.all()) {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let source = FaultySource::new(MemorySource::new(new.clone()), [Fault::BreakOnce(150_000)]);
        make_file(&*target, &[], &source, &out, &()).unwrap_err();
        let report = make_file(&*next_target, &[], &MemorySource::new(next.clone()), &out, &()).unwrap();
        assert!(fs::read(&out).unwrap() == next, "{name}");
        assert!(report.report.copied > 140_000 && report.report.fetched < 165_000, "{name}: {:?}", report.report);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{name}: nothing else is left");
    }
}

/// Cancels when something is fetched.
#[derive(Default)]
struct Impatient(AtomicBool);

impl Progress for Impatient {
    fn advance(&self, phase: Phase, _: u64) {
        if phase == Phase::Fetch {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_wish_to_stop_is_no_failure_and_loses_nothing() {
    let new = corpus::random(5, 3 << 20);
    let described = Described::new(&new);
    for (name, target) in described.all() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let stopped = make_file(&*target, &[], &MemorySource::awkward(new.clone(), 1), &out, &Impatient::default());
        let error = stopped.unwrap_err();
        assert!(matches!(error, Error::Cancelled(_)) && error.kind() == ErrorKind::Cancelled, "{name}: {error:?}");
        assert!(!out.exists());
        let report = make_file(&*target, &[], &MemorySource::new(new.clone()), &out, &()).unwrap();
        assert!(fs::read(&out).unwrap() == new && report.report.kept > 0, "{name}: {:?}", report.report);
    }
}

#[test]
fn a_source_that_has_something_else_changes_nothing() {
    let (old, new) = (corpus::random(6, 50_000), corpus::random(7, 50_000));
    let described = Described::new(&new);
    for (name, target) in described.all() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        fs::write(&out, &old).unwrap();
        let source = MemorySource::new(corpus::random(8, 50_000));
        let error = make_file(&*target, &[&old], &source, &out, &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
        assert!(fs::read(&out).unwrap() == old, "{name}");
        let mut streamed = Vec::new();
        let update = Update { target: &*target, seeds: &seeds(&[&old]), source: &source, progress: &() };
        assert_eq!(update.to_stream(&mut streamed).unwrap_err().kind(), ErrorKind::Corrupt, "{name}");
        assert!(streamed.is_empty(), "{name}: nothing wrong is written");
    }
}

#[test]
fn what_is_made_is_dated_as_what_was_published() {
    let directory = tempfile::tempdir().unwrap();
    let [published, out] = ["published", "out"].map(|name| directory.path().join(name));
    let new = corpus::text(1, 10_000);
    fs::write(&published, &new).unwrap();
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&published).unwrap().set_modified(date).unwrap();
    let server = Scripted::start({
        let new = new.clone();
        move |asked| Say::proper_with(asked, &new, "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\n")
    });
    let urls = [server.url().to_string(), format!("{}/mirror", server.url())];
    let described = Described::new(&new);
    let places = [vec![Location::Path(published)], vec![urls[0].parse().unwrap()]];
    let mirrors = urls.iter().map(|url| url.parse().unwrap()).collect();
    for locations in places.into_iter().chain([mirrors]) {
        let source = open_sources(&locations, Some(new.len() as u64), &SourceOptions::default()).unwrap();
        for (name, target) in described.all() {
            for (seed, is_dated) in [(&new[..5000], true), (&new, locations[0].as_path().is_some())] {
                let report = make_file(&*target, &[seed], &source, &out, &()).unwrap();
                assert!(report.changed && report.notes.is_empty(), "{name}: {:?}", report.notes);
                let told = fs::metadata(&out).unwrap().modified().unwrap() == date;
                // Nobody is asked for the date alone, but what was told is known.
                assert!(told || !is_dated, "{name} of {locations:?}");
                fs::remove_file(&out).unwrap();
            }
        }
    }
}
