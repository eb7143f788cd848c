//! Reading a stream into pieces.

use std::io::{self, Read};

use gosync_chunks::ReadAt;

/// The kernel keeps files in pages of this size.
pub(crate) const PAGE: usize = 4096;

/// Memory for one piece of a stream after another.
///
/// What is read lies as far behind a page's start here as it does in a file that is read
/// from its start: see `gosync_files::ReadBuffer` for what that saves.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    start: usize,
    len: usize,
    capacity: usize,
}

impl Buffer {
    /// Empties it, for `capacity` bytes that begin at `offset` of the stream, of which the
    /// first are `carried`.
    pub(crate) fn begin(&mut self, offset: u64, capacity: usize, carried: &[u8]) {
        if self.memory.len() < capacity + 2 * PAGE {
            // The old one goes first, and the new one's zeros cost nothing until touched.
            self.memory = Vec::new();
            self.memory = vec![0; capacity + 2 * PAGE];
        }
        self.start = self.memory.as_ptr().align_offset(PAGE) % PAGE + (offset % PAGE as u64) as usize;
        self.capacity = capacity;
        self.len = carried.len();
        self.memory[self.start..][..carried.len()].copy_from_slice(carried);
    }

    /// Reads until it is full, and tells whether the stream ended before.
    pub(crate) fn fill(&mut self, mut input: impl Read) -> io::Result<bool> {
        while self.len < self.capacity {
            match input.read(&mut self.memory[self.start..][self.len..self.capacity]) {
                Ok(0) => return Ok(true),
                Ok(len) => self.len += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Reads until it is full, from `offset` of `data` on.
    pub(crate) fn fill_at(&mut self, data: &dyn ReadAt, offset: u64) -> io::Result<()> {
        let left = &mut self.memory[self.start..][self.len..self.capacity];
        data.read_exact_at(offset + self.len as u64, left)?;
        self.len = self.capacity;
        Ok(())
    }

    /// What is in it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..][..self.len]
    }
}
