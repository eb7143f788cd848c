//! One frame: the contents of one zstd block.

use zstd_safe::{CCtx, DCtx};

/// The least that zstd takes for the contents of a dictionary.
pub(super) const LEAST_CONTENT: [u8; 8] = [0; 8];

/// What every zstd frame begins with (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Length of a zstd block's header.
const BLOCK_HEADER: usize = 3;

/// Levels above this cut what is in a frame into several blocks.
pub(super) const MAX_LEVEL: i32 = 15;

/// A frame that cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes are not those of a frame of this length.
    #[error("a frame does not decompress: {0}")]
    Corrupt(&'static str),
}

/// Makes frames. Holds zstd's tables, so one serves many frames.
pub struct FrameEncoder {
    context: CCtx<'static>,
    level: i32,
    buffer: Vec<u8>,
}

impl FrameEncoder {
    /// Compresses at `level`, 1 to 15.
    pub fn new(level: i32) -> Self {
        Self { context: CCtx::create(), level: level.clamp(1, MAX_LEVEL), buffer: Vec::new() }
    }

    /// The frame for `plain`, which is not empty, with `prefix` (the preamble and the
    /// bytes before it) at hand. It may be `plain` itself.
    pub fn encode<'a>(&'a mut self, prefix: &[u8], plain: &'a [u8]) -> &'a [u8] {
        if is_one_byte(plain) {
            return &plain[..1];
        }
        match self.encode_block(prefix, plain) {
            Some(block) if block.len() > 1 && block.len() < plain.len() => block,
            _ => plain,
        }
    }

    /// The contents of the zstd block for `plain`, if it makes one.
    pub(super) fn encode_block(&mut self, prefix: &[u8], plain: &[u8]) -> Option<&[u8]> {
        self.buffer.clear();
        self.buffer.reserve(zstd_safe::compress_bound(plain.len()));
        self.context.compress_using_dict(&mut self.buffer, plain, prefix, self.level).ok()?;
        only_block(&self.buffer)
    }
}

/// Whether `plain` is one byte, over and over.
pub(super) fn is_one_byte(plain: &[u8]) -> bool {
    plain.len() > 1 && plain[1..] == plain[..plain.len() - 1]
}

/// Undoes [`FrameEncoder`].
pub struct FrameDecoder {
    context: DCtx<'static>,
    framed: Vec<u8>,
    plain: Vec<u8>,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self { context: DCtx::create(), framed: Vec::new(), plain: Vec::new() }
    }
}

impl FrameDecoder {
    /// The `len` bytes that `frame` makes with `prefix` at hand. They may be `frame` itself.
    ///
    /// # Errors
    ///
    /// When it makes other than `len` bytes, or none.
    pub fn decode<'a>(&'a mut self, prefix: &[u8], frame: &'a [u8], len: usize) -> Result<&'a [u8], FrameError> {
        if frame.len() == len {
            return Ok(frame);
        }
        self.plain.clear();
        match frame {
            [] => return Err(FrameError::Corrupt("it is empty")),
            [byte] => self.plain.resize(len, *byte),
            _ if frame.len() > len => return Err(FrameError::Corrupt("it is longer than what it makes")),
            _ => return self.decode_block(prefix, frame, len),
        }
        Ok(&self.plain)
    }

    /// The `len` bytes that the contents of one zstd block make with `prefix` at hand.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    pub(super) fn decode_block(&mut self, prefix: &[u8], block: &[u8], len: usize) -> Result<&[u8], FrameError> {
        with_headers(block, len, &mut self.framed);
        self.plain.clear();
        self.plain.reserve(len);
        let made = self.context.decompress_using_dict(&mut self.plain, &self.framed, prefix);
        let made = made.map_err(|code| FrameError::Corrupt(zstd_safe::get_error_name(code)))?;
        if made != len {
            return Err(FrameError::Corrupt("it makes another number of bytes"));
        }
        Ok(&self.plain)
    }
}

