//! When to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use gosync_chunks::{Cancelled, Progress};

use crate::error::PatchError;

/// Asked by everything that takes long, at least once every [`STRIDE`] bytes.
pub(crate) struct Halt<'a> {
    progress: &'a dyn Progress,
    raised: AtomicBool,
}

/// Bytes worked through between two questions.
pub(crate) const STRIDE: usize = 1 << 20;

impl<'a> Halt<'a> {
    pub(crate) fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, raised: AtomicBool::new(false) }
    }

    /// Stops everyone else who shares this, since what they do has become useless.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// [`PatchError::Cancelled`] when the caller wishes to stop or another part failed.
    pub(crate) fn check(&self) -> Result<(), PatchError> {
        if self.raised.load(Ordering::Relaxed) || self.progress.is_cancelled() {
            return Err(Cancelled.into());
        }
        Ok(())
    }
}
