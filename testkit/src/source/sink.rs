//! Sinks that call a function, or check what they are given.

use std::sync::Mutex;

use gosync_chunks::{ByteRange, Sink, SinkError};

use crate::lock::lock;

/// A sink that calls a function.
pub struct FnSink<F>(pub F);

impl<F: Fn(u64, &[u8]) -> Result<(), SinkError> + Sync> Sink for FnSink<F> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        (self.0)(offset, data)
    }
}

/// Collects the bytes of some ranges and panics on any that were not asked for, or
/// come twice.
#[derive(Debug)]
pub struct MemorySink {
    pieces: Mutex<Vec<Piece>>,
}

#[derive(Debug)]
struct Piece {
    range: ByteRange,
    data: Vec<u8>,
    seen: Vec<bool>,
}

impl MemorySink {
    /// A sink that expects exactly `ranges`, which ascend and do not overlap.
    ///
    /// # Panics
    ///
    /// When they do not.
    pub fn new(ranges: &[ByteRange]) -> Self {
        assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{ranges:?} do not ascend");
        let piece = |&range: &ByteRange| {
            let length = range.len() as usize;
            Piece { range, data: vec![0; length], seen: vec![false; length] }
        };
        Self { pieces: Mutex::new(ranges.iter().map(piece).collect()) }
    }

    /// How many bytes have not come yet.
    pub fn missing(&self) -> u64 {
        lock(&self.pieces).iter().map(|piece| piece.missing().count() as u64).sum()
    }

    /// The bytes of each range, in the order in which the ranges were given.
    ///
    /// # Panics
    ///
    /// When a byte has not come.
    #[track_caller]
    pub fn finish(self) -> Vec<Vec<u8>> {
        let pieces = self.pieces.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        for piece in &pieces {
            if let Some(at) = piece.missing().next() {
                panic!("byte {} of {} was never delivered", piece.range.start + at as u64, piece.range);
            }
        }
        pieces.into_iter().map(|piece| piece.data).collect()
    }
}

impl Piece {
    fn missing(&self) -> impl Iterator<Item = usize> {
        self.seen.iter().enumerate().filter(|(_, seen)| !**seen).map(|(at, _)| at)
    }
}

impl Sink for MemorySink {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        let mut pieces = lock(&self.pieces);
        let mut delivered = ByteRange::at(offset, data.len() as u64);
        // A delivery may go on over ranges that touch.
        while !delivered.is_empty() {
            let Some(piece) = pieces
                .iter_mut()
                .find(|piece| piece.range.start <= delivered.start && delivered.start < piece.range.end)
            else {
                panic!("{delivered} was delivered, but not asked for");
            };
            let end = delivered.end.min(piece.range.end);
            for at in delivered.start..end {
                let place = (at - piece.range.start) as usize;
                assert!(!piece.seen[place], "byte {at} was delivered twice");
                piece.seen[place] = true;
                piece.data[place] = data[(at - offset) as usize];
            }
            delivered.start = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    fn sink() -> MemorySink {
        MemorySink::new(&[ByteRange::at(10, 5), ByteRange::at(15, 1), ByteRange::at(20, 2)])
    }

    #[test]
    fn collects_in_any_order_and_across_ranges_that_touch() {
        let sink = sink();
        sink.deliver(21, b"h").unwrap();
        sink.deliver(12, b"cdef").unwrap();
        assert_eq!(sink.missing(), 3);
        sink.deliver(20, b"g").unwrap();
        sink.deliver(10, b"ab").unwrap();
        sink.deliver(10, b"").unwrap();
        assert_eq!(sink.finish(), [b"abcde".to_vec(), b"f".to_vec(), b"gh".to_vec()]);
    }

    #[test]
    fn refuses_what_is_twice_too_much_or_missing() {
        for (offset, length) in [(9, 1), (9, 2), (15, 2), (16, 1), (22, 1)] {
            assert!(catch_unwind(|| sink().deliver(offset, &vec![0; length])).is_err(), "{offset} {length}");
        }
        let twice = catch_unwind(|| {
            let sink = sink();
            sink.deliver(10, b"ab").unwrap();
            sink.deliver(11, b"b").unwrap();
        });
        assert!(twice.is_err());
        assert!(catch_unwind(|| sink().finish()).is_err());
    }
}
