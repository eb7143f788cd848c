//! The body of an answer, read from the file as the client takes it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use gosync_chunks::{ByteRange, ReadAt};
use gosync_files::LocalFile;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

/// Bytes read from the file at once. A connection holds a few such pieces of it.
const PIECE: u64 = 256 << 10;

/// What a body is made of, one after another.
#[derive(Debug)]
pub(crate) enum Part {
    Text(Bytes),
    File(Arc<LocalFile>, ByteRange),
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File(_, range) => range.len(),
        }
    }
}

/// A body of a known length.
#[derive(Debug, Default)]
pub(crate) struct PartsBody {
    parts: VecDeque<Part>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// Bytes that are still to come.
    left: u64,
}

impl PartsBody {
    pub(crate) fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: VecDeque<_> = parts.into_iter().filter(|part| part.len() > 0).collect();
        let left = parts.iter().map(Part::len).sum();
        Self { parts, reading: None, left }
    }

    pub(crate) fn text(text: impl Into<Bytes>) -> Self {
        Self::new([Part::Text(text.into())])
    }

    /// Bytes that are still to come.
    pub(crate) fn len(&self) -> u64 {
        self.left
    }

    /// Begins to read the next piece of the file, if one is next and not being read yet.
    fn read_ahead(&mut self) {
        if self.reading.is_some() {
            return;
        }
        if let Some(Part::File(file, range)) = self.parts.front_mut() {
            let piece = ByteRange { start: range.start, end: range.end.min(range.start + PIECE) };
            let file = Arc::clone(file);
            range.start = piece.end;
            if range.is_empty() {
                self.parts.pop_front();
            }
            self.reading = Some(spawn_blocking(move || {
                let mut data = vec![0; piece.len() as usize];
                file.read_exact_at(piece.start, &mut data)?;
                Ok(data.into())
            }));
        }
    }
}

impl Body for PartsBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.read_ahead();
        let piece = if let Some(reading) = &mut self.reading {
            let read = ready!(Pin::new(reading).poll(context));
            self.reading = None;
            // While this piece is sent.
            self.read_ahead();
            // A file that became shorter breaks the connection: the length is promised.
            read.map_err(io::Error::other).flatten()?
        } else {
            let Some(Part::Text(text)) = self.parts.pop_front() else { return Poll::Ready(None) };
            text
        };
        self.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
