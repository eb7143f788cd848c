//! How a target is cut into frames, twice.

use crate::block::ByteRange;

/// The most bytes that a frame may make: what zstd puts into one block.
const MAX_FRAME: u32 = 128 << 10;

/// The longest prefix: a reader holds this much for each thread.
const MAX_PREFIX: u32 = 4 << 20;

/// So many bytes beside a frame's own a reader takes up for it in any case, and so many more for
/// each byte that it makes: all that a frame can have it copy, whoever made the payload.
const WORK: u64 = 256 << 10;
const WORK_PER_BYTE: u64 = 64;

/// The two sizes of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrameKind {
    /// For scattered changes.
    Fine,
    /// For where nothing matches.
    Coarse,
}

/// How a target is cut into frames: every byte is in one coarse and in one fine frame.
///
/// The payload has, for each coarse frame in the target's order, the coarse frame and
/// then the fine frames of the same bytes, with nothing between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadLayout {
    length: u64,
    fine: Sizes,
    coarse: Sizes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    frame: u32,
    prefix: u32,
    region: u32,
}

/// Why sizes make no layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadLayoutError {
    /// A frame is empty or too large.
    #[error("frames of {0} bytes are not between 1 and {MAX_FRAME}, or fine ones not below 65536")]
    Frame(u32),
    /// Coarse frames are not cut where fine ones are.
    #[error("coarse frames of {coarse} bytes are no multiple of fine ones of {fine}")]
    Nesting {
        /// Bytes in a coarse frame.
        coarse: u32,
        /// Bytes in a fine frame.
        fine: u32,
    },
    /// A prefix is too long.
    #[error("a prefix or a region of {0} bytes is over {MAX_PREFIX}")]
    Prefix(u32),
    /// A frame would have more read for it than it is worth.
    #[error(
        "a prefix and a region of {around} bytes are over {WORK} and {WORK_PER_BYTE} for each of the {frame} of a frame"
    )]
    Work {
        /// Bytes in prefix and region.
        around: u64,
        /// Bytes in a frame.
        frame: u32,
    },
    /// A region is shorter than the frames that may be copies of one.
    #[error("a region of {region} bytes is shorter than a frame of {frame}")]
    Region {
        /// Bytes in a region.
        region: u32,
        /// Bytes in a frame.
        frame: u32,
    },
}

impl PayloadLayout {
    /// Cuts `length` bytes into frames of `fine` and of `coarse` bytes; only the last of
    /// each may be shorter.
    ///
    /// # Errors
    ///
    /// When a frame is empty, a fine one has over 65,535 bytes or a coarse one over 128
    /// KiB, or the coarse size is no multiple of the fine one.
    pub fn new(length: u64, fine: u32, coarse: u32) -> Result<Self, PayloadLayoutError> {
        if fine == 0 || fine > u16::MAX.into() {
            return Err(PayloadLayoutError::Frame(fine));
        }
        if coarse == 0 || coarse > MAX_FRAME {
            return Err(PayloadLayoutError::Frame(coarse));
        }
        if !coarse.is_multiple_of(fine) {
            return Err(PayloadLayoutError::Nesting { coarse, fine });
        }
        let sizes = |frame| Sizes { frame, prefix: 0, region: 0 };
        Ok(Self { length, fine: sizes(fine), coarse: sizes(coarse) })
    }

    /// With so many bytes before a frame at hand for it, if there are as many.
    ///
    /// # Errors
    ///
    /// When one is over 4 MiB, or, with the region, over 256 KiB and 64 bytes for each byte of a frame.
    pub fn with_prefixes(mut self, fine: u32, coarse: u32) -> Result<Self, PayloadLayoutError> {
        for prefix in [fine, coarse] {
            if prefix > MAX_PREFIX {
                return Err(PayloadLayoutError::Prefix(prefix));
            }
        }
        (self.fine.prefix, self.coarse.prefix) = (fine, coarse);
        self.with_little_work()
    }

    /// The layout, where its frames have a reader do no more than is allowed.
    fn with_little_work(self) -> Result<Self, PayloadLayoutError> {
        for Sizes { frame, prefix, region } in [self.fine, self.coarse] {
            let around = u64::from(prefix) + u64::from(region);
            if around > WORK + WORK_PER_BYTE * u64::from(frame) {
                return Err(PayloadLayoutError::Work { around, frame });
            }
        }
        Ok(self)
    }

    /// With so many bytes at hand for a frame from wherever it says, which is before its
    /// prefix; with 0, frames say nothing of the kind.
    ///
    /// # Errors
    ///
    /// When one is over 4 MiB, or shorter than a frame, or, with the prefix, over 256 KiB and 64
    /// bytes for each byte of a frame.
    pub fn with_regions(mut self, fine: u32, coarse: u32) -> Result<Self, PayloadLayoutError> {
        for (sizes, region) in [(&mut self.fine, fine), (&mut self.coarse, coarse)] {
            if region > MAX_PREFIX {
                return Err(PayloadLayoutError::Prefix(region));
            }
            if region != 0 && region < sizes.frame {
                return Err(PayloadLayoutError::Region { region, frame: sizes.frame });
            }
            sizes.region = region;
        }
        self.with_little_work()
    }

