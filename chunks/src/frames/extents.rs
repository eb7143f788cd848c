//! Where frames lie, as far as that is known.

use std::collections::BTreeMap;
use std::fmt;

use super::layout::{FrameKind, PayloadLayout};
use crate::block::ByteRange;

/// A frame, what it makes and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Which of the two frames of these bytes it is.
    pub kind: FrameKind,
    /// The target's bytes that it makes.
    pub target: ByteRange,
    /// Its own bytes in the payload.
    pub payload: ByteRange,
}

/// The frames that are known, and which of them are cheapest for some ranges.
///
/// Fine frames are known where a client went down into the index, coarse ones everywhere.
#[derive(Clone)]
pub struct Extents {
    layout: PayloadLayout,
    payload_len: u64,
    fine: BTreeMap<u64, ByteRange>,
    coarse: BTreeMap<u64, ByteRange>,
}

impl fmt::Debug for Extents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layout, payload_len, fine, coarse } = self;
        let mut shown = formatter.debug_struct("Extents");
        shown.field("layout", layout).field("payload_len", payload_len);
        shown.field("fine", &fine.len()).field("coarse", &coarse.len()).finish()
    }
}

/// A frame is needed whose place is not known, or that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtentError {
    /// There is no such frame, or it has no or more bytes than it makes.
    #[error("{payload} is no place for a frame of bytes {target} of the target")]
    Impossible {
        /// What it should make.
        target: ByteRange,
        /// Where it was said to lie.
        payload: ByteRange,
    },
    /// Nothing known makes these bytes.
    #[error("no frame of the payload is known that has bytes {0} of the target")]
    Unknown(ByteRange),
}

impl Extents {
    /// Knows no frame yet of a payload of `payload_len` bytes.
    pub fn new(layout: PayloadLayout, payload_len: u64) -> Self {
        Self { layout, payload_len, fine: BTreeMap::new(), coarse: BTreeMap::new() }
    }

    /// How the target is cut into frames.
    pub fn layout(&self) -> &PayloadLayout {
        &self.layout
    }

    /// Learns that a frame lies at `payload`.
    ///
    /// # Errors
    ///
    /// When there is no such frame, or it would be empty, longer than what it makes, or
    /// past the payload's end.
    pub fn insert(&mut self, kind: FrameKind, number: u64, payload: ByteRange) -> Result<(), ExtentError> {
        let exists = number < self.layout.frame_count(kind);
        let target = if exists { self.layout.frame(kind, number) } else { ByteRange::default() };
        if payload.is_empty() || payload.len() > target.len() || payload.end > self.payload_len {
            return Err(ExtentError::Impossible { target, payload });
        }
        match kind {
            FrameKind::Fine => self.fine.insert(number, payload),
            FrameKind::Coarse => self.coarse.insert(number, payload),
        };
        Ok(())
    }

    /// Whether any two of the frames overlap, or are not in the order of what they make.
    pub fn overlap(&self) -> bool {
        let at = |kind, number| (self.layout.frame(kind, number).start, kind == FrameKind::Fine);
        let frames = |kind, known: &BTreeMap<u64, ByteRange>| {
            known.iter().map(move |(&number, &payload)| (at(kind, number), payload)).collect::<Vec<_>>()
        };
        let mut all = [frames(FrameKind::Coarse, &self.coarse), frames(FrameKind::Fine, &self.fine)].concat();
        all.sort_unstable_by_key(|&(at, _)| at);
        all.windows(2).any(|pair| pair[0].1.end > pair[1].1.start)
    }

    /// The coarse frames to learn before there are frames for all of `ranges`, which ascend.
    pub fn unknown(&self, ranges: &[ByteRange]) -> Vec<u64> {
        let ratio = self.layout.frame_size(FrameKind::Coarse) / self.layout.frame_size(FrameKind::Fine);
        let mut unknown = Vec::new();
        for &range in ranges {
            for coarse in self.layout.frames_of(FrameKind::Coarse, range) {
                if self.coarse.contains_key(&coarse) || unknown.last() == Some(&coarse) {
                    continue;
                }
                let within = coarse * ratio..(coarse + 1) * ratio;
                let mut fine = self.layout.frames_of(FrameKind::Fine, range).filter(|number| within.contains(number));
                if !fine.all(|number| self.fine.contains_key(&number)) {
                    unknown.push(coarse);
                }
            }
        }
        unknown
    }

    /// The frames to fetch for `ranges`, which ascend, do not overlap and are not past
    /// the end: within each coarse frame either that one or fine ones, whichever have
    /// fewer bytes, where each run of fine ones after the first counts `run_cost` more.
    /// They ascend in the target and in the payload.
    ///
    /// # Errors
    ///
    /// When no known frame has some of the bytes.
    pub fn choose(&self, ranges: &[ByteRange], run_cost: u64) -> Result<Vec<Extent>, ExtentError> {
        let mut chosen = Vec::new();
        let mut fine: Vec<u64> = Vec::new();
        let mut group = None;
        for &range in ranges {
            for number in self.layout.frames_of(FrameKind::Fine, range) {
                let frame = self.layout.frame(FrameKind::Fine, number);
                let coarse = frame.start / self.layout.frame_size(FrameKind::Coarse);
                if let Some(before) = group.replace(coarse)
                    && before != coarse
                {
                    self.choose_in(before, &fine, run_cost, &mut chosen)?;
                    fine.clear();
                }
                if fine.last() != Some(&number) {
                    fine.push(number);
                }
            }
        }
        if let Some(last) = group {
            self.choose_in(last, &fine, run_cost, &mut chosen)?;
        }
        Ok(chosen)
    }

