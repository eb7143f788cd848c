//! Making a payload.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use gosync_chunks::work::hand_out;
use gosync_chunks::{ByteRange, Phase, Progress, ReadAt, ReadBuffer};

use super::pack::{LARGEST, Packer};
use super::{Extents, FrameEncoder, FrameKind, PayloadLayout, Tables};

/// A thread makes the frames of about as many bytes at once.
const PIECE: u64 = 1 << 20;

/// What 64 KiB by themselves lack against one stream of the whole.
const COARSE_LEVELS: i32 = 2;

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// How hard to try, in zstd's levels, 1 to 15. Coarse frames, which take the least of the
    /// time, are made two levels higher.
    pub level: i32,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { level: 3 }
    }
}

/// How long the frames of a payload, or of a part of it, are, in the target's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameLengths {
    /// Bytes in each coarse frame.
    pub coarse: Vec<u32>,
    /// Bytes in each fine frame.
    pub fine: Vec<u16>,
}

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
    #[error("cancelled")]
    Cancelled,
}

impl FrameLengths {
    /// Adds what follows in the target.
    pub fn append(&mut self, mut next: Self) {
        self.coarse.append(&mut next.coarse);
        self.fine.append(&mut next.fine);
    }

    /// Length of the payload in bytes.
    pub fn payload_len(&self) -> u64 {
        let coarse: u64 = self.coarse.iter().map(|&len| u64::from(len)).sum();
        coarse + self.fine.iter().map(|&len| u64::from(len)).sum::<u64>()
    }

    /// Every frame of the payload of a whole target.
    ///
    /// # Panics
    ///
    /// When these are not the lengths of such a payload.
    pub fn extents(&self, layout: PayloadLayout) -> Extents {
        let mut extents = Extents::new(layout, self.payload_len());
        let mut at = 0;
        let mut insert = |kind, number, len: u64| {
            extents.insert(kind, number, ByteRange::at(at, len)).expect("lengths that encode gave");
            at += len;
        };
        for (number, &len) in (0..).zip(&self.coarse) {
            insert(FrameKind::Coarse, number, len.into());
            for fine in layout.frames_of(FrameKind::Fine, layout.frame(FrameKind::Coarse, number)) {
                insert(FrameKind::Fine, fine, self.fine[fine as usize].into());
            }
        }
        extents
    }
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

    let piece = PIECE.next_multiple_of(coarse);
    let pieces = (0..range.len().div_ceil(piece)).map(|number| {
        let start = range.start + number * piece;
        (number, ByteRange { start, end: (start + piece).min(range.end) })
    });
    let sequence = Mutex::new(Sequence { out, next: 0, waiting: BTreeMap::new(), lengths: FrameLengths::default() });
    let encoder = || PieceEncoder {
        layout,
        tables,
        packer: (layout.frame_size(FrameKind::Fine) <= LARGEST).then(|| Packer::new(layout, options.level)),
        fine: FrameEncoder::new(options.level),
        coarse: FrameEncoder::new(options.level + COARSE_LEVELS),
        input: ReadBuffer::default(),
        prefix: Vec::new(),
    };
    hand_out(pieces, encoder, |encoder, (number, range)| {
        if progress.is_cancelled() {
            return Err(EncodeError::Cancelled);
        }
        let made = encoder.encode(target, range).map_err(EncodeError::Read)?;
        sequence.lock().unwrap_or_else(PoisonError::into_inner).add(number, made).map_err(EncodeError::Write)?;
        progress.advance(Phase::Compress, range.len());
        Ok(())
    })?;
    Ok(sequence.into_inner().unwrap_or_else(PoisonError::into_inner).lengths)
}

/// The frames of a piece, and how long each is.
type Made = (Vec<u8>, FrameLengths);

/// Puts pieces that are ready at any time into their order.
struct Sequence<'a> {
    out: &'a mut (dyn Write + Send),
    next: u64,
    waiting: BTreeMap<u64, Made>,
    lengths: FrameLengths,
}