    /// Length of the target in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes in every frame of `kind` but the last.
    pub fn frame_size(&self, kind: FrameKind) -> u64 {
        self.sizes(kind).frame.into()
    }

    /// The longest prefix of frames of `kind`, in bytes.
    pub fn prefix_len(&self, kind: FrameKind) -> u64 {
        self.sizes(kind).prefix.into()
    }

    /// Bytes in the region that a frame of `kind` may name; 0 where it names none.
    pub fn region_len(&self, kind: FrameKind) -> u64 {
        self.sizes(kind).region.into()
    }

    /// How many frames of `kind` there are.
    pub fn frame_count(&self, kind: FrameKind) -> u64 {
        self.length.div_ceil(self.frame_size(kind))
    }

    /// The target's bytes in a frame.
    pub fn frame(&self, kind: FrameKind, number: u64) -> ByteRange {
        let size = self.frame_size(kind);
        ByteRange { start: (number * size).min(self.length), end: (number * size + size).min(self.length) }
    }

    /// The frames of `kind` that have bytes of `range`, which is not past the end.
    pub fn frames_of(&self, kind: FrameKind, range: ByteRange) -> std::ops::Range<u64> {
        let size = self.frame_size(kind);
        if range.is_empty() { 0..0 } else { range.start / size..range.end.div_ceil(size) }
    }

    /// The bytes that are at hand for a frame of `kind` that begins at `start`.
    pub fn prefix(&self, kind: FrameKind, start: u64) -> ByteRange {
        ByteRange { start: start.saturating_sub(self.prefix_len(kind)), end: start }
    }

    /// The region that begins `distance` bytes before a frame of `kind` that begins at `start`,
    /// if it is one: before the prefix.
    pub fn region(&self, kind: FrameKind, start: u64, distance: u64) -> Option<ByteRange> {
        let region = ByteRange::at(start.checked_sub(distance)?, self.region_len(kind));
        (region.end <= self.prefix(kind, start).start).then_some(region)
    }

    /// The longest prefix of any frame.
    pub fn longest_prefix(&self) -> u64 {
        self.prefix_len(FrameKind::Fine).max(self.prefix_len(FrameKind::Coarse))
    }

    fn sizes(&self, kind: FrameKind) -> Sizes {
        match kind {
            FrameKind::Fine => self.fine,
            FrameKind::Coarse => self.coarse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_every_boundary() {
        for length in [0, 1, 7, 8, 9, 31, 32, 33, 64] {
            let layout = PayloadLayout::new(length, 8, 32).unwrap().with_prefixes(5, 20).unwrap();
            for kind in [FrameKind::Fine, FrameKind::Coarse] {
                let frames: Vec<_> = (0..layout.frame_count(kind)).map(|number| layout.frame(kind, number)).collect();
                assert!(frames.iter().all(|frame| !frame.is_empty() && frame.len() <= layout.frame_size(kind)));
                assert!(frames.windows(2).all(|pair| pair[0].end == pair[1].start));
                assert_eq!(frames.last().map_or(0, |frame| frame.end), length);
                assert_eq!(layout.frames_of(kind, ByteRange::at(0, length)), 0..frames.len() as u64);
                for (number, &frame) in (0..).zip(&frames) {
                    assert_eq!(layout.frames_of(kind, frame), number..number + 1);
                    assert_eq!(layout.prefix(kind, frame.start).len(), layout.prefix_len(kind).min(frame.start));
                }
            }
        }
    }

    #[test]
    fn refuses_what_a_reader_could_not_hold() {
        use PayloadLayoutError as E;
        for (fine, coarse, error) in [
            (0, 8, E::Frame(0)),
            (1 << 16, 1 << 17, E::Frame(1 << 16)),
            (8, 0, E::Frame(0)),
            (8, 1 << 18, E::Frame(1 << 18)),
            (8, 12, E::Nesting { coarse: 12, fine: 8 }),
        ] {
            assert_eq!(PayloadLayout::new(1, fine, coarse), Err(error));
        }
        let layout = PayloadLayout::new(1, 1, 1).unwrap();
        assert_eq!(layout.with_prefixes(0, u32::MAX), Err(E::Prefix(u32::MAX)));
        assert_eq!(layout.with_regions(u32::MAX, 0), Err(E::Prefix(u32::MAX)));
        // A frame of 64 bytes may take 256 KiB and 4 KiB.
        let small = PayloadLayout::new(1, 64, 64).unwrap();
        let around = 266_240;
        assert!(small.with_prefixes(around, 0).is_ok());
        assert_eq!(small.with_prefixes(0, around + 1), Err(E::Work { around: 266_241, frame: 64 }));
        let small = small.with_prefixes(262_144, 0).unwrap();
        assert!(small.with_regions(4096, around).is_ok());
        assert_eq!(small.with_regions(4097, 0), Err(E::Work { around: 266_241, frame: 64 }));
        let large = PayloadLayout::new(1, 65_535, 65_535).unwrap();
        assert!(large.with_prefixes(1 << 22, 0).is_ok());
        assert!(large.with_prefixes(1 << 22, 0).unwrap().with_regions(1 << 20, 0).is_err());
        let layout = PayloadLayout::new(1, 4, 8).unwrap();
        assert_eq!(layout.with_regions(4, 7), Err(E::Region { region: 7, frame: 8 }));
    }
}
