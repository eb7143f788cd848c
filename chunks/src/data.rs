//! Data that can be read at any place, from any thread.

use std::fs::File;
use std::io;

use crate::block::ByteRange;

/// Bytes of a known number, read by position: a target, a seed, a payload.
pub trait ReadAt: Send + Sync {
    /// Length in bytes.
    fn size(&self) -> u64;

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// When they cannot be read; [`io::ErrorKind::UnexpectedEof`] where there are too few.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// The first range at or after `offset` that is not a hole, up to the next hole
    /// or the end; `None` when only a hole follows. Holes read as zeros. Data
    /// that cannot tell has none.
    ///
    /// # Errors
    ///
    /// When the file system fails to answer.
    fn next_data(&self, offset: u64) -> io::Result<Option<ByteRange>> {
        Ok((offset < self.size()).then(|| ByteRange { start: offset, end: self.size() }))
    }

    /// The file that holds these bytes at the same offsets, if one does, so that a
    /// copy can be left to the kernel.
    fn file(&self) -> Option<&File> {
        None
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (**self).read_exact_at(offset, buffer)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<ByteRange>> {
        (**self).next_data(offset)
    }

    fn file(&self) -> Option<&File> {
        (**self).file()
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.as_slice().size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_exact_at(offset, buffer)
    }
}

/// Whether all of `data` is zeros, as holes read.
pub fn is_zeros(data: &[u8]) -> bool {
    // Most data shows in its first bytes that it is not; the rest is vectorised.
    let (head, rest) = data.split_at(data.len().min(16));
    let any = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all | byte);
    any(head) == 0 && rest.chunks(256).all(|chunk| any(chunk) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_zeros_and_nothing_else() {
        for length in [0, 1, 15, 16, 17, 271, 272, 273, 2000] {
            let mut data = vec![0; length];
            assert!(is_zeros(&data));
            // Miri takes minutes for all.
            for at in (0..length).step_by(if cfg!(miri) { 150 } else { 1 }) {
                data[at] = 0x80;
                assert!(!is_zeros(&data), "{at} of {length}");
                data[at] = 0;
            }
        }
    }

    #[test]
    fn slices_end_where_they_end() {
        let data = b"0123456789".as_slice();
        let mut buffer = [0; 4];
        data.read_exact_at(6, &mut buffer).unwrap();
        assert_eq!(&buffer, b"6789");
        assert_eq!(data.read_exact_at(7, &mut buffer).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(data.read_exact_at(u64::MAX, &mut buffer).is_err());
    }
}
