//! Where what was in streams is put, until it is read.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{ByteRange, ReadAt};
use gosync_files::{LocalFile, write_all_at};

/// What is put at once, and lies together.
const PIECE: usize = 1 << 20;

/// A temporary file without a name, which any number of threads put bytes into. What several packed
/// files were opened to is in one, where each does not need a file of its own.
pub struct Spool {
    file: File,
    reader: LocalFile,
    /// Where there is nothing yet.
    free: AtomicU64,
}

impl Spool {
    /// One in `directory`, or where temporary files are.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new(directory: Option<&Path>) -> io::Result<Arc<Self>> {
        let file = directory.map_or_else(tempfile::tempfile, tempfile::tempfile_in)?;
        let reader = LocalFile::new("a temporary file".as_ref(), file.try_clone()?)?;
        Ok(Arc::new(Self { file, reader, free: AtomicU64::new(0) }))
    }

    /// Copies all of `data`, which `each` is shown piece by piece.
    ///
    /// # Errors
    ///
    /// When that cannot be read or written.
    pub fn keep(self: &Arc<Self>, data: &dyn ReadAt, mut each: impl FnMut(&[u8])) -> io::Result<Plain> {
        let mut writer = SpoolWriter::new(self);
        writer.copy(data, ByteRange::at(0, data.size()), &mut each)?;
        writer.finish()
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("used", &self.free).finish_non_exhaustive()
    }
}

/// Bytes on their way into a spool.
pub(crate) struct SpoolWriter {
    plain: Plain,
    buffer: Vec<u8>,
}

impl SpoolWriter {
    pub(crate) fn new(spool: &Arc<Spool>) -> Self {
        Self { plain: Plain { spool: Arc::clone(spool), places: Vec::new(), len: 0 }, buffer: Vec::new() }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == PIECE {
                self.put()?;
            }
        }
        Ok(())
    }

    /// Puts `range` of `data`, which `each` is shown.
    pub(crate) fn copy(&mut self, data: &dyn ReadAt, range: ByteRange, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = vec![0; range.len().min(PIECE as u64) as usize];
        let mut at = range.start;
        while at < range.end {
            let count = (range.end - at).min(buffer.len() as u64) as usize;
            data.read_exact_at(at, &mut buffer[..count])?;
            each(&buffer[..count]);
            self.push(&buffer[..count])?;
            at += count as u64;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<Plain> {
        if !self.buffer.is_empty() {
            self.put()?;
        }
        Ok(self.plain)
    }

    fn put(&mut self) -> io::Result<()> {
        let len = self.buffer.len() as u64;
        let place = self.plain.spool.free.fetch_add(len, Ordering::Relaxed);
        write_all_at(&self.plain.spool.file, &self.buffer, place)?;
        self.plain.places.push(place);
        self.plain.len += len;
        self.buffer.clear();
        Ok(())
    }
}

/// Bytes that are in a [`Spool`], which any thread reads at any place.
pub struct Plain {
    spool: Arc<Spool>,
    /// Where each piece is.
    places: Vec<u64>,
    len: u64,
}

impl ReadAt for Plain {
    fn size(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !buffer.is_empty() {
            let within = offset % PIECE as u64;
            let count = buffer.len().min(PIECE - within as usize);
            let (now, later) = buffer.split_at_mut(count);
            self.spool.reader.read_exact_at(self.places[(offset / PIECE as u64) as usize] + within, now)?;
            (buffer, offset) = (later, offset + count as u64);
        }
        Ok(())
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").field("len", &self.len).finish_non_exhaustive()
    }
}
