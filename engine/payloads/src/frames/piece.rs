//! The frames of a piece of a target.

use std::io;

use gosync_chunks::frames::{FrameKind, FrameLengths, PayloadLayout};
use gosync_chunks::{ByteRange, ReadAt};
use gosync_files::ReadBuffer;

use super::earlier::Earlier;
use super::frame::{FrameEncoder, is_one_byte};
use super::options::EncodeOptions;
use super::pack::{LARGEST, Packer, Tables};
use super::reference::write_distance;

/// What 64 KiB by themselves lack against one stream of the whole.
const COARSE_LEVELS: i32 = 2;

/// The frames of a piece, and how long each is.
pub(super) type Made = (Vec<u8>, FrameLengths);

/// Makes the frames of pieces, one after another. Holds what is costly to set up.
pub(super) struct PieceEncoder<'a> {
    target: &'a dyn ReadAt,
    layout: &'a PayloadLayout,
    tables: &'a Tables,
    /// Where frames refer to what comes before their prefixes.
    earlier: Option<&'a Earlier>,
    whole: u64,
    /// Where fine frames are small.
    packer: Option<Packer>,
    fine: FrameEncoder,
    coarse: FrameEncoder,
    input: ReadBuffer,
    region: Vec<u8>,
    before: Vec<u8>,
}

impl<'a> PieceEncoder<'a> {
    /// For pieces of `target`, of which it is known what stood `earlier`, if frames refer to it.
    pub(super) fn new(
        target: &'a dyn ReadAt,
        layout: &'a PayloadLayout,
        tables: &'a Tables,
        earlier: Option<&'a Earlier>,
        options: &EncodeOptions,
    ) -> Self {
        Self {
            target,
            layout,
            tables,
            earlier,
            whole: options.whole,
            packer: (layout.frame_size(FrameKind::Fine) <= LARGEST).then(|| Packer::new(layout, options.level)),
            fine: FrameEncoder::new(options.level),
            coarse: FrameEncoder::new(options.level + COARSE_LEVELS),
            input: ReadBuffer::default(),
            region: Vec::new(),
            before: Vec::new(),
        }
    }

    /// The frames of `piece`, which begins and ends where coarse ones do.
    pub(super) fn encode(&mut self, piece: ByteRange) -> io::Result<Made> {
        if self.target.next_data(piece.start)?.is_none_or(|data| data.start >= piece.end) {
            return Ok(self.hole(piece));
        }
        let layout = self.layout;
        let start = piece.start.saturating_sub(layout.longest_prefix());
        let mut buffer = std::mem::take(&mut self.input);
        let input = buffer.read(self.target, ByteRange { start, end: piece.end })?;
        if let Some(packer) = &mut self.packer {
            packer.begin(input, (piece.start - start) as usize);
        }
        let mut out = Vec::with_capacity(input.len());
        let mut lengths = FrameLengths::default();
        let mut add = |kind, number| {
            let before = out.len();
            self.add(kind, layout.frame(kind, number), input, start, &mut out)?;
            Ok::<_, io::Error>(out.len() - before)
        };
        for coarse in layout.frames_of(FrameKind::Coarse, piece) {
            lengths.coarse.push(add(FrameKind::Coarse, coarse)? as u32);
            for fine in layout.frames_of(FrameKind::Fine, layout.frame(FrameKind::Coarse, coarse)) {
                lengths.fine.push(add(FrameKind::Fine, fine)? as u16);
            }
        }
        self.input = buffer;
        Ok((out, lengths))
    }

    /// Appends to `out` the frame that makes `target`; `input` begins at `start` in the target.
    fn add(
        &mut self,
        kind: FrameKind,
        target: ByteRange,
        input: &[u8],
        start: u64,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let place = |range: ByteRange| (range.start - start) as usize..(range.end - start) as usize;
        let plain = &input[place(target)];
        let begin = out.len();
        if is_one_byte(plain) {
            out.push(plain[0]);
            return Ok(());
        }
        let distance = self.refer(kind, target.start, plain)?;
        let is_copy = distance > 0 && self.region.starts_with(plain);
        if self.layout.region_len(kind) > 0 {
            write_distance(distance, out);
        }
        if !is_copy {
            let block = out.len();
            match (kind, &mut self.packer) {
                (FrameKind::Fine, Some(packer)) => {
                    let refers = packer.pack(self.tables, input, place(target), &self.region, out);
                    if distance > 0 && !refers {
                        // It says so in fewer bytes.
                        out.splice(begin..block, [0]);
                    }
                }
                _ => {
                    let encoder = if kind == FrameKind::Fine { &mut self.fine } else { &mut self.coarse };
                    let prefix = &input[place(self.layout.prefix(kind, target.start))];
                    self.before.clear();
                    for part in [self.tables.preamble(), &self.region, prefix] {
                        self.before.extend_from_slice(part);
                    }
                    match encoder.encode_block(&self.before, plain) {
                        Some(block) => out.extend_from_slice(block),
                        None => out.extend_from_slice(plain),
                    }
                }
            }
        }
        // One byte alone would be that byte, over and over.
        if out.len() - begin >= plain.len() || out.len() - begin == 1 {
            out.truncate(begin);
            out.extend_from_slice(plain);
        }
        Ok(())
    }

    /// Reads the region that a frame is best made with, and returns how far back it begins;
    /// 0 where there is none.
    fn refer(&mut self, kind: FrameKind, start: u64, plain: &[u8]) -> io::Result<u64> {
        self.region.clear();
        let len = self.layout.region_len(kind);
        let Some(earlier) = self.earlier.filter(|_| len > 0) else { return Ok(0) };
        let end = (start - start % self.whole).min(self.layout.prefix(kind, start).start);
        let Some(same) = earlier.distance(plain, start, end) else { return Ok(0) };
        // The same bytes, or else as much before them as behind.
        let around = (same + (len - plain.len() as u64) / 2).min(start);
        for distance in [same, around] {
            let Some(region) = self.layout.region(kind, start, distance).filter(|region| region.end <= end) else {
                continue;
            };
            self.region.resize(len as usize, 0);
            self.target.read_exact_at(region.start, &mut self.region)?;
            if distance == around || self.region.starts_with(plain) {
                return Ok(distance);
            }
        }
        self.region.clear();
        Ok(0)
    }

    /// The frames of zeros, which are one byte each, whatever comes before them.
    fn hole(&self, piece: ByteRange) -> Made {
        let count = |kind| self.layout.frames_of(kind, piece).count();
        let (coarse, fine) = (count(FrameKind::Coarse), count(FrameKind::Fine));
        (vec![0; coarse + fine], FrameLengths { coarse: vec![1; coarse], fine: vec![1; fine] })
    }
}
