//! Where the data between holes is.

use gosync_chunks::{ByteRange, ReadAt};

/// What comes next in `data` that is no hole, at the end of all files when nothing does. Who
/// cannot say where the holes are is read.
pub(crate) fn data_from(data: &dyn ReadAt, offset: u64) -> ByteRange {
    match data.next_data(offset) {
        Ok(Some(data)) if data.end > offset => data,
        Ok(None) => ByteRange { start: u64::MAX, end: u64::MAX },
        _ => ByteRange { start: offset, end: u64::MAX },
    }
}
