//! What is written, gathered into large pieces.

use std::io::{self, Read, Write};

use crate::error::{Error, Stream};
use crate::stream::PAGE;

/// Bytes written at a time. A file system spends a third less on a few large pages of its
/// cache as on many small ones, and makes large ones of large writes that begin where such
/// a page does. This is a half of most second-level caches.
const PIECE: usize = 1 << 18;

/// A kernel copies with `rep movsb`, and several generations of processors take many times
/// as long over it where the destination is less than this further behind a page's start
/// than the source (see `gosync_files::ReadBuffer`).
const TOO_NEAR: u64 = 64;

/// Gathers what goes to `output`, so that every write but the last begins and ends at a
/// multiple of a large page.
pub(crate) struct Gather<Output> {
    output: Output,
    memory: Vec<u8>,
    /// Where in the memory a page begins, and with it the piece.
    start: usize,
    /// Bytes that are in the piece.
    len: usize,
    /// What is read by a way round.
    detour: Vec<u8>,
}

impl<Output: Write> Gather<Output> {
    pub(crate) fn new(output: Output) -> Self {
        let memory = vec![0; PIECE + PAGE];
        let start = memory.as_ptr().align_offset(PAGE) % PAGE;
        Self { output, memory, start, len: 0, detour: Vec::new() }
    }

    /// Writes `bytes`.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (taken, left) = bytes.split_at(bytes.len().min(PIECE - self.len));
            self.memory[self.start + self.len..][..taken.len()].copy_from_slice(taken);
            self.added(taken.len())?;
            bytes = left;
        }
        Ok(())
    }

    /// Writes `len` bytes of `basis`, which is read at `position`.
    pub(crate) fn copy(&mut self, mut basis: impl Read, position: u64, len: u64) -> Result<(), Error> {
        let (write, too_short) = (Error::write(Stream::New), || Error::BasisTooShort { position, len });
        let page = PAGE as u64;
        let further = (self.len as u64 % page + page - position % page) % page;
        let by_detour = (1..TOO_NEAR).contains(&further) && len >= page;
        let mut left = len;
        while left > 0 {
            let count = left.min((PIECE - self.len) as u64) as usize;
            let piece = &mut self.memory[self.start + self.len..][..count];
            if by_detour {
                self.detour.resize(PIECE + 2 * PAGE, 0);
                let start = self.detour.as_ptr().align_offset(PAGE) % PAGE + ((position + len - left) % page) as usize;
                let detour = &mut self.detour[start..][..count];
                read_exact(&mut basis, detour, too_short)?;
                piece.copy_from_slice(detour);
            } else {
                read_exact(&mut basis, piece, too_short)?;
            }
            self.added(count).map_err(&write)?;
            left -= count as u64;
        }
        Ok(())
    }

    /// Writes the rest.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.output.write_all(&self.memory[self.start..][..self.len])?;
        self.output.flush()
    }

    fn added(&mut self, len: usize) -> io::Result<()> {
        self.len += len;
        if self.len == PIECE {
            self.output.write_all(&self.memory[self.start..][..PIECE])?;
            self.len = 0;
        }
        Ok(())
    }
}

fn read_exact(basis: &mut impl Read, bytes: &mut [u8], too_short: impl Fn() -> Error) -> Result<(), Error> {
    basis.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => too_short(),
        _ => Error::read(Stream::Basis)(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remembers how much each call wrote.
    #[derive(Default)]
    struct Calls(Vec<u8>, Vec<usize>);

    impl Write for &mut Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.extend_from_slice(bytes);
            self.1.push(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn pieces_are_whole_whatever_they_are_made_of() {
        let basis: Vec<u8> = (0..2 * PIECE as u32).map(|at| (at.wrapping_mul(at) >> 9) as u8).collect();
        let mut calls = Calls::default();
        let mut gather = Gather::new(&mut calls);
        let mut expected = Vec::new();
        for (step, len) in
            [1, 5000, 0, PIECE - 1, 4096, PIECE, 2 * PIECE - 4096, 63, 64, 70_000].into_iter().enumerate()
        {
            // The places of the two within their pages differ by nothing, a little, and much.
            for position in [expected.len() % PAGE, (expected.len() + PAGE - 7) % PAGE, 1000] {
                let bytes = &basis[position..][..len.min(basis.len() - position)];
                match step % 3 {
                    2 => gather.write(bytes).unwrap(),
                    _ => gather.copy(bytes, position as u64, bytes.len() as u64).unwrap(),
                }
                expected.extend_from_slice(bytes);
            }
        }
        gather.finish().unwrap();
        assert!(calls.0 == expected);
        let (last, whole) = calls.1.split_last().unwrap();
        assert!(whole.iter().all(|&len| len == PIECE) && *last < PIECE);
    }

    #[test]
    fn a_basis_that_ends_early() {
        for position in [0, PAGE as u64 - 7] {
            let mut gather = Gather::new(Vec::new());
            let error = gather.copy([0; 9999].as_slice(), position, 10_000).unwrap_err();
            assert!(matches!(error, Error::BasisTooShort { len: 10_000, .. }), "{error}");
        }
    }
}
