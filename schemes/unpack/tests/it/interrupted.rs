//! What was fetched stays, and nothing takes its name before it is right.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{ErrorKind, Phase, Progress};
use gosync_testkit::source::MemorySource;

use crate::{Published, members, zip};

/// Stops when so many bytes of a phase are done.
struct StopAt(Phase, u64, AtomicU64);

impl StopAt {
    fn new(phase: Phase, bytes: u64) -> Self {
        Self(phase, bytes, AtomicU64::new(0))
    }
}

impl Progress for StopAt {
    fn advance(&self, phase: Phase, bytes: u64) {
        if phase == self.0 {
            self.2.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.2.load(Ordering::Relaxed) >= self.1
    }
}

#[test]
fn a_run_goes_on_with_what_another_fetched() {
    let published = Published::new(&zip(&members(100_000, None)));
    let out = published.at("out");
    fs::write(&out, "old").unwrap();
    let target = published.target();
    for phase in [Phase::Fetch, Phase::Close] {
        let stop = StopAt::new(phase, 100_000);
        let error = published.update(&target, &[], &published.source(), &out, &stop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{phase:?}");
        assert_eq!(fs::read(&out).unwrap(), b"old", "{phase:?}");
        assert_eq!(published.names(), [".out.gosync-journal", ".out.gosync-part", "out"], "{phase:?}");
    }
    // As a kill leaves it.
    fs::write(published.at(".out.gosync-finished"), "half of it").unwrap();

    let report = published.update(&target, &[], &MemorySource::new(Vec::new()), &out, &()).unwrap();
    assert_eq!((report.report.fetched, report.report.kept), (0, published.index.length()));
    assert!(fs::read(&out).unwrap() == published.file);
    assert_eq!(published.names(), ["out"]);
}
