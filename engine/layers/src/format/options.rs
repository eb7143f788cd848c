//! How much of an index a reader takes.

use super::error::FormatError;
use super::section::SectionId;

/// What a reader of untrusted indexes takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The most bytes that an index may have, and with it the memory that one can take.
    pub max_bytes: u64,
    /// The critical sections that this reader understands: an index with another is refused.
    pub sections: &'static [SectionId],
}

impl Default for ReadOptions {
    /// 16 GiB: the index of a target of 1 TiB in the layers that are chosen for it. And no
    /// critical section.
    fn default() -> Self {
        Self { max_bytes: 16 << 30, sections: &[] }
    }
}

impl ReadOptions {
    /// Refuses an index of `len` bytes where that is too many.
    ///
    /// # Errors
    ///
    /// [`FormatError::TooLarge`].
    pub fn check_len(&self, len: u64) -> Result<(), FormatError> {
        // A 32-bit machine cannot address what a larger one may accept.
        let limit = self.max_bytes.min(isize::MAX as u64);
        if len > limit { Err(FormatError::TooLarge { len, limit }) } else { Ok(()) }
    }
}