impl Sequence<'_> {
    fn add(&mut self, number: u64, made: Made) -> io::Result<()> {
        self.waiting.insert(number, made);
        while let Some((frames, lengths)) = self.waiting.remove(&self.next) {
            self.out.write_all(&frames)?;
            self.lengths.append(lengths);
            self.next += 1;
        }
        Ok(())
    }
}

struct PieceEncoder<'a> {
    layout: &'a PayloadLayout,
    tables: &'a Tables,
    /// Where fine frames are small.
    packer: Option<Packer>,
    fine: FrameEncoder,
    coarse: FrameEncoder,
    input: ReadBuffer,
    prefix: Vec<u8>,
}

impl PieceEncoder<'_> {
    fn encode(&mut self, target: &dyn ReadAt, piece: ByteRange) -> io::Result<Made> {
        if target.next_data(piece.start)?.is_none_or(|data| data.start >= piece.end) {
            return Ok(self.hole(piece));
        }
        let start = piece.start.saturating_sub(self.layout.longest_prefix());
        let input = self.input.read(target, ByteRange { start, end: piece.end })?;
        let place = |range: ByteRange| (range.start - start) as usize..(range.end - start) as usize;
        if let Some(packer) = &mut self.packer {
            packer.begin(input, place(piece).start);
        }
        let mut out = Vec::with_capacity(input.len());
        let mut lengths = FrameLengths::default();
        let mut add = |kind, number| {
            let frame = self.layout.frame(kind, number);
            let before = out.len();
            if kind == FrameKind::Fine
                && let Some(packer) = &mut self.packer
            {
                packer.pack(self.tables, input, place(frame), &mut out);
            } else {
                self.prefix.clear();
                self.prefix.extend_from_slice(self.tables.preamble());
                self.prefix.extend_from_slice(&input[place(self.layout.prefix(kind, frame.start))]);
                let encoder = match kind {
                    FrameKind::Fine => &mut self.fine,
                    FrameKind::Coarse => &mut self.coarse,
                };
                out.extend_from_slice(encoder.encode(&self.prefix, &input[place(frame)]));
            }
            out.len() - before
        };
        for coarse in self.layout.frames_of(FrameKind::Coarse, piece) {
            lengths.coarse.push(add(FrameKind::Coarse, coarse) as u32);
            for fine in self.layout.frames_of(FrameKind::Fine, self.layout.frame(FrameKind::Coarse, coarse)) {
                lengths.fine.push(add(FrameKind::Fine, fine) as u16);
            }
        }
        Ok((out, lengths))
    }

    /// The frames of zeros, which are one byte each, whatever comes before them.
    fn hole(&self, piece: ByteRange) -> Made {
        let count = |kind| self.layout.frames_of(kind, piece).count();
        let (coarse, fine) = (count(FrameKind::Coarse), count(FrameKind::Fine));
        (vec![0; coarse + fine], FrameLengths { coarse: vec![1; coarse], fine: vec![1; fine] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::LocalFile;
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
        let target = corpus::records64(1, 2_000_001);
        let layout = PayloadLayout::new(2_000_001, 512, 4096).unwrap().with_prefixes(8000, 100_000).unwrap();
        let whole = parts(&target, &layout, &[0, 2_000_001]);
        assert_eq!(whole.1.payload_len(), whole.0.len() as u64);
        assert!(whole.0.len() < target.len());
        for borders in [&[0, 4096, 4096, 1_024_000, 2_000_001][..], &[0, 0, 1_998_848, 2_000_001]] {
            assert!(parts(&target, &layout, borders) == whole, "{borders:?}");
        }
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
        let layout = PayloadLayout::new(target.len() as u64, 512, 65_536).unwrap().with_prefixes(4096, 65_536).unwrap();
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
        assert!(matches!(encode(&target, &mut Vec::new(), &Stop), EncodeError::Cancelled));
    }
}
