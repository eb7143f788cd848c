//! Which compressed bits hold which bytes of the target, as the `Z-Map2` of zsync has it.

use std::ops::Range;

use gosync_blocksources::ranges::RangeSet;
use gosync_chunks::ByteRange;

/// A place where a block of deflate begins, or a place within one, in the compressed file
/// and in what comes out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Bits from the compressed file's beginning.
    pub bits: u64,
    /// Bytes from the target's beginning.
    pub bytes: u64,
    /// Whether a block begins there.
    pub is_start: bool,
}

/// A map that reaches further than its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it reaches further than the target")]
pub struct MapError;

/// The map of a gzip file, from its header on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMap {
    points: Vec<Point>,
}

/// What is decoded in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first point, and the last.
    pub points: Range<usize>,
    /// The point at which the block begins that the first one is within.
    pub block: Option<usize>,
}

/// Bytes at a block's beginning that are fetched for its header: hardly any is longer, and
/// then the rest is fetched by itself. zsync always fetches 201.
const USUAL_HEADER: u64 = 160;

/// Bytes behind the last block: a checksum and a length.
const TRAILER: u64 = 8;

/// Marks an entry that is within a block.
const WITHIN: u16 = 0x8000;

impl BlockMap {
    /// Bytes in an entry.
    pub const ENTRY_LEN: usize = 4;

    /// Reads the entries of a map into a target of `length` bytes.
    ///
    /// # Errors
    ///
    /// When it reaches further than the target.
    pub fn read(entries: &[u8], length: u64) -> Result<Self, MapError> {
        let (mut bits, mut bytes) = (0, 0);
        let mut points = Vec::with_capacity(entries.len() / Self::ENTRY_LEN);
        let (entries, _) = entries.as_chunks();
        for &[a, b, c, d] in entries {
            let (more_bits, more_bytes) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            bits += u64::from(more_bits);
            bytes += u64::from(more_bytes & !WITHIN);
            if bytes > length {
                return Err(MapError);
            }
            points.push(Point { bits, bytes, is_start: more_bytes & WITHIN == 0 });
        }
        Ok(Self { points })
    }

    /// The map through `points`, which ascend and are near enough to each other.
    pub fn new(points: Vec<Point>) -> Self {
        Self { points }
    }

    /// In the order of the file.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Length of the gzip file in bytes, if it has nothing besides what is mapped.
    pub fn file_len(&self) -> u64 {
        self.points.last().map_or(0, |last| last.bits.div_ceil(8) + TRAILER)
    }

    /// Whether every byte of a target of `length` bytes is between two points.
    pub fn is_whole(&self, length: u64) -> bool {
        self.points.first().is_some_and(|first| first.bytes == 0 && first.is_start)
            && self.points.last().is_some_and(|last| last.bytes == length)
    }

    /// What has to be decoded for `ranges` of the target, which ascend and which the map has.
    pub fn runs(&self, ranges: &[ByteRange]) -> Vec<Run> {
        let starts: Vec<usize> = (0..self.points.len()).filter(|&at| self.points[at].is_start).collect();
        let mut runs: Vec<Run> = Vec::new();
        for range in ranges.iter().filter(|range| !range.is_empty()) {
            let first = self.points.partition_point(|point| point.bytes <= range.start).saturating_sub(1);
            let last = self.points.partition_point(|point| point.bytes < range.end).min(self.points.len() - 1);
            match runs.last_mut() {
                Some(run) if first <= run.points.end => run.points.end = run.points.end.max(last),
                _ => {
                    let begun = starts.partition_point(|&start| start <= first).checked_sub(1).map(|at| starts[at]);
                    runs.push(Run { points: first..last, block: begun.filter(|&block| block != first) });
                }
            }
        }
        runs
    }

    /// The bytes of the compressed file that `runs` need. Of a block that a run begins in
    /// the middle of, that is the beginning, too.
    pub fn compressed(&self, runs: &[Run]) -> RangeSet {
        let headers = runs.iter().filter_map(|run| run.block).map(|block| self.header_bytes(block));
        runs.iter().map(|run| self.bytes(run.points.clone())).chain(headers).collect()
    }

