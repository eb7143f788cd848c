//! The tables that all small frames of a target share.

use std::io;

use gosync_chunks::frames::{FrameKind, PayloadLayout};
use gosync_chunks::{ByteRange, ReadAt};

use super::codes::{LITERAL_LENGTHS, MATCH_LENGTHS, OFFSETS};
use super::fse::Fse;
use super::huffman::Huffman;
use super::matches::Matcher;
use super::sequence::{FIRST_OFFSETS, Parsed, coded};
use crate::frames::frame::LEAST_CONTENT;

/// What a zstd dictionary begins with, and an identity that is free for private use.
const MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];
const IDENTITY: u32 = 32_768;

/// So many coarse frames, evenly spread, tell what the rest is like.
const SAMPLES: u64 = 48;

/// Codes for literals, lengths and offsets, made for one target.
#[derive(Clone, Debug)]
pub struct Tables {
    pub(super) literals: Huffman,
    pub(super) literal_lengths: Fse,
    pub(super) match_lengths: Fse,
    pub(super) offsets: Fse,
    preamble: Vec<u8>,
}

impl Tables {
    /// Tables for `target`, made from samples of it: always the same for the same level.
    ///
    /// # Errors
    ///
    /// When the target cannot be read.
    pub fn train(target: &dyn ReadAt, layout: &PayloadLayout, level: i32) -> io::Result<Self> {
        let mut statistics = Statistics::default();
        let coarse = layout.frame_count(FrameKind::Coarse);
        let step = coarse.div_ceil(SAMPLES).max(1);
        let mut matcher = Matcher::new(layout, level);
        let mut data = Vec::new();
        // From the middle of each stretch, where the prefix is there too.
        for number in (0..coarse).skip((step / 2) as usize).step_by(step as usize) {
            let sample = layout.frame(FrameKind::Coarse, number);
            let read = ByteRange { start: layout.prefix(FrameKind::Fine, sample.start).start, end: sample.end };
            data.resize(read.len() as usize, 0);
            target.read_exact_at(read.start, &mut data)?;
            matcher.begin(&data, (sample.start - read.start) as usize);
            for fine in layout.frames_of(FrameKind::Fine, sample) {
                let frame = layout.frame(FrameKind::Fine, fine);
                let range = (frame.start - read.start) as usize..(frame.end - read.start) as usize;
                statistics.add(matcher.parse(&data, range, &[]));
            }
        }
        Ok(Self::new(&statistics))
    }

    /// The zstd dictionary that has the tables, to be put before each frame's prefix.
    pub fn preamble(&self) -> &[u8] {
        &self.preamble
    }

    fn new(statistics: &Statistics) -> Self {
        // What a sample does not have may come all the same.
        let table = |counts: &[u32], log| Fse::new(&counts.iter().map(|count| count * 8 + 1).collect::<Vec<_>>(), log);
        let literals = Huffman::new(&statistics.literals);
        let literal_lengths = table(&statistics.literal_lengths, 9);
        let match_lengths = table(&statistics.match_lengths, 9);
        let offsets = table(&statistics.offsets, 8);
        let mut preamble = MAGIC.to_vec();
        preamble.extend(IDENTITY.to_le_bytes());
        literals.describe(&mut preamble);
        for table in [&offsets, &match_lengths, &literal_lengths] {
            table.describe(&mut preamble);
        }
        preamble.extend(FIRST_OFFSETS.iter().flat_map(|offset| offset.to_le_bytes()));
        preamble.extend(LEAST_CONTENT);
        Self { literals, literal_lengths, match_lengths, offsets, preamble }
    }
}

/// How often each code came.
struct Statistics {
    literals: [u32; 256],
    literal_lengths: [u32; LITERAL_LENGTHS],
    match_lengths: [u32; MATCH_LENGTHS],
    offsets: [u32; OFFSETS],
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            literals: [0; 256],
            literal_lengths: [0; LITERAL_LENGTHS],
            match_lengths: [0; MATCH_LENGTHS],
            offsets: [0; OFFSETS],
        }
    }
}

impl Statistics {
    fn add(&mut self, parsed: &Parsed) {
        for byte in &parsed.literals {
            self.literals[usize::from(*byte)] += 1;
        }
        for sequence in coded(&parsed.sequences) {
            self.literal_lengths[usize::from(sequence.literals.symbol)] += 1;
            self.match_lengths[usize::from(sequence.length.symbol)] += 1;
            self.offsets[usize::from(sequence.offset.symbol)] += 1;
        }
    }
}
