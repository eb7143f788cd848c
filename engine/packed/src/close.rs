//! Closes a file again.

use std::io::{self, Seek, Write};

use gosync_chunks::{ByteRange, Phase, Progress, ReadAt};
use gosync_work::in_order;
use tempfile::SpooledTempFile;

use crate::closing::{Closing, Starts};
use crate::error::CloseError;
use crate::recipe::Recipe;

/// Opened bytes that are given to a thread, where streams are no longer.
const SHARE: u64 = 1 << 20;
/// What a thread has made is kept in memory up to this many bytes until its turn comes.
const KEPT: usize = 8 << 20;

/// Writes the packed file to `out`, out of `opened`, which has the bytes that were opened.
///
/// # Errors
///
/// As [`Close::write`].
pub fn close(recipe: &Recipe, opened: &dyn ReadAt, out: &mut (dyn Write + Send)) -> Result<(), CloseError> {
    Close { recipe, opened, packed: None, progress: &() }.write(out)
}

/// A packed file that is to be closed.
#[derive(Clone, Copy)]
pub struct Close<'a> {
    /// How that is done.
    pub recipe: &'a Recipe,
    /// The bytes that were opened.
    pub opened: &'a dyn ReadAt,
    /// The streams of [`Recipe::unknown`], at their places in the packed file, where there are any.
    /// Nothing else is read of it.
    pub packed: Option<&'a dyn ReadAt>,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

impl Close<'_> {
    /// Writes the packed file to `out`.
    ///
    /// Streams are made on all threads of the rayon pool that the caller is in; one is made by one
    /// thread. Whether the result is the published file only its hash can tell, which is the
    /// caller's to compare: a recipe has none.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written, when what was opened has another length, when a
    /// stream needs an encoder that is not known here and is not there as it was, or comes out with
    /// another length, and when it is cancelled.
    pub fn write(&self, out: &mut (dyn Write + Send)) -> Result<(), CloseError> {
        let recipe = self.recipe;
        check_len(recipe, self.opened)?;
        self.progress.begin(Phase::Close, recipe.packed_len());
        let mut shares = Shares { recipe, starts: Starts::new(recipe.streams()), next: 0, at: 0 };
        in_order(
            || vec![0; 1 << 16],
            |piece: &mut Piece| {
                piece.share = shares.next();
                Ok(piece.share.is_some())
            },
            |buffer, piece| piece.make(self, buffer),
            |piece| piece.put(out),
        )
    }
}

pub(crate) fn check_len(recipe: &Recipe, opened: &dyn ReadAt) -> Result<(), CloseError> {
    let (expected, actual) = (recipe.flat_len(), opened.size());
    if expected == actual { Ok(()) } else { Err(CloseError::Length { expected, actual }) }
}

/// Cuts a file into what threads make at a time.
struct Shares<'a> {
    recipe: &'a Recipe,
    starts: Starts,
    /// The number of the next stream.
    next: usize,
    /// How much was handed out of the packed file.
    at: u64,
}

/// Some streams and what is around them.
struct Share {
    streams: std::ops::Range<usize>,
    packed: ByteRange,
    /// Where it begins in the opened file.
    flat: u64,
}

impl Shares<'_> {
    fn next(&mut self) -> Option<Share> {
        let (streams, end) = (self.recipe.streams(), self.recipe.packed_len());
        if self.at == end {
            return None;
        }
        let flat = match self.next.checked_sub(1) {
            Some(last) => self.starts.flat(last) + streams[last].flat() + (self.at - streams[last].packed.end),
            None => self.at,
        };
        let (first, start) = (self.next, self.at);
        let mut cost = 0;
        while cost < SHARE && self.at < end {
            let literal = streams.get(self.next).map_or(end, |stream| stream.packed.start) - self.at;
            if literal > 0 {
                let taken = literal.min(SHARE - cost);
                (self.at, cost) = (self.at + taken, cost + taken);
            } else {
                self.at = streams[self.next].packed.end;
                cost += streams[self.next].flat();
                self.next += 1;
            }
        }
        Some(Share { streams: first..self.next, packed: ByteRange { start, end: self.at }, flat })
    }
}

/// A share, and what was made of it.
struct Piece {
    share: Option<Share>,
    made: SpooledTempFile,
}

impl Default for Piece {
    fn default() -> Self {
        Self { share: None, made: SpooledTempFile::new(KEPT) }
    }
}

impl Piece {
    fn make(&mut self, close: &Close<'_>, buffer: &mut [u8]) -> Result<(), CloseError> {
        let Some(share) = self.share.take() else { return Ok(()) };
        let streams = &close.recipe.streams()[share.streams];
        let closing = Closing::new(close.recipe, close.opened, share.flat, streams, share.packed);
        let mut closing = closing.with_packed(close.packed);
        loop {
            close.progress.check()?;
            let count = closing.next(buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.made.write_all(&buffer[..count])?;
            close.progress.advance(Phase::Close, count as u64);
        }
    }

    fn put(&mut self, out: &mut dyn Write) -> Result<(), CloseError> {
        self.made.rewind()?;
        io::copy(&mut self.made, out)?;
        self.made = SpooledTempFile::new(KEPT);
        Ok(())
    }
}
