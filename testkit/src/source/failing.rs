//! A source that never delivers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

/// Fails every call in one way, and counts them.
pub struct FailingSource<F> {
    error: F,
    calls: AtomicU64,
}

impl<F: Fn() -> SourceError> FailingSource<F> {
    /// Fails with what `error` makes.
    pub fn new(error: F) -> Self {
        Self { error, calls: AtomicU64::new(0) }
    }

    /// How often it has failed.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl<F: Fn() -> SourceError + Send + Sync> Source for FailingSource<F> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Err((self.error)())
    }

    fn fetch(&self, _: &[ByteRange], _: &dyn Sink) -> Result<Transfer, SourceError> {
        self.size().map(|_| Transfer::default())
    }

    fn limits(&self) -> Limits {
        Limits { request_size: 1, bridged_gap: 0, parallelism: 1 }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

impl<F> fmt::Debug for FailingSource<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FailingSource").field("calls", &self.calls).finish_non_exhaustive()
    }
}
