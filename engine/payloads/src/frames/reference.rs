//! How a frame says what it has in common with bytes further back.

use gosync_chunks::ByteRange;
use gosync_chunks::frames::{FrameKind, PayloadLayout};

use super::frame::FrameError;

/// A frame that is neither stored nor one byte over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// The bytes of the target that are at hand beside the prefix.
    pub(super) region: Option<ByteRange>,
    /// What the frame is made of; if that is nothing, it is how the region begins.
    pub(super) block: &'a [u8],
}

impl<'a> Reference<'a> {
    /// What `frame`, which makes `target`, says; nothing where it is no such frame, or
    /// `layout` has frames say nothing.
    pub(super) fn read(
        layout: &PayloadLayout,
        kind: FrameKind,
        target: ByteRange,
        frame: &'a [u8],
    ) -> Result<Option<Self>, FrameError> {
        if layout.region_len(kind) == 0 || frame.len() == 1 || frame.len() as u64 >= target.len() {
            return Ok(None);
        }
        let (distance, block) = read_distance(frame).ok_or(FrameError::Corrupt("it says no distance"))?;
        let region = match distance {
            0 => None,
            _ => {
                let region = layout.region(kind, target.start, distance);
                Some(region.ok_or(FrameError::Corrupt("it refers to what does not come before it"))?)
            }
        };
        if region.is_none() && block.is_empty() {
            return Err(FrameError::Corrupt("it is empty"));
        }
        Ok(Some(Self { region, block }))
    }
}

/// Appends `distance`: seven bits in each byte, from the lowest, and a high bit where more follow.
pub(super) fn write_distance(mut distance: u64, out: &mut Vec<u8>) {
    while distance >= 0x80 {
        out.push(distance as u8 | 0x80);
        distance >>= 7;
    }
    out.push(distance as u8);
}

/// Undoes [`write_distance`], and returns what follows. None has more than nine bytes.
fn read_distance(frame: &[u8]) -> Option<(u64, &[u8])> {
    let len = frame.iter().take(9).position(|byte| byte & 0x80 == 0)? + 1;
    let (bytes, rest) = frame.split_at(len);
    Some((bytes.iter().rev().fold(0, |distance, byte| distance << 7 | u64::from(byte & 0x7f)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_round_trip() {
        for distance in (0..63).flat_map(|bits| [(1u64 << bits) - 1, 1 << bits, (1 << bits) + 1]) {
            let mut bytes = Vec::new();
            write_distance(distance, &mut bytes);
            assert_eq!(bytes.len(), (u64::BITS - distance.leading_zeros()).div_ceil(7).max(1) as usize);
            bytes.extend(b"rest");
            assert_eq!(read_distance(&bytes), Some((distance, &b"rest"[..])));
        }
        for bad in [&[][..], &[0x80], &[0xff; 9], &[0xff; 20]] {
            assert_eq!(read_distance(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_region_comes_before_the_prefix() {
        let layout = PayloadLayout::new(10_000, 100, 1000).unwrap().with_prefixes(500, 0).unwrap();
        let with = layout.with_regions(200, 0).unwrap();
        let target = ByteRange::at(5000, 100);
        let read = |layout, distance, rest: &[u8]| {
            let mut frame = Vec::new();
            write_distance(distance, &mut frame);
            frame.extend(rest);
            let read = Reference::read(layout, FrameKind::Fine, target, &frame);
            read.map(|read| read.map(|read| (read.region, read.block.to_vec()))).map_err(|error| error.to_string())
        };
        let at = |start| Some(ByteRange::at(start, 200));
        assert_eq!(read(&with, 0, b"ab"), Ok(Some((None, b"ab".to_vec()))));
        assert_eq!(read(&with, 700, b"ab"), Ok(Some((at(4300), b"ab".to_vec()))));
        assert_eq!(read(&with, 5000, b""), Ok(Some((at(0), Vec::new()))));
        assert_eq!(read(&with, 699, &[7; 98]), Ok(None), "it is stored");
        assert_eq!(read(&layout, 700, b"ab"), Ok(None), "no frame says anything");
        for distance in [1, 699, 5001, u64::MAX >> 2] {
            assert!(read(&with, distance, b"ab").is_err(), "{distance}");
        }
        assert_eq!(read(&with, 0, b""), Ok(None), "that is a byte over and over");
    }
}
