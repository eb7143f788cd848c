//! A packed file with its streams opened.

use std::fmt;
use std::io;

use gosync_chunks::{ByteRange, ReadAt};

use crate::recipe::Recipe;
use crate::spool::Plain;

/// A packed file, opened: its bytes, but what is in each stream in the place of the stream.
///
/// Any thread reads it at any place, as the target of an update.
pub struct Opened<'a> {
    recipe: Recipe,
    flat: Flat<&'a dyn ReadAt>,
}

impl<'a> Opened<'a> {
    pub(crate) fn new(packed: &'a dyn ReadAt, recipe: Recipe, layers: Vec<Layer>) -> Self {
        Self { recipe, flat: Flat::new(packed, layers) }
    }

    /// How it is closed again.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Whether any stream was opened.
    pub fn is_opened(&self) -> bool {
        self.flat.is_opened()
    }
}

impl ReadAt for Opened<'_> {
    fn size(&self) -> u64 {
        self.flat.size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.flat.read_exact_at(offset, buffer)
    }
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.recipe.streams().len();
        f.debug_struct("Opened").field("size", &self.size()).field("streams", &streams).finish_non_exhaustive()
    }
}

/// The packed file `P` with its streams opened, which is read and not closed again: an old version,
/// in which parts of a new one are looked for.
pub struct Flat<P> {
    packed: P,
    layers: Vec<Layer>,
    len: u64,
    /// What it is made of, in order.
    pieces: Vec<Piece>,
}

/// What was in a stream, and in those in it, in order.
pub(crate) struct Layer {
    /// Where the stream is in the data around it.
    pub(crate) packed: ByteRange,
    pub(crate) plain: Plain,
    pub(crate) inner: Vec<Layer>,
}

/// A range of the opened file that lies together.
struct Piece {
    /// Where it begins.
    at: u64,
    /// The streams that it is in, from the outermost on: their numbers.
    path: Vec<u32>,
    /// Where it begins in what is in the last of these, or in the packed file.
    start: u64,
}

impl<P: ReadAt> Flat<P> {
    pub(crate) fn new(packed: P, layers: Vec<Layer>) -> Self {
        let (mut pieces, mut len) = (Vec::new(), 0);
        put_pieces(&layers, packed.size(), &mut Vec::new(), &mut len, &mut pieces);
        Self { packed, layers, len, pieces }
    }

    /// Whether any stream was opened.
    pub fn is_opened(&self) -> bool {
        !self.layers.is_empty()
    }

    /// The packed file.
    pub fn into_packed(self) -> P {
        self.packed
    }

    fn data(&self, path: &[u32]) -> &dyn ReadAt {
        let Some((first, rest)) = path.split_first() else { return &self.packed };
        let layer = rest.iter().fold(&self.layers[*first as usize], |layer, at| &layer.inner[*at as usize]);
        &layer.plain
    }
}

/// Puts down the pieces of `len` bytes with the streams of `layers` opened, which are in the stream
/// at `path`.
fn put_pieces(layers: &[Layer], len: u64, path: &mut Vec<u32>, at: &mut u64, pieces: &mut Vec<Piece>) {
    let mut start = 0;
    let put = |range: ByteRange, path: &[u32], at: &mut u64, pieces: &mut Vec<Piece>| {
        if !range.is_empty() {
            pieces.push(Piece { at: *at, path: path.to_vec(), start: range.start });
            *at += range.len();
        }
    };
    for (number, layer) in layers.iter().enumerate() {
        put(ByteRange { start, end: layer.packed.start }, path, at, pieces);
        path.push(number as u32);
        put_pieces(&layer.inner, layer.plain.size(), path, at, pieces);
        path.pop();
        start = layer.packed.end;
    }
    put(ByteRange { start, end: len }, path, at, pieces);
}

impl<P: ReadAt> ReadAt for Flat<P> {
    fn size(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut next = self.pieces.partition_point(|piece| piece.at <= offset);
        while !buffer.is_empty() {
            let piece = &self.pieces[next - 1];
            let end = self.pieces.get(next).map_or(self.len, |piece| piece.at);
            let count = (buffer.len() as u64).min(end - offset) as usize;
            let (now, later) = buffer.split_at_mut(count);
            self.data(&piece.path).read_exact_at(piece.start + (offset - piece.at), now)?;
            (buffer, offset, next) = (later, offset + count as u64, next + 1);
        }
        Ok(())
    }
}

impl<P: ReadAt> fmt::Debug for Flat<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flat").field("size", &self.len).finish_non_exhaustive()
    }
}
