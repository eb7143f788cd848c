//! Memory to read pieces of files into.

use std::io;

use gosync_chunks::{ByteRange, ReadAt};

/// The kernel keeps files in pages of this size.
const PAGE: usize = 4096;

/// A buffer that one piece after another is read into.
///
/// A piece lies as far behind a page's start here as it does in its file. A kernel copies
/// with `rep movsb`, and several generations of processors take six times as long over
/// it where the destination is a few bytes further behind a page's start than the source
/// is; allocators like to return such addresses (glibc bug 30995 has the same, measured).
#[derive(Debug, Default)]
pub struct ReadBuffer {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl ReadBuffer {
    /// Reads `range` of `data`, and forgets what was read before.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is more than memory can hold.
    pub fn read<Data: ReadAt + ?Sized>(&mut self, data: &Data, range: ByteRange) -> io::Result<&[u8]> {
        self.read_with_zeros(data, range, 0)
    }

    /// As [`Self::read`], with so many zeros behind what is read.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_with_zeros<Data: ReadAt + ?Sized>(
        &mut self,
        data: &Data,
        range: ByteRange,
        zeros: usize,
    ) -> io::Result<&[u8]> {
        let read = usize::try_from(range.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let len = read.checked_add(zeros).ok_or(io::ErrorKind::OutOfMemory)?;
        let room = len.checked_add(2 * PAGE).ok_or(io::ErrorKind::OutOfMemory)?;
        if self.memory.len() < room {
            // The old one goes first, and the new one's zeros cost nothing until touched.
            self.memory = Vec::new();
            self.memory = vec![0; room];
        }
        // What is in there is no piece until all of it is read.
        self.len = 0;
        self.start = self.memory.as_ptr().align_offset(PAGE) % PAGE + (range.start % PAGE as u64) as usize;
        let (bytes, rest) = self.memory[self.start..][..len].split_at_mut(read);
        data.read_exact_at(range.start, bytes)?;
        rest.fill(0);
        self.len = len;
        Ok(self.bytes())
    }

    /// What was read last.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[self.start..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_lie_as_in_their_file() {
        let data: Vec<u8> = (0..100_000u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
        let mut buffer = ReadBuffer::default();
        assert_eq!(buffer.bytes(), b"");
        for (start, len) in [(0, 10), (1, 5000), (4095, 2), (4096, 0), (50_001, 49_999), (3, 4)] {
            let range = ByteRange::at(start, len);
            let expected = &data[start as usize..range.end as usize];
            assert_eq!(buffer.read(&data, range).unwrap(), expected);
            assert_eq!(buffer.bytes(), expected);
            let padded = [expected, &[0; 5]].concat();
            assert_eq!(buffer.read_with_zeros(&data, range, 5).unwrap(), padded);
            assert_eq!(buffer.bytes().as_ptr().addr() % PAGE, start as usize % PAGE);
        }
    }

    #[test]
    fn what_cannot_be_read_leaves_nothing() {
        let mut buffer = ReadBuffer::default();
        buffer.read(b"0123456789".as_slice(), ByteRange::at(2, 3)).unwrap();
        assert!(buffer.read(b"0123456789".as_slice(), ByteRange::at(5, 6)).is_err());
        assert_eq!(buffer.bytes(), b"");
        assert!(buffer.read(b"".as_slice(), ByteRange { start: 0, end: u64::MAX }).is_err());
    }
}
