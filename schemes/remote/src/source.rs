//! What the far side has, as a source.

use std::sync::Arc;
use std::time::SystemTime;

use gosync_chunks::ranges::{deliver_wanted, without};
use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use crate::request::Object;
use crate::session::Session;

/// The index or the target at the far side.
pub(crate) struct FarSource {
    pub(crate) session: Arc<Session>,
    pub(crate) object: Object,
    pub(crate) length: u64,
    pub(crate) modified: Option<SystemTime>,
    /// What came unasked.
    pub(crate) came: Vec<(ByteRange, Vec<u8>)>,
}

impl Source for FarSource {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.length))
    }

    /// Delivers in the order of `ranges`, on the current thread.
    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        if let Some(last) = ranges.last().filter(|last| last.end > self.length) {
            let location = self.session.location().to_owned();
            return Err(SourceError::Length { location, expected: last.end, actual: self.length });
        }
        for (range, bytes) in &self.came {
            deliver_wanted(ranges, range.start, bytes, sink).map_err(SourceError::Sink)?;
        }
        let mut rest = without(ranges, self.came.iter().map(|(range, _)| *range));
        rest.retain(|range| !range.is_empty());
        self.session.read(self.object, &rest, sink)
    }

    fn limits(&self) -> Limits {
        // Asking around a gap costs two bytes, and no round trip.
        Limits { request_size: 1 << 30, bridged_gap: 0, parallelism: 1 }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }

    fn modified(&self) -> Option<SystemTime> {
        self.modified
    }
}
