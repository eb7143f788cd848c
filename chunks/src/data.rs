//! Data that can be read at any place, from any thread.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::ByteRange;

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
    /// or the end; `None` when only a hole follows. Holes read as zeros. Whoever
    /// cannot tell has none.
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

/// A file or block device, opened for reading; its errors carry its path.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LocalFile {
    /// Opens the file at `path`. Its size is taken now and not looked at again.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or is neither a file nor a block device.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Self::new(path, file)
    }

    /// Uses `file`, already open, which is at `path`.
    ///
    /// # Errors
    ///
    /// When its size cannot be found out or it is neither a file nor a block device.
    pub fn new(path: &Path, file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory, not a file"));
        }
        let size = if metadata.is_file() { metadata.len() } else { device_size(&file)? };
        read_ahead(&file);
        Ok(Self { path: path.to_owned(), file, size })
    }

    /// Where the file was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Threads take pieces in order, so the kernel may read further ahead than it would for
/// reads that seem to jump. It is only advice: nothing depends on it.
fn read_ahead(file: &File) {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let _ = file;
}

/// Devices report no length; the end of the device is where seeking to it leads.
fn device_size(mut file: &File) -> io::Result<u64> {
    use std::io::{Seek, SeekFrom};
    match file.seek(SeekFrom::End(0)) {
        Ok(size) if size > 0 => Ok(size),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "is a pipe or the like; only files and block devices can be read in any order",
        )),
    }
}

impl ReadAt for LocalFile {
    fn size(&self) -> u64 {
        self.size
    }

    #[cfg(unix)]
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    buffer = &mut buffer[read..];
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    fn next_data(&self, offset: u64) -> io::Result<Option<ByteRange>> {
        use rustix::fs::{SeekFrom, seek};
        use rustix::io::Errno;
        if offset >= self.size {
            return Ok(None);
        }
        let start = match seek(&self.file, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(None),
            // File systems and devices that know no holes.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some(ByteRange { start: offset, end: self.size })),
            Err(error) => return Err(error.into()),
        };
        let end = seek(&self.file, SeekFrom::Hole(start))?;
        Ok((start < self.size).then(|| ByteRange { start, end: end.min(self.size) }))
    }

    fn file(&self) -> Option<&File> {
        Some(&self.file)
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
    use std::io::{Seek, SeekFrom, Write};

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

    #[test]
    fn walks_the_data_between_holes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sparse");
        let mut file = File::create(&path).unwrap();
        file.seek(SeekFrom::Start(8 << 20)).unwrap();
        file.write_all(&[1; 4096]).unwrap();
        file.set_len(16 << 20).unwrap();
        drop(file);

        let file = LocalFile::open(&path).unwrap();
        let mut data = 0;
        let mut offset = 0;
        while let Some(range) = file.next_data(offset).unwrap() {
            assert!(range.start >= offset && range.end <= file.size());
            data += range.len();
            offset = range.end;
        }
        assert!(data >= 4096, "the written bytes are data wherever holes are known");
        assert_eq!(file.next_data(16 << 20).unwrap(), None);
    }

    #[test]
    fn directories_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(LocalFile::open(directory.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
