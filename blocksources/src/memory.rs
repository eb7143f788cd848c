//! A target that is in memory already.

use std::fmt;
use std::sync::Arc;

use gosync_chunks::{Brief, ByteRange, Limits, Sink, Source, SourceError, Transfer};

/// Bytes in memory as a source. Clones share them.
#[derive(Clone)]
pub struct MemorySource {
    data: Arc<[u8]>,
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("MemorySource").field(&Brief(&self.data)).finish()
    }
}

impl MemorySource {
    /// Serves `data`.
    pub fn new(data: impl Into<Arc<[u8]>>) -> Self {
        Self { data: data.into() }
    }

    /// The bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}

impl Source for MemorySource {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.data.len() as u64))
    }

    /// Delivers each range whole, on the current thread.
    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let size = self.data.len() as u64;
        let mut transfer = Transfer::default();
        if let Some(last) = ranges.iter().find(|range| range.end > size) {
            return Err(SourceError::Length { location: "memory".into(), expected: last.end, actual: size });
        }
        for range in ranges.iter().filter(|range| !range.is_empty()) {
            let piece = &self.data[range.start as usize..range.end as usize];
            sink.deliver(range.start, piece).map_err(SourceError::Sink)?;
            transfer += Transfer { bytes: range.len(), requests: 1 };
        }
        Ok(transfer)
    }

    fn limits(&self) -> Limits {
        Limits { request_size: u64::MAX, bridged_gap: 0, parallelism: 1 }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}
