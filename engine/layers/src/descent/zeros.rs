//! Zeros, which everybody has.

use std::io;

use gosync_chunks::{ByteRange, ReadAt};

/// A seed of zeros: what sparse files consist of need not be looked for in any other.
#[derive(Clone, Copy, Debug)]
pub struct Zeros(pub u64);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_everywhere_and_no_data() {
        let mut buffer = [7; 9];
        Zeros(5).read_exact_at(3, &mut buffer).unwrap();
        assert_eq!(buffer, [0; 9]);
        assert_eq!((Zeros(5).size(), Zeros(5).next_data(0).unwrap()), (5, None));
    }
}
