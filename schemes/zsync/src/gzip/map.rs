//! Which compressed bits hold which bytes of the target: `Z-Map2`.

use crate::ControlError;

/// A place where a block of deflate begins, or a place within one, in the compressed file
/// and in what comes out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Bits from the compressed file's beginning.
    pub(crate) bits: u64,
    /// Bytes from the target's beginning.
    pub(crate) bytes: u64,
    /// Whether a block begins there.
    pub(crate) is_start: bool,
}

/// The map of a gzip file, from its header on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMap {
    points: Vec<Point>,
}

/// Marks an entry that is within a block.
const WITHIN: u16 = 0x8000;

impl BlockMap {
    /// Bytes in an entry.
    pub(crate) const ENTRY_LEN: usize = 4;

    /// Reads the entries of a map into a target of `length` bytes.
    pub(crate) fn read(entries: &[u8], length: u64) -> Result<Self, ControlError> {
        let (mut bits, mut bytes) = (0, 0);
        let mut points = Vec::with_capacity(entries.len() / Self::ENTRY_LEN);
        let (entries, _) = entries.as_chunks();
        for &[a, b, c, d] in entries {
            let (more_bits, more_bytes) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            bits += u64::from(more_bits);
            bytes += u64::from(more_bytes & !WITHIN);
            if bytes > length {
                return Err(ControlError::BlockMap { what: "it reaches further than the target" });
            }
            points.push(Point { bits, bytes, is_start: more_bytes & WITHIN == 0 });
        }
        Ok(Self { points })
    }

    /// The map through `points`, which ascend and are near enough to each other.
    pub(crate) fn new(points: Vec<Point>) -> Self {
        Self { points }
    }

    /// In the order of the file.
    #[cfg(test)]
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Appends the line of the header, and the entries.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("Z-Map2: {}\n", self.points.len()).as_bytes());
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
        let entries = written.strip_prefix(b"Z-Map2: 3\n").unwrap();
        assert_eq!(entries, [0, 80, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 1, 0x7f, 0xff]);
        assert_eq!(BlockMap::read(entries, 65_534).unwrap(), map);
        assert!(BlockMap::read(entries, 65_533).is_err());
    }
}
