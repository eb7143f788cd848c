//! Undoes a stream.

use std::io;
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};
use gosync_chunks::{ByteRange, ReadAt};

use crate::spool::{Plain, Spool, SpoolWriter};

/// A stream, undone.
pub(crate) struct Inflated {
    /// Where it is in the data around it.
    pub(crate) range: ByteRange,
    /// What was in it.
    pub(crate) plain: Plain,
}

/// Buffers that are used again.
pub(crate) struct Inflater {
    packed: Box<[u8]>,
    plain: Box<[u8]>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { packed: vec![0; 1 << 16].into(), plain: vec![0; 1 << 17].into() }
    }
}

impl Inflater {
    /// Undoes the stream that begins `range` of `data`, which it need not fill. `None` where
    /// there is none, or where it has no end before `most` of a length gives too many bytes.
    pub(crate) fn inflate(
        &mut self,
        data: &dyn ReadAt,
        range: ByteRange,
        spool: &Arc<Spool>,
        most: impl Fn(u64) -> u64,
    ) -> io::Result<Option<Inflated>> {
        let mut out = SpoolWriter::new(spool);
        let len = self.inflate_to(data, range, &mut |bytes| out.push(bytes), most)?;
        let plain = out.finish()?;
        Ok(len.map(|len| Inflated { range: ByteRange::at(range.start, len), plain }))
    }

    /// The same, where `put` takes what is in the stream, and with the length of that which it takes.
    pub(crate) fn inflate_to(
        &mut self,
        data: &dyn ReadAt,
        range: ByteRange,
        put: &mut dyn FnMut(&[u8]) -> io::Result<()>,
        most: impl Fn(u64) -> u64,
    ) -> io::Result<Option<u64>> {
        let mut decoder = Decompress::new(false);
        let mut read = range.start;
        let mut input = 0..0;
        loop {
            if input.is_empty() && read < range.end {
                let count = (range.end - read).min(self.packed.len() as u64) as usize;
                data.read_exact_at(read, &mut self.packed[..count])?;
                (input, read) = (0..count, read + count as u64);
            }
            let (taken, given) = (decoder.total_in(), decoder.total_out());
            let Ok(status) = decoder.decompress(&self.packed[input.clone()], &mut self.plain, FlushDecompress::None)
            else {
                return Ok(None);
            };
            let (taken, given) = (decoder.total_in() - taken, decoder.total_out() - given);
            input.start += taken as usize;
            put(&self.plain[..given as usize])?;
            if decoder.total_out() > most(decoder.total_in()) {
                return Ok(None);
            }
            if status == Status::StreamEnd {
                return Ok(Some(decoder.total_in()));
            }
            // It wants more than there is.
            if taken == 0 && given == 0 && read == range.end {
                return Ok(None);
            }
        }
    }
}
