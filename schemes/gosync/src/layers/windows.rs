//! Seeds without their holes: what is all zeros need not be searched for anything else.

use std::io;

use gosync_chunks::{ByteRange, ReadAt, SeedId};

/// A hole is left out when it is at least this long; to begin anew after a shorter one
/// costs about as much as to search it.
const LEAST_HOLE: u64 = 1 << 20;

/// Windows on all seeds together, at most: a [`SeedId`] counts them. Seeds in more pieces
/// are searched whole.
const MOST_WINDOWS: usize = 1 << 15;

/// A part of a seed.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    data: &'a dyn ReadAt,
    seed: SeedId,
    range: ByteRange,
}

impl Window<'_> {
    /// Where in which seed the byte at `offset` of the window is.
    pub(super) fn place(&self, offset: u64) -> (SeedId, u64) {
        (self.seed, self.range.start + offset)
    }
}

impl ReadAt for Window<'_> {
    fn size(&self) -> u64 {
        self.range.len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.data.read_exact_at(self.range.start + offset, buffer)
    }
}

/// The windows on `seeds` in which blocks of `size` bytes can be that are not zeros.
pub(super) fn windows<'a>(seeds: &[&'a dyn ReadAt], size: u32) -> Vec<Window<'a>> {
    let mut windows = Vec::new();
    for (at, &data) in seeds.iter().enumerate() {
        let window = |range| Window { data, seed: SeedId(at as u16), range };
        let whole = ByteRange { start: 0, end: data.size() };
        // Each of the other seeds has at least one.
        let room = MOST_WINDOWS.saturating_sub(windows.len() + seeds.len() - at);
        match without_holes(data, size.into(), room) {
            Some(ranges) => windows.extend(ranges.into_iter().map(window)),
            None => windows.push(window(whole)),
        }
    }
    windows
}

/// What is within `size` bytes of data; `None` where that is in more than `most` pieces, or
/// nobody can tell.
fn without_holes(data: &dyn ReadAt, size: u64, most: usize) -> Option<Vec<ByteRange>> {
    let mut ranges: Vec<ByteRange> = Vec::new();
    let mut offset = 0;
    while let Some(found) = data.next_data(offset).ok()? {
        if found.end <= offset {
            return None;
        }
        offset = found.end;
        let range =
            ByteRange { start: found.start.saturating_sub(size), end: found.end.saturating_add(size).min(data.size()) };
        match ranges.last_mut() {
            Some(last) if range.start < last.end.saturating_add(LEAST_HOLE) => last.end = range.end,
            _ => ranges.push(range),
        }
        if ranges.len() > most {
            return None;
        }
    }
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data of which only some ranges are no hole.
    struct Sparse {
        size: u64,
        data: Vec<ByteRange>,
    }

    impl ReadAt for Sparse {
        fn size(&self) -> u64 {
            self.size
        }

        fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
            buffer.iter_mut().zip(offset..).for_each(|(byte, at)| *byte = at as u8);
            Ok(())
        }

        fn next_data(&self, offset: u64) -> io::Result<Option<ByteRange>> {
            let next = self.data.iter().find(|data| data.end > offset);
            Ok(next.map(|data| ByteRange { start: data.start.max(offset), end: data.end }))
        }
    }

    const MIB: u64 = 1 << 20;

    fn ranges(size: u64, data: &[(u64, u64)], block: u32) -> Vec<(u64, u64)> {
        let data = data.iter().map(|&(start, end)| ByteRange { start, end }).collect();
        let sparse = Sparse { size, data };
        windows(&[&sparse], block).iter().map(|window| (window.range.start, window.range.end)).collect()
    }

    #[test]
    fn holes_are_left_out_and_what_is_beside_them_is_not() {
        assert_eq!(ranges(9 * MIB, &[(0, 9 * MIB)], 100), [(0, 9 * MIB)]);
        assert_eq!(ranges(9 * MIB, &[], 100), []);
        let data = [(50, 60), (4 * MIB, 4 * MIB + 1), (5 * MIB, 6 * MIB), (8 * MIB, 9 * MIB)];
        let expected = [(0, 160), (4 * MIB - 100, 6 * MIB + 100), (8 * MIB - 100, 9 * MIB)];
        assert_eq!(ranges(9 * MIB, &data, 100), expected);
        // Within a block of data nothing is left out.
        assert_eq!(ranges(9 * MIB, &data, 2 * MIB as u32), [(0, 9 * MIB)]);
    }

    #[test]
    fn what_is_in_too_many_pieces_is_whole() {
        let pieces: Vec<_> = (0..40_000).map(|at| (at * 4 * MIB, at * 4 * MIB + 1)).collect();
        assert_eq!(ranges(200_000 * MIB, &pieces, 1), [(0, 200_000 * MIB)]);
    }

    #[test]
    fn places_are_those_of_the_seed() {
        let sparse = Sparse { size: 8 * MIB, data: vec![ByteRange { start: 4 * MIB + 7, end: 5 * MIB }] };
        let nothing: Vec<u8> = Vec::new();
        let windows = windows(&[&nothing, &sparse], 7);
        let [window] = &windows[..] else { panic!("one window") };
        assert_eq!(window.place(9), (SeedId(1), 4 * MIB + 9));
        let mut buffer = [0; 3];
        window.read_exact_at(9, &mut buffer).unwrap();
        assert_eq!((window.size(), buffer), (MIB + 7, [9, 10, 11]));
    }
}
