//! How long frames are.

use super::extents::Extents;
use super::layout::{FrameKind, PayloadLayout};
use crate::block::ByteRange;

/// How long the frames of a payload, or of a part of it, are, in the target's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameLengths {
    /// Bytes in each coarse frame.
    pub coarse: Vec<u32>,
    /// Bytes in each fine frame.
    pub fine: Vec<u16>,
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
