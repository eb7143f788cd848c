//! Where the frames of a compressed payload lie, as the records of the layers tell.
//!
//! A record says how many bytes of the payload belong to its block, so that a client that
//! goes down to one block finds the frames of it without having read the sums of others.

use gosync_chunks::{BlockId, BlockLayout, ByteRange};

use crate::format::Payload;
use crate::payload::{ExtentError, Extents, FrameKind, FrameLengths};

/// Bytes of the length of a coarse frame, and of all fine ones of the same bytes.
const COARSE_LEN: usize = 3;

/// What the record of a block says of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Bytes in the payload, fine and coarse frames alike.
    pub(crate) all: u64,
    /// Bytes of a coarse frame before all others, where the block is one.
    pub(crate) coarse: u64,
}

impl Lengths {
    /// Reads `bytes`, the end of a record of a block of `size` bytes.
    pub(crate) fn read(payload: &Payload, size: u32, bytes: &[u8]) -> Self {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
        let coarse = payload.layout.frame_size(FrameKind::Coarse);
        if u64::from(size) == coarse {
            let (coarse, fine) = bytes.split_at(COARSE_LEN);
            let coarse = number(coarse) + 1;
            return Self { all: coarse + number(fine) + 1, coarse };
        }
        Self { all: number(bytes) + u64::from(u64::from(size) < coarse), coarse: 0 }
    }
}

/// The lengths for all records of a layer, one after another.
pub(crate) fn encode(payload: &Payload, layout: BlockLayout, lengths: &FrameLengths) -> Vec<u8> {
    let size = layout.block_size();
    let len = payload.lengths_len(size);
    let coarse_size = payload.layout.frame_size(FrameKind::Coarse);
    let mut bytes = Vec::with_capacity(layout.block_count() as usize * len);
    for block in layout.blocks().iter() {
        let range = layout.range(block);
        let fine = payload.layout.frames_of(FrameKind::Fine, range);
        let fine: u64 = lengths.fine[fine.start as usize..fine.end as usize].iter().map(|&len| u64::from(len)).sum();
        let coarse = payload.layout.frames_of(FrameKind::Coarse, range);
        let coarse = || -> u64 {
            lengths.coarse[coarse.start as usize..coarse.end as usize].iter().map(|&len| u64::from(len)).sum()
        };
        match u64::from(size).cmp(&coarse_size) {
            std::cmp::Ordering::Greater => bytes.extend(&(fine + coarse()).to_le_bytes()[..len]),
            std::cmp::Ordering::Equal => {
                bytes.extend(&(coarse() - 1).to_le_bytes()[..COARSE_LEN]);
                bytes.extend(&(fine - 1).to_le_bytes()[..COARSE_LEN]);
            }
            std::cmp::Ordering::Less => bytes.extend(&(fine - 1).to_le_bytes()[..len]),
        }
    }
    bytes
}

/// The frames that are known so far.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) payload: Payload,
    pub(crate) extents: Extents,
}

impl Frames {
    pub(crate) fn new(payload: &Payload) -> Self {
        Self { payload: payload.clone(), extents: Extents::new(payload.layout) }
    }

    /// Learns where the frames of `block` lie, whose bytes in the payload begin at `offset`,
    /// as far as they are one frame. Returns where the frames of its first part begin.
    ///
    /// # Errors
    ///
    /// When they cannot lie there.
    pub(crate) fn learn(
        &mut self,
        layout: BlockLayout,
        block: BlockId,
        offset: u64,
        lengths: Lengths,
    ) -> Result<u64, ExtentError> {
        let size = u64::from(layout.block_size());
        if lengths.coarse > 0 {
            self.extents.insert(FrameKind::Coarse, block.0.into(), ByteRange::at(offset, lengths.coarse))?;
        }
        if size == self.payload.layout.frame_size(FrameKind::Fine) {
            let fine = ByteRange::at(offset + lengths.coarse, lengths.all - lengths.coarse);
            self.extents.insert(FrameKind::Fine, block.0.into(), fine)?;
        }
        Ok(offset + lengths.coarse)
    }
}
