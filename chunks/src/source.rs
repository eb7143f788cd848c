//! The seam between what holds the target's bytes and what needs them.

use std::sync::Arc;
use std::time::SystemTime;

use crate::block::ByteRange;
use crate::source_error::{SinkError, SourceError};

/// Holds the target, or can get at it: a file, an HTTP server, an object store.
///
/// All ranges are asked for in one call, so that each source can join, split,
/// pipeline and spread them over connections as suits it.
pub trait Source: Send + Sync {
    /// Length of the target in bytes, if the source can tell without reading it all.
    ///
    /// # Errors
    ///
    /// When the source cannot be reached or refuses to answer.
    fn size(&self) -> Result<Option<u64>, SourceError>;

    /// Delivers every byte of `ranges` to `sink`, in any order, from any thread, in
    /// pieces of any size, each byte once. Nothing outside `ranges` is delivered.
    ///
    /// `ranges` ascend and do not overlap.
    ///
    /// # Errors
    ///
    /// When not every byte could be delivered, or the sink refused one.
    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError>;

    /// What the source likes.
    fn limits(&self) -> Limits;

    /// Hears that what was delivered of `ranges` is not the target's. Tells whether
    /// there is another place to fetch them from, which the next [`fetch`](Self::fetch)
    /// of them then uses. A source around another one passes this on.
    fn reject(&self, ranges: &[ByteRange]) -> bool;

    /// Whether the source reads what is rebuilt of the target so far, so that all that can
    /// be copied has to be in its place before anything is fetched. A source around another
    /// one does if that one does.
    fn reads_rebuilt(&self) -> bool;

    /// When the target was last changed, if that is known by now: nobody is asked for it. A source
    /// around another one passes this on where both have the same bytes.
    fn modified(&self) -> Option<SystemTime> {
        None
    }
}

macro_rules! source_behind {
    ($($pointer:ty),+) => {$(
        impl<S: Source + ?Sized> Source for $pointer {
            fn size(&self) -> Result<Option<u64>, SourceError> {
                (**self).size()
            }

            fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
                (**self).fetch(ranges, sink)
            }

            fn limits(&self) -> Limits {
                (**self).limits()
            }

            fn reject(&self, ranges: &[ByteRange]) -> bool {
                (**self).reject(ranges)
            }

            fn reads_rebuilt(&self) -> bool {
                (**self).reads_rebuilt()
            }

            fn modified(&self) -> Option<SystemTime> {
                (**self).modified()
            }
        }
    )+};
}

source_behind!(Box<S>, &S, Arc<S>);

/// Takes the bytes that a [`Source`] delivers.
pub trait Sink: Sync {
    /// Takes `data`, which begins at `offset` in the target.
    ///
    /// # Errors
    ///
    /// When the sink can take no more; the source then stops.
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError>;
}

/// What a source likes to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that are best asked for at once.
    pub request_size: u64,
    /// Gaps up to this many bytes are cheaper to fetch than to ask around.
    pub bridged_gap: u64,
    /// Requests that may be under way at once.
    pub parallelism: usize,
}

/// What a fetch cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Payload bytes received, bridged gaps included.
    pub bytes: u64,
    /// Requests made.
    pub requests: u64,
}

impl std::ops::AddAssign for Transfer {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.requests += other.requests;
    }
}
