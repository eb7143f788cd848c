//! The file that is being made: sparse, and written at any place by any thread.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gosync_chunks::{BlockRange, ByteRange, Cut, VerifiedBlock, is_zeros};
use gosync_files::{LocalFile, space, write_all_at};

use crate::check::verified::VerifiedRun;
use crate::error::PatchError;
use crate::halt::{Halt, STRIDE};

/// What is not written reads as zeros, and takes no room on disk.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    pub(crate) file: &'a File,
    pub(crate) path: &'a Path,
    pub(crate) cut: &'a Cut,
    /// Set once the file holds a block that was fetched.
    pub(crate) has_fetched: &'a AtomicBool,
    /// Whose turn it is to write. File systems let one thread at a time write to a file, and
    /// the others spin meanwhile, where they could hash: that cost a sixth of the time.
    pub(crate) turn: &'a Mutex<()>,
}

impl Output<'_> {
    /// Gives the file its length.
    pub(crate) fn extend(&self) -> Result<(), PatchError> {
        self.file.set_len(self.cut.length()).map_err(|source| self.failed(source))
    }

    /// Writes blocks where nothing was written before: those of zeros are left out.
    pub(crate) fn fill(&self, run: VerifiedRun<'_>) -> Result<(), PatchError> {
        self.has_fetched.store(true, Ordering::Relaxed);
        let start = self.cut.range(run.first()).start;
        let mut begun = 0;
        for block in run.blocks(self.cut).iter() {
            let range = self.cut.range(block);
            let (at, end) = ((range.start - start) as usize, (range.end - start) as usize);
            if is_zeros(&run.data()[at..end]) {
                self.write(start + begun as u64, &run.data()[begun..at])?;
                begun = end;
            }
        }
        self.write(start + begun as u64, &run.data()[begun..])
    }

    /// Writes blocks over something else.
    pub(crate) fn replace(&self, run: VerifiedRun<'_>) -> Result<(), PatchError> {
        self.has_fetched.store(true, Ordering::Relaxed);
        self.write(self.cut.range(run.first()).start, run.data())
    }

    /// Writes `block` at the place of each of `blocks`, where nothing was written before.
    pub(crate) fn repeat(
        &self,
        block: VerifiedBlock<'_>,
        blocks: BlockRange,
        halt: &Halt<'_>,
    ) -> Result<(), PatchError> {
        let data = block.data();
        if is_zeros(data) {
            return Ok(());
        }
        let mut range = self.cut.bytes(blocks);
        let times = blocks.len().min((STRIDE / data.len()).max(1));
        let several = if times > 1 { data.repeat(times) } else { Vec::new() };
        let several = if times > 1 { &several } else { data };
        while !range.is_empty() {
            halt.check()?;
            let len = several.len().min(range.len() as usize);
            self.write(range.start, &several[..len])?;
            range.start += len as u64;
        }
        Ok(())
    }

    /// Sets room aside for `range`, which is about to be written.
    pub(crate) fn reserve(&self, range: ByteRange) {
        let _turn = self.take_turn();
        space::reserve(self.file, range);
    }

    /// Has the system begin to write to disk what was written to `range`, so that committing
    /// need not wait for all of it.
    pub(crate) fn send_to_disk(&self, range: ByteRange) {
        space::send_to_disk(self.file, range);
    }

    /// Writes what a seed had, which is verified later. Only copies may use this.
    pub(crate) fn write_copied(&self, offset: u64, data: &[u8]) -> Result<(), PatchError> {
        self.write(offset, data)
    }

    /// Makes `range` read as zeros again, as if nothing had been written there.
    pub(crate) fn clear(&self, mut range: ByteRange) -> Result<(), PatchError> {
        if space::punch_hole(self.file, range).is_ok() {
            return Ok(());
        }
        const ZEROS: [u8; 16 << 10] = [0; 16 << 10];
        while !range.is_empty() {
            let len = range.len().min(ZEROS.len() as u64);
            self.write(range.start, &ZEROS[..len as usize])?;
            range.start += len;
        }
        Ok(())
    }

    /// What is written so far, as data.
    pub(crate) fn reader(&self) -> Result<LocalFile, PatchError> {
        let file = self.file.try_clone().and_then(|file| LocalFile::new(self.path, file));
        file.map_err(|source| self.unreadable(source))
    }

    /// Of bytes that cannot be read back.
    pub(crate) fn unreadable(&self, source: io::Error) -> PatchError {
        PatchError::ReadBack { path: self.path.to_owned(), source }
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), PatchError> {
        let _turn = self.take_turn();
        write_all_at(self.file, data, offset).map_err(|source| self.failed(source))
    }

    fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, source: io::Error) -> PatchError {
        PatchError::Write { path: self.path.to_owned(), source }
    }
}
