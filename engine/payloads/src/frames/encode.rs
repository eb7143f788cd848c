//! Making a payload.

use std::io::{self, Write};

use gosync_chunks::frames::{FrameKind, FrameLengths, PayloadLayout};
use gosync_chunks::{ByteRange, Cancelled, Phase, Progress, ReadAt};
use gosync_work::in_order;

use super::earlier::Earlier;
use super::options::EncodeOptions;
use super::pack::Tables;
use super::piece::{Made, PieceEncoder};

/// A thread makes the frames of about as many bytes at once.
const PIECE: u64 = 1 << 20;

/// Why a payload was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The target cannot be read.
    #[error("the target cannot be read")]
    Read(#[source] io::Error),
    /// The payload cannot be written.
    #[error("the payload cannot be written")]
    Write(#[source] io::Error),
    /// The progress said to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Writes the frames of `range` of `target` to `out`, on all threads of the current rayon
/// pool. `range` begins and ends where coarse frames do, so that parts of a target can be
/// made one by one, or on several machines, and then put together: they are the same bytes.
///
/// # Errors
///
/// When the target cannot be read or the payload not be written, or `progress` cancels.
///
/// # Panics
///
/// When the range does not begin and end where coarse frames do.
pub fn encode(
    target: &dyn ReadAt,
    layout: &PayloadLayout,
    tables: &Tables,
    range: ByteRange,
    options: &EncodeOptions,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<FrameLengths, EncodeError> {
    let coarse = layout.frame_size(FrameKind::Coarse);
    let on_border = |at: u64| at.is_multiple_of(coarse) || at == layout.length();
    assert!(on_border(range.start) && on_border(range.end), "{range} is not made of coarse frames");
    progress.begin(Phase::Compress, range.len());

    let piece_len = PIECE.next_multiple_of(coarse);
    let refers = [FrameKind::Fine, FrameKind::Coarse].iter().any(|&kind| layout.region_len(kind) > 0);
    let mut earlier = None;
    let mut lengths = FrameLengths::default();
    for (number, span) in Earlier::spans(range) {
        if refers {
            earlier = Some(Earlier::learn(target, number, earlier).map_err(EncodeError::Read)?);
        }
        let encoder = || PieceEncoder::new(target, layout, tables, earlier.as_ref(), options);
        let mut next = span.start;
        in_order(
            encoder,
            |piece: &mut Piece| {
                piece.range = ByteRange { start: next, end: (next + piece_len).min(span.end) };
                next = piece.range.end;
                Ok::<_, EncodeError>(!piece.range.is_empty())
            },
            |encoder, piece| {
                progress.check()?;
                piece.made = encoder.encode(piece.range).map_err(EncodeError::Read)?;
                Ok(())
            },
            |piece| {
                let (frames, of_frames) = std::mem::take(&mut piece.made);
                out.write_all(&frames).map_err(EncodeError::Write)?;
                lengths.append(of_frames);
                progress.advance(Phase::Compress, piece.range.len());
                Ok(())
            },
        )?;
    }
    Ok(lengths)
}

/// What a thread makes at once.
#[derive(Default)]
struct Piece {
    range: ByteRange,
    made: Made,
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_files::LocalFile;
    use gosync_testkit::corpus;
    use std::io::{Seek, SeekFrom};

    fn parts(target: &[u8], layout: &PayloadLayout, borders: &[u64]) -> (Vec<u8>, FrameLengths) {
        let target = target.to_vec();
        let tables = Tables::train(&target, layout, 3).unwrap();
        let (mut out, mut lengths) = (Vec::new(), FrameLengths::default());
        for border in borders.windows(2) {
            let range = ByteRange { start: border[0], end: border[1] };
            lengths.append(encode(&target, layout, &tables, range, &EncodeOptions::default(), &mut out, &()).unwrap());
        }
        (out, lengths)
    }

    #[test]
    fn parts_make_up_the_whole() {
        let half = corpus::records64(1, 1_000_000);
        let target = [&half[..], b"!", &half].concat();
        let layout = PayloadLayout::new(2_000_001, 512, 4096).unwrap().with_prefixes(8000, 100_000).unwrap();
        let mut lengths = Vec::new();
        for layout in [layout, layout.with_regions(1024, 8192).unwrap()] {
            let whole = parts(&target, &layout, &[0, 2_000_001]);
            assert_eq!(whole.1.payload_len(), whole.0.len() as u64);
            for borders in [&[0, 4096, 4096, 1_024_000, 2_000_001][..], &[0, 0, 1_998_848, 2_000_001]] {
                assert!(parts(&target, &layout, borders) == whole, "{borders:?}");
            }
            lengths.push(whole.0.len());
        }
        assert!(lengths[0] < target.len());
        assert!(lengths[1] < lengths[0] * 55 / 100, "what is there twice is packed once: {lengths:?}");
        let nothing = PayloadLayout::new(0, 512, 4096).unwrap();
        assert_eq!(parts(&[], &nothing, &[0, 0]), (Vec::new(), FrameLengths::default()));
    }

    #[test]
    fn holes_are_not_read_and_make_no_difference() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sparse");
        let mut target = vec![0; 5 << 20 | 1];
        target[3 << 20..][..1000].copy_from_slice(&corpus::text(1, 1000));
        let mut file = std::fs::File::create(&path).unwrap();
        file.set_len(target.len() as u64).unwrap();
        file.seek(SeekFrom::Start(3 << 20)).unwrap();
        file.write_all(&target[3 << 20..][..1000]).unwrap();
        target[4 << 20..][..1000].copy_from_slice(&corpus::text(1, 1000));
        file.seek(SeekFrom::Start(4 << 20)).unwrap();
        file.write_all(&corpus::text(1, 1000)).unwrap();
        let layout = PayloadLayout::new(target.len() as u64, 512, 65_536).unwrap();
        let layout = layout.with_prefixes(4096, 65_536).unwrap().with_regions(512, 65_536).unwrap();
        let tables = Tables::train(&target, &layout, 3).unwrap();
        let encode = |target: &dyn ReadAt| {
            let mut out = Vec::new();
            let all = ByteRange::at(0, layout.length());
            let lengths = encode(target, &layout, &tables, all, &EncodeOptions::default(), &mut out, &()).unwrap();
            (out, lengths)
        };
        assert!(encode(&LocalFile::open(&path).unwrap()) == encode(&target));
    }

    #[test]
    fn says_what_went_wrong() {
        let layout = PayloadLayout::new(1000, 100, 100).unwrap();
        let all = ByteRange::at(0, 1000);
        let target = corpus::random(1, 1000);
        let tables = Tables::train(&target, &layout, 3).unwrap();
        let encode = |target: &Vec<u8>, out: &mut (dyn Write + Send), progress: &dyn Progress| {
            encode(target, &layout, &tables, all, &EncodeOptions::default(), out, progress).unwrap_err()
        };
        assert!(matches!(encode(&target[..999].to_vec(), &mut Vec::new(), &()), EncodeError::Read(_)));
        assert!(matches!(encode(&target, &mut [0u8; 10].as_mut_slice(), &()), EncodeError::Write(_)));
        struct Stop;
        impl Progress for Stop {
            fn is_cancelled(&self) -> bool {
                true
            }
        }
        assert!(matches!(encode(&target, &mut Vec::new(), &Stop), EncodeError::Cancelled(_)));
    }
}
