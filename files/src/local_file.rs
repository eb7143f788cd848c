//! A file that any thread reads at any place.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use gosync_chunks::{ByteRange, ReadAt};

use crate::entry;
use crate::platform;

/// A file or block device, opened for reading; its errors carry its path.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    file: File,
    size: u64,
}

/// Bytes that the kernel reads at once without being told anything.
const SMALL: u64 = 64 << 10;

impl LocalFile {
    /// Opens the file at `path`. Its size is taken now and not looked at again.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or is neither a file nor a block device. A pipe is not waited for.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(path, entry::open_stream(path)?)
    }

    /// Uses `file`, already open, which is at `path`.
    ///
    /// # Errors
    ///
    /// When its size cannot be found out or it is neither a file nor a block device.
    pub fn new(path: &Path, file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(entry::is_a_directory());
        }
        let size = match metadata.is_file() {
            true => metadata.len(),
            false if platform::empty_device(&metadata) => 0,
            false => device_size(&file)?,
        };
        // Threads take pieces in order, so the kernel may read further ahead than it would
        // for reads that seem to jump. What comes in one read anyway is not worth a call.
        if size > SMALL {
            platform::read_ahead(&file);
        }
        Ok(Self { path: path.to_owned(), file, size })
    }

    /// Where the file was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl ReadAt for LocalFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        platform::read_exact_at(&self.file, buffer, offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<ByteRange>> {
        platform::next_data(&self.file, offset, self.size)
    }

    fn file(&self) -> Option<&File> {
        Some(&self.file)
    }
}

/// Writes all of `data` from byte `offset` of `file` on, wherever its cursor is. On Unix the
/// cursor stays there; elsewhere it moves.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_all_at(file: &File, data: &[u8], offset: u64) -> io::Result<()> {
    platform::write_all_at(file, data, offset)
}

/// Devices report no length; the end of the device is where seeking to it leads.
fn device_size(mut file: &File) -> io::Result<u64> {
    match file.seek(SeekFrom::End(0)) {
        Ok(size) if size > 0 => Ok(size),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "is a pipe or the like; only files and block devices can be read in any order",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

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

    #[test]
    fn threads_write_and_read_where_they_like() {
        const PART: usize = 1000;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let writer = File::create(&path).unwrap();
        std::thread::scope(|scope| {
            for part in (0..8u8).rev() {
                let writer = &writer;
                scope.spawn(move || write_all_at(writer, &[part; PART], u64::from(part) * PART as u64).unwrap());
            }
        });
        let file = LocalFile::open(&path).unwrap();
        assert_eq!(file.size(), 8 * PART as u64);
        std::thread::scope(|scope| {
            for part in 0..8u8 {
                let file = &file;
                scope.spawn(move || {
                    let mut read = [9; PART];
                    file.read_exact_at(u64::from(part) * PART as u64, &mut read).unwrap();
                    assert_eq!(read, [part; PART]);
                });
            }
        });
        let beyond = file.read_exact_at(8 * PART as u64 - 1, &mut [0; 2]).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    }
}
