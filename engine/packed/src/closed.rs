//! A packed file that is closed where it is read.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use gosync_chunks::{ByteRange, ReadAt};

use crate::close::check_len;
use crate::closing::{Closing, Starts};
use crate::error::CloseError;
use crate::recipe::Recipe;

/// The bytes of a packed file, read at any place and made of the opened ones when they are.
///
/// A stream is made from its beginning on. So reading on where the last reading ended costs
/// nothing more, and reading in the middle of a stream costs what comes before it there.
pub struct Closed<'a> {
    recipe: &'a Recipe,
    opened: &'a dyn ReadAt,
    starts: Starts,
    last: Mutex<Option<Reading<'a>>>,
}

/// Where the last reading ended.
struct Reading<'a> {
    at: u64,
    bytes: Closing<'a>,
}

impl<'a> Closed<'a> {
    /// The packed file of `recipe`, out of `opened`.
    ///
    /// # Errors
    ///
    /// When `opened` has another length than the recipe says.
    pub fn new(recipe: &'a Recipe, opened: &'a dyn ReadAt) -> Result<Self, CloseError> {
        check_len(recipe, opened)?;
        Ok(Self { recipe, opened, starts: Starts::new(recipe.streams()), last: Mutex::new(None) })
    }

    /// Begins to read at `offset`, or before it where that is within a stream.
    fn begin(&self, offset: u64) -> Reading<'a> {
        let (recipe, streams) = (self.recipe, self.recipe.streams());
        let next = streams.partition_point(|stream| stream.packed.end <= offset);
        let at = streams.get(next).map_or(offset, |stream| offset.min(stream.packed.start));
        let flat = match next.checked_sub(1) {
            Some(last) => self.starts.flat(last) + streams[last].flat() + (at - streams[last].packed.end),
            None => at,
        };
        let range = ByteRange { start: at, end: recipe.packed_len() };
        Reading { at, bytes: Closing::new(recipe, self.opened, flat, &streams[next..], range) }
    }
}

impl ReadAt for Closed<'_> {
    fn size(&self) -> u64 {
        self.recipe.packed_len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.size()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Other threads begin anew meanwhile.
        let last = self.lock().take();
        let anew = self.begin(offset);
        let mut reading = last.filter(|last| (anew.at..=offset).contains(&last.at)).unwrap_or(anew);
        let mut skipped = [0; 4096];
        while reading.at < offset {
            let count = (offset - reading.at).min(skipped.len() as u64) as usize;
            reading.bytes.read_exact(&mut skipped[..count])?;
            reading.at += count as u64;
        }
        reading.bytes.read_exact(buffer)?;
        reading.at += buffer.len() as u64;
        *self.lock() = Some(reading);
        Ok(())
    }
}

impl<'a> Closed<'a> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Reading<'a>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").field("size", &self.size()).finish_non_exhaustive()
    }
}
