//! Reading declared numbers of bytes without believing the declaration.

use std::io::{self, Read};

use super::error::FormatError;

/// Bytes that are read and looked at together: a multiple of a record of go-sync (20).
pub const PIECE: usize = 20 * 3072;

/// What the beginning of something tells of how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It has so many bytes as a whole.
    Whole(u64),
    /// So many bytes from the first on will tell, or how many more will.
    Head(u64),
}

/// A reader that knows how far it has come, and that an early end is no I/O error.
pub struct Input<R> {
    reader: R,
    position: u64,
}

impl<R: Read> Input<R> {
    /// Reads from `reader`, which needs no buffer of its own.
    pub fn new(reader: R) -> Self {
        Self { reader, position: 0 }
    }

    /// Reads the next `N` bytes.
    ///
    /// # Errors
    ///
    /// When there are not so many, or the reader fails.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads the next bytes until `buffer` is full.
    ///
    /// # Errors
    ///
    /// When there are not so many, or the reader fails.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<(), FormatError> {
        let read = read_up_to(&mut self.reader, buffer)?;
        self.position += read as u64;
        if read < buffer.len() { Err(FormatError::Truncated { len: self.position }) } else { Ok(()) }
    }

    /// Reads the next `total` bytes and hands them to `take` in pieces of [`PIECE`]
    /// bytes, of which the last may be shorter.
    ///
    /// # Errors
    ///
    /// When there are not so many, or the reader fails, and those of `take`.
    pub fn pieces(
        &mut self,
        total: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let mut buffer = vec![0; total.min(PIECE as u64) as usize];
        let mut left = total;
        while left > 0 {
            let piece = &mut buffer[..left.min(PIECE as u64) as usize];
            self.fill(piece)?;
            take(piece)?;
            left -= piece.len() as u64;
        }
        Ok(())
    }

    /// Appends the next `more` bytes to `column`.
    ///
    /// # Errors
    ///
    /// When there are not so many, or the reader fails.
    pub fn bytes(&mut self, more: u64, column: &mut Vec<u8>) -> Result<(), FormatError> {
        let total = column.len() as u64 + more;
        self.pieces(more, |piece| {
            make_room(column, piece.len(), total)?;
            column.extend_from_slice(piece);
            Ok(())
        })
    }

    /// Makes sure that nothing follows.
    ///
    /// # Errors
    ///
    /// When something does, or the reader fails.
    pub fn end(mut self) -> Result<(), FormatError> {
        match read_up_to(&mut self.reader, &mut [0])? {
            0 => Ok(()),
            _ => Err(FormatError::Trailing { len: self.position }),
        }
    }
}

/// Reads until `buffer` is full or the input ends; says how many bytes were read.
pub(super) fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Makes room for `more` items that have already been read, in a column that may come
/// to have `total`. The room at most doubles, so that it follows what was read and not
/// what was declared, and ends at exactly `total`.
///
/// # Errors
///
/// When there is no such memory.
pub fn make_room<T>(column: &mut Vec<T>, more: usize, total: u64) -> io::Result<()> {
    let needed = column.len() + more;
    if column.capacity() < needed {
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let capacity = column.capacity().saturating_mul(2).min(total).max(needed);
        column.try_reserve_exact(capacity - column.len())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, interrupted before each.
    struct Halting<'a>(&'a [u8], bool);

    impl Read for Halting<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }

    #[test]
    fn columns_around_the_piece() {
        let data: Vec<u8> = (0..3 * PIECE + 8).map(|i| (i >> 3) as u8).collect();
        for count in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
            for first in [0, count / 2] {
                let mut input = Input::new(&data[..count]);
                let mut column = Vec::new();
                input.bytes(first as u64, &mut column).unwrap();
                input.bytes((count - first) as u64, &mut column).unwrap();
                assert_eq!(column, data[..count]);
                assert_eq!(column.capacity(), count, "neither copied to shrink nor larger than needed");
                input.end().unwrap();
            }
        }
    }

    #[test]
    fn memory_follows_what_was_read() {
        let data = vec![1; 1 << 20];
        for available in [0, 1, 99, PIECE, PIECE + 1, 10 * PIECE + 1, 1 << 20] {
            for declared in [1 << 32, 1 << 60] {
                let mut column = Vec::new();
                let read = Input::new(&data[..available]).bytes(declared, &mut column);
                assert!(matches!(read, Err(FormatError::Truncated { len }) if len == available as u64));
                assert!(column.capacity() <= 2 * available, "{} for {available}", column.capacity());
            }
        }
    }

    #[test]
    fn slow_readers_are_waited_for() {
        let mut input = Input::new(Halting(b"abcdef", false));
        assert_eq!(input.array().unwrap(), *b"abcd");
        assert!(matches!(input.array::<3>(), Err(FormatError::Truncated { len: 6 })));

        let mut input = Input::new(Halting(b"abcdef", false));
        input.array::<5>().unwrap();
        assert!(matches!(input.end(), Err(FormatError::Trailing { len: 5 })));
    }

    #[test]
    fn failures_of_the_reader_are_its_own() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let read = Input::new(Broken).array::<1>();
        assert!(matches!(read, Err(FormatError::Io(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    }
}