    /// Chooses for the fine frames `needed`, which are all within one coarse frame.
    fn choose_in(
        &self,
        coarse: u64,
        needed: &[u64],
        run_cost: u64,
        chosen: &mut Vec<Extent>,
    ) -> Result<(), ExtentError> {
        let extent = |kind, number, payload| Extent { kind, target: self.layout.frame(kind, number), payload };
        let runs = needed.windows(2).filter(|pair| pair[1] != pair[0] + 1).count() as u64;
        let fine: Option<Vec<Extent>> =
            needed.iter().map(|number| Some(extent(FrameKind::Fine, *number, *self.fine.get(number)?))).collect();
        let bytes = |fine: &[Extent]| fine.iter().map(|extent| extent.payload.len()).sum::<u64>();
        match (fine, self.coarse.get(&coarse)) {
            (Some(fine), Some(whole)) if whole.len() < bytes(&fine).saturating_add(runs.saturating_mul(run_cost)) => {
                chosen.push(extent(FrameKind::Coarse, coarse, *whole));
            }
            (Some(fine), _) => chosen.extend(fine),
            (None, Some(whole)) => chosen.push(extent(FrameKind::Coarse, coarse, *whole)),
            (None, None) => return Err(ExtentError::Unknown(self.layout.frame(FrameKind::Coarse, coarse))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents() -> Extents {
        let mut extents = Extents::new(PayloadLayout::new(40, 4, 16).unwrap(), 50);
        // Coarse frames of 9 bytes, fine ones of 3; the last coarse one has no fine ones known.
        for (number, start) in [(0, 0), (1, 21), (2, 42)] {
            extents.insert(FrameKind::Coarse, number, ByteRange::at(start, if number == 2 { 5 } else { 9 })).unwrap();
        }
        for number in 0..8 {
            extents.insert(FrameKind::Fine, number, ByteRange::at(9 + number / 4 * 9 + number * 3, 3)).unwrap();
        }
        extents
    }

    #[test]
    fn takes_what_is_cheaper() {
        let extents = extents();
        let choose = |ranges: &[(u64, u64)], run_cost| {
            let ranges: Vec<_> = ranges.iter().map(|&(start, end)| ByteRange { start, end }).collect();
            let chosen = extents.choose(&ranges, run_cost).unwrap();
            assert!(chosen.windows(2).all(|pair| pair[0].target.end <= pair[1].target.start));
            chosen.iter().map(|extent| (extent.kind, extent.target.start)).collect::<Vec<_>>()
        };
        use FrameKind::{Coarse, Fine};
        assert_eq!(choose(&[], 0), []);
        assert_eq!(choose(&[(1, 2), (3, 3), (3, 4)], 0), [(Fine, 0)]);
        assert_eq!(choose(&[(3, 5)], 0), [(Fine, 0), (Fine, 4)]);
        assert_eq!(choose(&[(0, 12)], 0), [(Fine, 0), (Fine, 4), (Fine, 8)], "they cost as much");
        assert_eq!(choose(&[(0, 13)], 0), [(Coarse, 0)]);
        assert_eq!(choose(&[(0, 1), (8, 9), (12, 20)], 0), [(Fine, 0), (Fine, 8), (Fine, 12), (Fine, 16)]);
        assert_eq!(choose(&[(0, 1), (8, 9), (12, 20)], 1), [(Coarse, 0), (Fine, 16)], "there is a gap");
        assert_eq!(choose(&[(33, 34)], 0), [(Coarse, 32)], "no fine one is known");
    }

    #[test]
    fn frames_lie_in_the_order_of_what_they_make() {
        assert!(!extents().overlap());
        for (kind, number, start) in [
            (FrameKind::Fine, 0, 8),
            (FrameKind::Fine, 3, 19),
            (FrameKind::Fine, 4, 20),
            (FrameKind::Coarse, 0, 1),
            (FrameKind::Coarse, 2, 41),
        ] {
            let mut extents = extents();
            extents.insert(kind, number, ByteRange::at(start, 3)).unwrap();
            assert_eq!(extents.overlap(), number != 0 || kind == FrameKind::Fine, "{kind:?} {number}");
        }
    }

    #[test]
    fn knows_what_it_does_not_know() {
        let mut unknown = Extents::new(PayloadLayout::new(40, 4, 16).unwrap(), 50);
        let range = [ByteRange::at(33, 1)];
        assert_eq!(unknown.choose(&range, 0), Err(ExtentError::Unknown(ByteRange { start: 32, end: 40 })));
        unknown.insert(FrameKind::Fine, 8, ByteRange::at(3, 1)).unwrap();
        assert_eq!(unknown.choose(&range, 0).unwrap().len(), 1);
        assert!(unknown.unknown(&range).is_empty());
        assert_eq!(unknown.unknown(&[ByteRange::at(3, 1), ByteRange::at(5, 1), ByteRange::at(33, 7)]), [0, 2]);
        for (number, start, len) in [(8, 3, 0), (8, 3, 5), (10, 3, 1), (u64::MAX, 3, 1), (7, 48, 3)] {
            let error = unknown.insert(FrameKind::Fine, number, ByteRange::at(start, len)).unwrap_err();
            assert!(matches!(error, ExtentError::Impossible { .. }), "{number}: {error}");
        }
    }
}