/// The contents of the block of a zstd frame that has one compressed block.
fn only_block(framed: &[u8]) -> Option<&[u8]> {
    let descriptor = *framed.get(4)?;
    let single_segment = descriptor >> 5 & 1 != 0;
    let window = usize::from(!single_segment);
    let dictionary_id = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size = [usize::from(single_segment), 2, 4, 8][usize::from(descriptor >> 6)];
    let block = framed.get(5 + window + dictionary_id + content_size..)?;
    let header = u32::from_le_bytes([*block.first()?, *block.get(1)?, *block.get(2)?, 0]);
    let (is_last, kind, size) = (header & 1 != 0, header >> 1 & 3, header >> 3);
    let contents = block.get(BLOCK_HEADER..)?;
    (is_last && kind == 2 && contents.len() == size as usize).then_some(contents)
}

/// Puts before a block's contents what zstd wants there: a frame of a single segment,
/// so that its window and its memory are `len` bytes, and of one compressed block.
fn with_headers(block: &[u8], len: usize, framed: &mut Vec<u8>) {
    framed.clear();
    framed.extend(MAGIC);
    match len {
        0..256 => framed.extend([0x20, len as u8]),
        256..65_792 => {
            framed.push(0x60);
            framed.extend(((len - 256) as u16).to_le_bytes());
        }
        _ => {
            framed.push(0xa0);
            framed.extend((len as u32).to_le_bytes());
        }
    }
    let header = 1 | 2 << 1 | (block.len() as u32) << 3;
    framed.extend(&header.to_le_bytes()[..BLOCK_HEADER]);
    framed.extend(block);
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::{Random, corpus};

    #[test]
    fn round_trips_at_every_boundary() {
        for (name, data) in corpus::all(1, 300_000) {
            for level in [1, 9] {
                let mut encoder = FrameEncoder::new(level);
                let mut decoder = FrameDecoder::default();
                for len in [1, 2, 3, 255, 256, 257, 65_791, 65_792, 131_072] {
                    let prefix = [&LEAST_CONTENT, &data[..100_000]].concat();
                    let plain = &data[100_000..100_000 + len];
                    let frame = encoder.encode(&prefix, plain).to_vec();
                    assert!(frame.len() <= len, "{name} {len}");
                    assert!(decoder.decode(&prefix, &frame, len).unwrap() == plain, "{name} {len} at {level}");
                }
            }
        }
    }

    #[test]
    fn a_prefix_pays() {
        let data = corpus::random(1, 2000);
        let prefix = [&LEAST_CONTENT[..], &data].concat();
        let mut encoder = FrameEncoder::new(3);
        assert!(encoder.encode(&prefix, &data[500..1500]).len() < 50);
        assert_eq!(encoder.encode(&LEAST_CONTENT, &data[500..1500]), &data[500..1500]);
        assert_eq!(encoder.encode(&LEAST_CONTENT, &[7; 1000]), [7]);
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        let data = corpus::text(1, 4000);
        let prefix = [&LEAST_CONTENT[..], &data[..2000]].concat();
        let frame = FrameEncoder::new(3).encode(&prefix, &data[2000..]).to_vec();
        let mut decoder = FrameDecoder::default();
        for (frame, len) in [(&frame[..0], 2000), (&frame, 1999), (&frame, 2001), (&frame, 20), (&frame, 100_000)] {
            assert!(decoder.decode(&prefix, frame, len).is_err(), "{} of {len}", frame.len());
        }
        assert!(decoder.decode(&prefix, &frame[..frame.len() - 1], 2000).is_err());
        let mut random = Random::new(1);
        for _ in 0..2000 {
            let mut wrong = frame.clone();
            wrong[random.below(frame.len())] ^= 1 << random.below(8);
            if let Ok(plain) = decoder.decode(&prefix, &wrong, 2000) {
                assert_eq!(plain.len(), 2000);
            }
        }
        assert!(decoder.decode(&prefix, &frame, 2000).unwrap() == &data[2000..], "and it can be used on");
    }
}
