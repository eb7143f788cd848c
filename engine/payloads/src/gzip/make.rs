//! Compressing a target so that clients can fetch parts of it.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use gosync_chunks::{ByteRange, Progress, ReadAt};
use gosync_files::ReadBuffer;

use super::map::{BlockMap, Point};

/// What a gzip file without a name and date begins with, made at best effort on Unix.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3];

/// The most bytes between two places of the map: it counts bits in 16 of them, and what
/// cannot be compressed takes a few more.
const MOST: u32 = 6 << 10;

/// Writes `data` as a gzip file whose blocks end where blocks of `block_size` do, or near
/// that, and tells where that is.
///
/// # Errors
///
/// When `data` cannot be read or `out` not be written; [`io::ErrorKind::Interrupted`] when
/// `progress` cancels.
pub fn compress(
    data: &dyn ReadAt,
    block_size: u32,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> io::Result<BlockMap> {
    // As many blocks as fit, or else a part of one.
    let span = if block_size > MOST { 1 << MOST.ilog2() } else { MOST - MOST % block_size };
    let mut deflater = Compress::new(Compression::best(), false);
    let mut crc = Crc::new();
    let mut buffer = ReadBuffer::default();
    let mut compressed = Vec::with_capacity(2 * MOST as usize);
    let mut points = Vec::new();
    let mut bits = HEADER.len() as u64 * 8;
    out.write_all(&HEADER)?;

    let size = data.size();
    let mut start = 0;
    loop {
        if progress.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        points.push(Point { bits, bytes: start, is_start: true });
        let len = (size - start).min(span.into());
        let piece = buffer.read(data, ByteRange::at(start, len))?;
        crc.update(piece);
        let is_last = start + len == size;
        compressed.clear();
        deflate(&mut deflater, piece, is_last, &mut compressed)?;
        out.write_all(&compressed)?;
        bits += compressed.len() as u64 * 8;
        start += len;
        if is_last {
            break;
        }
    }
    if size > 0 {
        points.push(Point { bits, bytes: size, is_start: true });
    }
    out.write_all(&crc.sum().to_le_bytes())?;
    out.write_all(&(size as u32).to_le_bytes())?;
    Ok(BlockMap::new(points))
}

/// Appends all that `piece` compresses to, up to a whole byte.
fn deflate(deflater: &mut Compress, mut piece: &[u8], is_last: bool, out: &mut Vec<u8>) -> io::Result<()> {
    let flush = if is_last { FlushCompress::Finish } else { FlushCompress::Sync };
    loop {
        out.reserve(MOST as usize);
        let before = deflater.total_in();
        let status = deflater.compress_vec(piece, out, flush).map_err(io::Error::other)?;
        piece = &piece[(deflater.total_in() - before) as usize..];
        let is_done = match status {
            Status::StreamEnd => true,
            _ => !is_last && piece.is_empty() && out.len() < out.capacity(),
        };
        if is_done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::corpus;
    use std::io::Read;

    #[test]
    fn every_place_of_the_map_is_the_end_of_a_block() {
        for (data, block_size) in [
            (vec![], 2048),
            (corpus::text(1, 1), 2048),
            (corpus::text(2, 6144), 2048),
            (corpus::text(3, 100_000), 1024),
            (corpus::random(4, 50_001), 4096),
            (corpus::zeros(60_000), 65_536),
        ] {
            let mut gzip = Vec::new();
            let map = compress(&data, block_size, &mut gzip, &()).unwrap();
            let mut out = Vec::new();
            flate2::read::GzDecoder::new(gzip.as_slice()).read_to_end(&mut out).unwrap();
            assert!(out == data);
            for pair in map.points().windows(2) {
                let (bits, bytes) = (pair[1].bits - pair[0].bits, pair[1].bytes - pair[0].bytes);
                assert!(bits <= u16::MAX.into() && bytes < 1 << 15, "{bits} bits, {bytes} bytes");
                // Up to there, what stands before is all that comes out.
                let mut part = Vec::new();
                let end = (pair[1].bits / 8) as usize;
                let mut inflater = flate2::read::DeflateDecoder::new(&gzip[HEADER.len()..end]);
                let _ = inflater.read_to_end(&mut part);
                assert!(part == data[..pair[1].bytes as usize], "{} of {}", part.len(), pair[1].bytes);
            }
        }
    }
}
