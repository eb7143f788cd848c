//! Bytes of a file on their way, in any order, from where they are fetched to where they
//! are read.

use std::fs::File;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use gosync_blocksources::ranges::RangeSet;
use gosync_chunks::{ByteRange, ReadAt, Sink, SinkError};
use gosync_files::{LocalFile, write_all_at};

/// What it is called in errors.
pub(super) const PATH: &str = "a temporary file";

/// A temporary file without a name, in which each byte has the place that it has in the
/// file that is fetched. Readers wait for what is not there yet.
pub(super) struct Spool {
    file: File,
    reader: LocalFile,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    arrived: RangeSet,
    /// No more will come.
    is_over: bool,
    /// No more is wanted.
    is_closed: bool,
}

impl Spool {
    pub(super) fn new() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        let reader = LocalFile::new(PATH.as_ref(), file.try_clone()?)?;
        Ok(Self { file, reader, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Wakes those who wait for what will not come.
    pub(super) fn set_over(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Refuses what still comes.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Waits for `range`, which is not long, and reads it into `buffer`; `false` where it
    /// does not come.
    pub(super) fn read(&self, range: ByteRange, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let waiting = |state: &mut State| !state.is_over && !state.arrived.contains(range);
        let state = self.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        if !state.arrived.contains(range) {
            return Ok(false);
        }
        drop(state);
        buffer.resize(range.len() as usize, 0);
        self.reader.read_exact_at(range.start, buffer).map(|()| true)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Spool {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        if self.lock().is_closed {
            return Err("nothing more is wanted of it".into());
        }
        write_all_at(&self.file, data, offset)?;
        self.lock().arrived.insert(ByteRange::at(offset, data.len() as u64));
        self.changed.notify_all();
        Ok(())
    }
}
