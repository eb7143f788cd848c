//! Targets out of compressed payloads, from seeds and indexes that are not what they seemed.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use gosync::sources::{Location, SourceOptions, open_source};
use gosync::update::{UpdateReport, estimate};
use gosync::{Format, Index, Phase, Progress, ReadOptions};
use gosync_testkit::corpus::{self, edit};
use tempfile::TempDir;

use crate::support::{compare, open_seeds, options, patch, with_publisher};

/// A published target and somebody's old version.
struct Case {
    directory: TempDir,
    new: Vec<u8>,
}

impl Case {
    fn new(old: &[u8], new: &[u8], sizes: &[u32]) -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap(), new: new.to_vec() };
        fs::write(case.path("old"), old).unwrap();
        fs::write(case.path("new"), new).unwrap();
        with_publisher(Format::Layered, &options(sizes, Some(3)), |publisher| {
            let index = publisher.build(&case.path("new"), Some(&case.payload())).unwrap();
            publisher.write(&index, &case.path("index").into()).unwrap();
        });
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn index(&self) -> Index {
        gosync::open(&self.path("index").into(), &ReadOptions::default(), &SourceOptions::default()).unwrap().index
    }

    /// What a patch does on so many threads, which has to come out right.
    fn patch(&self, index: &Index, threads: usize, progress: &dyn Progress) -> UpdateReport {
        let seeds = open_seeds(index, [self.path("old")]);
        let source = open_source(&self.payload(), &SourceOptions::default()).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let out = self.path("out");
        let report = pool.install(|| patch(index, &seeds, &*source, &out, progress)).unwrap();
        assert!(fs::read(&out).unwrap() == self.new);
        report
    }

    fn payload(&self) -> Location {
        self.path("payload").into()
    }
}

const SIZES: [&[u32]; 3] = [&[65_536, 16_384, 4096, 1024, 256], &[1 << 20, 65_536, 4096, 512], &[65_536, 256]];

#[test]
fn fetches_what_was_foretold_and_nothing_twice() {
    for (kind, old) in corpus::all(5, 200_000) {
        for (at, (edit, new)) in edit::all(&old, 6).into_iter().enumerate() {
            let case = Case::new(&old, &new, SIZES[at % SIZES.len()]);
            let index = case.index();
            let found = compare(&index, &open_seeds(&index, [case.path("old")]));
            let foretold = estimate(&*index.target(), &found, &case.payload(), &SourceOptions::default()).unwrap();
            let UpdateReport { report, .. } = case.patch(&index, 1 + at % 2, &());
            assert_eq!((report.transfer.bytes, report.refetched_blocks), (foretold.bytes, 0), "{kind}, {edit}");
        }
    }
}

/// Of two blocks that are equal the second is not fetched, but frames behind it are decoded
/// with it, on whichever thread.
#[test]
fn frames_behind_repeats_wait_for_what_is_repeated() {
    let old = corpus::text(1, 8 << 20);
    let mut new = old.clone();
    for place in 0..20 {
        let at = place * 400_000;
        new[at..at + 256 * 64].copy_from_slice(&corpus::random(7, 256 * 64));
        new[at + 256 * 64..][..5000].copy_from_slice(&corpus::text(100 + place as u64, 5000));
    }
    let case = Case::new(&old, &new, SIZES[0]);
    for threads in [1, 2, 2, 4, 4] {
        let whole = case.patch(&case.index(), threads, &());
        let shown = format!("{whole:?}");
        assert!(shown.len() < 4000, "{shown}");
        let UpdateReport { report, comparison, .. } = whole;
        assert!(comparison.plan.repeated_bytes() > 200_000);
        assert_eq!(report.refetched_blocks, 0);
    }
}

/// Overwrites a part of the seed when it has been compared.
struct Spoil<'a>(&'a Case);

impl Progress for Spoil<'_> {
    fn begin(&self, phase: Phase, _total: u64) {
        if phase == Phase::Copy {
            let mut seed = fs::OpenOptions::new().write(true).open(self.0.path("old")).unwrap();
            seed.seek(SeekFrom::Start(1_000_000)).unwrap();
            seed.write_all(&corpus::random(9, 300_000)).unwrap();
        }
    }
}

#[test]
fn a_seed_that_changes_costs_a_download() {
    let old = corpus::text(1, 5 << 20);
    for sizes in SIZES {
        let case = Case::new(&old, &edit::scatter(&old, 2, 50), sizes);
        let UpdateReport { report, .. } = case.patch(&case.index(), 2, &Spoil(&case));
        assert!(report.fetched >= 300_000, "{report:?}");
    }
}
