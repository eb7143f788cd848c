//! Zeros, which everybody has.

use std::io;

use gosync_chunks::{ByteRange, ReadAt};

/// A seed of zeros: what sparse files consist of need not be looked for in any other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zeros(pub(crate) u64);

impl ReadAt for Zeros {
    fn size(&self) -> u64 {
        self.0
    }

    fn read_exact_at(&self, _: u64, buffer: &mut [u8]) -> io::Result<()> {
        buffer.fill(0);
        Ok(())
    }

    fn next_data(&self, _: u64) -> io::Result<Option<ByteRange>> {
        Ok(None)
    }
}