    /// Those of its bytes that likely have the whole header of the block that begins at the
    /// point `block`.
    pub(super) fn header_bytes(&self, block: usize) -> ByteRange {
        let segment = self.segment(block);
        ByteRange { end: segment.end.min(segment.start + USUAL_HEADER), ..segment }
    }

    /// The compressed bytes from the point at `block` to the next.
    pub(super) fn segment(&self, block: usize) -> ByteRange {
        self.bytes(block..block + 1)
    }

    /// The compressed bytes from one point to another, the first and the last not
    /// necessarily whole.
    pub(super) fn bytes(&self, points: Range<usize>) -> ByteRange {
        let (first, last) = (self.points[points.start], self.points[points.end]);
        ByteRange { start: first.bits / 8, end: last.bits.div_ceil(8) }
    }

    /// Appends the entries, [`ENTRY_LEN`](Self::ENTRY_LEN) bytes for each of the points.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (mut bits, mut bytes) = (0, 0);
        for point in &self.points {
            let within = if point.is_start { 0 } else { WITHIN };
            out.extend(((point.bits - bits) as u16).to_be_bytes());
            out.extend(((point.bytes - bytes) as u16 | within).to_be_bytes());
            (bits, bytes) = (point.bits, point.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let point = |bits, bytes, is_start| Point { bits, bytes, is_start };
        let map = BlockMap::new(vec![point(80, 0, true), point(65_615, 32_767, false), point(65_616, 65_534, true)]);
        let mut written = Vec::new();
        map.write(&mut written);
        assert_eq!(written, [0, 80, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 1, 0x7f, 0xff]);
        assert_eq!(BlockMap::read(&written, 65_534).unwrap(), map);
        assert!(BlockMap::read(&written, 65_533).is_err());
    }

    #[test]
    fn what_is_needed_for_a_range() {
        let point = |bits, bytes, is_start| Point { bits, bytes, is_start };
        let map = BlockMap::new(vec![
            point(80, 0, true),
            point(8003, 1000, false),
            point(16_001, 2000, false),
            point(24_000, 3000, true),
            // An empty block.
            point(24_005, 3000, true),
            point(24_805, 4000, false),
            point(32_000, 5000, true),
        ]);
        assert!(map.is_whole(5000) && !map.is_whole(5001) && !BlockMap::new(vec![]).is_whole(0));
        assert_eq!(map.file_len(), 4008);
        let range = |start, end| ByteRange { start, end };
        for (wanted, expected, compressed) in [
            (vec![range(0, 1)], vec![(0..1, None)], vec![range(10, 1001)]),
            (vec![range(999, 1001)], vec![(0..2, None)], vec![range(10, 2001)]),
            (vec![range(1000, 2000)], vec![(1..2, Some(0))], vec![range(10, 170), range(1000, 2001)]),
            (vec![range(2000, 3001)], vec![(2..5, Some(0))], vec![range(10, 170), range(2000, 3101)]),
            (vec![range(3000, 3001)], vec![(4..5, None)], vec![range(3000, 3101)]),
            // A header is no longer than what is before the next point.
            (vec![range(4500, 4501)], vec![(5..6, Some(4))], vec![range(3000, 4000)]),
            // What touches is one run, and a header that came is not fetched again.
            (vec![range(5, 10), range(1005, 1010)], vec![(0..2, None)], vec![range(10, 2001)]),
            (
                vec![range(5, 10), range(2005, 2010), range(2010, 2010)],
                vec![(0..1, None), (2..3, Some(0))],
                vec![range(10, 1001), range(2000, 3000)],
            ),
        ] {
            let runs = map.runs(&wanted);
            let found: Vec<_> = runs.iter().map(|run| (run.points.clone(), run.block)).collect();
            assert_eq!(found, expected, "{wanted:?}");
            assert_eq!(map.compressed(&runs).iter().collect::<Vec<_>>(), compressed, "{wanted:?}");
        }
    }
}
