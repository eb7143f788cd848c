//! Which parts of a seed are worth a search: neither its holes, nor, in all layers but the
//! finest, what was found already.

use gosync_chunks::ranges::{merged, without};
use gosync_chunks::{ByteRange, ReadAt, SeedId};

/// What is left out is at least this long; to begin anew after something shorter costs about
/// as much as to search it.
const LEAST: u64 = 4 << 10;

/// Where blocks of `size` bytes can begin in `seed` that are not zeros, and do not lie in
/// `found`, which ascends and does not overlap.
pub(super) fn searched_parts(seed: &dyn ReadAt, size: u32, found: &[ByteRange]) -> Vec<ByteRange> {
    let whole = ByteRange { start: 0, end: seed.size() };
    let size = u64::from(size);
    // A block that begins before what is left out may reach into it, or out of it again.
    let inside = found.iter().map(|range| ByteRange { start: range.start, end: range.end.saturating_sub(size - 1) });
    let holes = holes(seed).into_iter().map(|hole| ByteRange { end: hole.end.saturating_sub(size - 1), ..hole });
    let long = |range: &ByteRange| range.end >= range.start + LEAST;
    without(&without(&[whole], holes.filter(long)), inside.filter(long))
}

/// For each of `seeds` seeds the ranges of `found` that are in it, joined and ascending.
pub(super) fn by_seed(seeds: usize, found: impl Iterator<Item = (SeedId, ByteRange)>) -> Vec<Vec<ByteRange>> {
    let mut ranges = vec![Vec::new(); seeds];
    for (seed, range) in found {
        if let Some(ranges) = ranges.get_mut(usize::from(seed.0)) {
            ranges.push(range);
        }
    }
    ranges.into_iter().map(merged).collect()
}

/// Where `seed` is known to have nothing but zeros.
fn holes(seed: &dyn ReadAt) -> Vec<ByteRange> {
    let mut holes = Vec::new();
    let (mut offset, size) = (0, seed.size());
    while offset < size {
        let data = match seed.next_data(offset) {
            Ok(Some(data)) if data.end > offset => data,
            Ok(None) => ByteRange { start: size, end: size },
            // Nobody can tell.
            _ => return Vec::new(),
        };
        holes.push(ByteRange { start: offset, end: data.start });
        offset = data.end;
    }
    holes
}

#[cfg(test)]
mod tests {
    use std::io;

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

        fn read_exact_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn next_data(&self, offset: u64) -> io::Result<Option<ByteRange>> {
            let next = self.data.iter().find(|data| data.end > offset);
            Ok(next.map(|data| ByteRange { start: data.start.max(offset), end: data.end }))
        }
    }

    const KIB: u64 = 1 << 10;

    fn parts(size: u64, data: &[(u64, u64)], block: u32, found: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let ranges =
            |of: &[(u64, u64)]| -> Vec<_> { of.iter().map(|&(start, end)| ByteRange { start, end }).collect() };
        let sparse = Sparse { size, data: ranges(data) };
        searched_parts(&sparse, block, &ranges(found)).iter().map(|part| (part.start, part.end)).collect()
    }

    #[test]
    fn holes_are_left_out_where_no_block_reaches_out_of_them() {
        let size = 900 * KIB;
        assert_eq!(parts(size, &[(0, size)], 100, &[]), [(0, size)]);
        assert_eq!(parts(size, &[], 100, &[]), [(size - 99, size)], "which are too few bytes for a block");
        let data = [(50, 60), (400 * KIB, 400 * KIB + 1), (402 * KIB, 600 * KIB), (800 * KIB, 900 * KIB)];
        let expected = [(0, 60), (400 * KIB - 99, 600 * KIB), (800 * KIB - 99, size)];
        assert_eq!(parts(size, &data, 100, &[]), expected);
        assert_eq!(parts(size, &data, 398 << 10, &[]), [(0, size)], "within a block of data nothing is");
    }

    #[test]
    fn ranges_of_a_seed_are_joined() {
        let found = [(1, 5, 2), (0, 20, 5), (1, 0, 3), (0, 10, 10), (0, 12, 3), (2, 0, 9)];
        let found = found.map(|(seed, start, len)| (SeedId(seed), ByteRange::at(start, len)));
        let expected = [vec![ByteRange::at(10, 15)], vec![ByteRange::at(0, 3), ByteRange::at(5, 2)]];
        assert_eq!(by_seed(2, found.into_iter()), expected);
    }

    #[test]
    fn what_was_found_is_left_out_but_not_what_reaches_into_it() {
        let size = 900 * KIB;
        let found = [(0, 100 * KIB), (200 * KIB, 201 * KIB), (300 * KIB, 400 * KIB), (900 * KIB, 900 * KIB)];
        let expected = [(100 * KIB - 99, 300 * KIB), (400 * KIB - 99, size)];
        assert_eq!(parts(size, &[(0, size)], 100, &found), expected);
        let data = [(0, 90 * KIB), (350 * KIB, size)];
        assert_eq!(parts(size, &data, 100, &found), [(400 * KIB - 99, size)], "and holes are");
    }
}
