//! A range of data, from its beginning to its end.

use std::io::{self, Read};

use gosync_chunks::{ByteRange, ReadAt};

/// Reads `range` of `data`.
pub(crate) struct RangeReader<'a> {
    data: &'a dyn ReadAt,
    rest: ByteRange,
}

impl<'a> RangeReader<'a> {
    pub(crate) fn new(data: &'a dyn ReadAt, range: ByteRange) -> Self {
        Self { data, rest: range }
    }
}

impl Read for RangeReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (buffer.len() as u64).min(self.rest.len()) as usize;
        self.data.read_exact_at(self.rest.start, &mut buffer[..count])?;
        self.rest.start += count as u64;
        Ok(count)
    }
}
