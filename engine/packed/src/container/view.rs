//! A range of data that nobody vouches for.

use std::io;

use gosync_chunks::{ByteRange, ReadAt};

/// A member of a file, none of which has bytes of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Where it is.
    pub(crate) range: ByteRange,
    /// It is said to be a stream of deflate; otherwise it lies there as it is.
    pub(crate) is_deflated: bool,
}

/// A range of data, of which what is not there is nothing wrong.
pub(crate) struct View<'a> {
    pub(super) data: &'a dyn ReadAt,
    pub(super) range: ByteRange,
}

impl View<'_> {
    pub(super) fn len(&self) -> u64 {
        self.range.len()
    }

    /// `N` bytes at `at`, if there are so many.
    pub(super) fn bytes<const N: usize>(&self, at: u64) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        Ok(self.read(at, &mut bytes)?.then_some(bytes))
    }

    /// Fills `buffer` with what is at `at`, if there is as much.
    pub(super) fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<bool> {
        let is_there = at.checked_add(buffer.len() as u64).is_some_and(|end| end <= self.len());
        if is_there {
            self.data.read_exact_at(self.range.start + at, buffer)?;
        }
        Ok(is_there)
    }

    /// A range of all the data, from `at` of the view on.
    pub(super) fn range(&self, at: u64, len: u64) -> Option<ByteRange> {
        let end = at.checked_add(len).filter(|end| *end <= self.len())?;
        Some(ByteRange { start: self.range.start + at, end: self.range.start + end })
    }
}

/// A number of `N` bytes at `at` of `bytes`, which are long enough, the lowest first.
pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + N].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
