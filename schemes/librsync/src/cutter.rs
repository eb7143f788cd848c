//! Cutting what is read into pieces.

use std::io::{self, Read};

use gosync_chunks::ReadAt;

use crate::stream::Buffer;

/// What is cut.
pub(crate) enum Input<'a, R> {
    /// A stream, which is read by the thread that cuts it.
    Stream(R),
    /// What can be read anywhere: threads read their pieces by themselves, so that they do
    /// not wait for each other.
    Data(&'a dyn ReadAt),
}

/// Cuts an input into pieces of one length, which overlap.
pub(crate) struct Cutter<'a, R> {
    input: Input<'a, R>,
    len: usize,
    overlap: usize,
    offset: u64,
    /// What was read of the next piece.
    carried: Vec<u8>,
    is_over: bool,
}

/// A piece, to use again for the next one.
#[derive(Default)]
pub(crate) struct Cut {
    buffer: Buffer,
    offset: u64,
    /// Its own bytes; those behind them belong to the next piece too.
    pub(crate) len: usize,
    pub(crate) is_last: bool,
}

impl<'a, R: Read> Cutter<'a, R> {
    /// Into pieces of `len` bytes and `overlap` of the next one's. The last may be short, and
    /// of nothing there is one that is empty.
    pub(crate) fn new(input: Input<'a, R>, len: usize, overlap: usize) -> Self {
        Self { input, len, overlap, offset: 0, carried: Vec::new(), is_over: false }
    }

    /// The next piece, if there is one; its bytes are there once it was [read](Cut::read).
    pub(crate) fn cut(&mut self, piece: &mut Cut) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let room = self.len + self.overlap;
        let total = match &mut self.input {
            Input::Stream(stream) => {
                piece.buffer.begin(self.offset, room, &self.carried);
                self.is_over = piece.buffer.fill(stream)?;
                let bytes = piece.buffer.bytes();
                self.carried.clear();
                self.carried.extend_from_slice(bytes.get(self.len..).unwrap_or_default());
                bytes.len()
            }
            Input::Data(data) => {
                let left = data.size().saturating_sub(self.offset);
                self.is_over = left <= room as u64;
                let total = left.min(room as u64) as usize;
                piece.buffer.begin(self.offset, total, &[]);
                total
            }
        };
        piece.offset = self.offset;
        piece.is_last = self.is_over;
        piece.len = if self.is_over { total } else { self.len };
        self.offset += piece.len as u64;
        Ok(true)
    }

    /// What threads read their pieces of, unless these are read as they are cut.
    pub(crate) fn data(&self) -> Option<&'a dyn ReadAt> {
        match self.input {
            Input::Stream(_) => None,
            Input::Data(data) => Some(data),
        }
    }
}

impl Cut {
    /// Reads the piece of `data`, where that was not done when it was cut.
    pub(crate) fn read(&mut self, data: Option<&dyn ReadAt>) -> io::Result<()> {
        data.map_or(Ok(()), |data| self.buffer.fill_at(data, self.offset))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each piece with what it has of the next one.
    fn pieces(input: Input<'_, &[u8]>, len: usize, overlap: usize) -> Vec<(Vec<u8>, usize, bool)> {
        let (mut cutter, mut piece, mut pieces) = (Cutter::new(input, len, overlap), Cut::default(), Vec::new());
        while cutter.cut(&mut piece).unwrap() {
            piece.read(cutter.data()).unwrap();
            pieces.push((piece.bytes().to_vec(), piece.len, piece.is_last));
        }
        pieces
    }

    #[test]
    fn pieces_are_the_whole_however_they_are_read() {
        let whole: Vec<u8> = (0..10_000u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
        for len in [0, 1, 99, 100, 101, 109, 110, 111, 200, 9_999, 10_000] {
            for (piece_len, overlap) in [(100, 0), (100, 10), (7, 100), (20_000, 3)] {
                let data = whole[..len].to_vec();
                for input in [Input::Stream(&data[..]), Input::Data(&data)] {
                    let mut offset = 0;
                    let pieces = pieces(input, piece_len, overlap);
                    for (bytes, own, is_last) in &pieces {
                        let end = if *is_last { len } else { offset + piece_len + overlap };
                        assert!(*bytes == data[offset..end], "{len} in {piece_len}");
                        offset += own;
                    }
                    assert_eq!(offset, len);
                    assert!(pieces.iter().rev().skip(1).all(|&(_, own, is_last)| own == piece_len && !is_last));
                    assert!(pieces.last().unwrap().2, "{len} in {piece_len}");
                }
            }
        }
    }

    #[test]
    fn what_became_shorter_cannot_be_read() {
        struct Shorter;
        impl ReadAt for Shorter {
            fn size(&self) -> u64 {
                100
            }

            fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
                [0; 60].read_exact_at(offset, buffer)
            }
        }
        let (mut cutter, mut piece) = (Cutter::new(Input::<&[u8]>::Data(&Shorter), 50, 0), Cut::default());
        assert!(cutter.cut(&mut piece).unwrap());
        piece.read(cutter.data()).unwrap();
        assert!(cutter.cut(&mut piece).unwrap());
        assert_eq!(piece.read(cutter.data()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
