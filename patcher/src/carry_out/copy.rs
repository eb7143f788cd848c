//! Bytes from the seeds: shared with them where the file system can; otherwise read, hashed
//! and written in one pass.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gosync_chunks::{ByteRange, Phase, ReadAt, SeedId, Step};
use gosync_files::ReadBuffer;
use gosync_files::space::cluster_size;
use gosync_work::hand_out;

use crate::carry_out::holes::data_from;
use crate::carry_out::known::Known;
use crate::carry_out::output::Output;
use crate::error::PatchError;
use crate::halt::{Halt, STRIDE};
use crate::patch::Patch;

/// The most bytes handed to a thread at once.
const MAX_PIECE: u64 = 16 << 20;

/// Bytes sent on their way to disk at once.
const SENT: u64 = 4 << 20;

/// Carries out all copies of a plan on the current rayon pool.
///
/// A seed that has become shorter or unreadable is no error: its bytes stay holes, and
/// the verification has them fetched.
pub(crate) struct Copies<'a> {
    patch: &'a Patch<'a>,
    /// For each seed, whether sharing has not failed yet.
    may_share: Vec<AtomicBool>,
    output: &'a Output<'a>,
    known: &'a Known<'a>,
    /// Bytes of the file system's own blocks, which only whole can be shared.
    cluster: u64,
    reflinked: AtomicU64,
    halt: &'a Halt<'a>,
}

/// A part of a copy.
#[derive(Clone, Copy)]
struct Piece {
    seed: SeedId,
    offset: u64,
    target: u64,
    len: u64,
}

/// What a thread keeps from piece to piece.
#[derive(Default)]
struct State {
    buffer: ReadBuffer,
    /// The data of a seed between two holes that was found last.
    data: Option<(SeedId, ByteRange)>,
}

impl<'a> Copies<'a> {
    pub(crate) fn new(patch: &'a Patch<'a>, output: &'a Output<'a>, known: &'a Known<'a>, halt: &'a Halt<'a>) -> Self {
        Self {
            patch,
            may_share: patch.seeds.iter().map(|seed| AtomicBool::new(seed.file().is_some())).collect(),
            output,
            known,
            cluster: cluster_size(output.file),
            reflinked: AtomicU64::new(0),
            halt,
        }
    }

    /// Returns how many bytes are shared with seeds.
    pub(crate) fn run(self) -> Result<u64, PatchError> {
        // Several pieces for each thread, so that none is idle while another has much left.
        let share = self.patch.plan.copied_bytes() / (4 * rayon::current_num_threads() as u64);
        let piece_size = share.clamp(STRIDE as u64, MAX_PIECE).next_multiple_of(self.known.unit());
        let pieces = Pieces { steps: self.patch.plan.steps().iter(), rest: None, piece_size };
        hand_out(pieces, State::default, |state, piece| {
            self.halt.check()?;
            if let Some(shared) = self.reflink(piece) {
                self.reflinked.fetch_add(shared.len(), Ordering::Relaxed);
                self.patch.progress.advance(Phase::Copy, shared.len());
                let tail = shared.end - piece.target;
                self.copy(state, Piece { len: shared.start - piece.target, ..piece })?;
                self.copy(state, piece.skip(tail))
            } else {
                self.copy(state, piece)
            }
        })?;
        Ok(self.reflinked.into_inner())
    }

    /// Shares what of `piece` is whole clusters; returns the bytes of the target.
    fn reflink(&self, piece: Piece) -> Option<ByteRange> {
        let may_share = &self.may_share[usize::from(piece.seed.0)];
        let start = piece.target.next_multiple_of(self.cluster);
        let end = (piece.target + piece.len) / self.cluster * self.cluster;
        let len = NonZeroU64::new(end.saturating_sub(start))?;
        let offset = piece.offset + (start - piece.target);
        if !offset.is_multiple_of(self.cluster) || !may_share.load(Ordering::Relaxed) {
            return None;
        }
        let file = self.seed(piece).file()?;
        let shared = reflink_copy::ReflinkBlockBuilder::new(file, self.output.file, len)
            .from_offset(offset)
            .to_offset(start)
            .reflink_block();
        if shared.is_err() {
            may_share.store(false, Ordering::Relaxed);
            return None;
        }
        Some(ByteRange { start, end })
    }

    /// Copies the data of `piece` and leaves its holes.
    fn copy(&self, state: &mut State, mut piece: Piece) -> Result<(), PatchError> {
        while piece.len > 0 {
            let data = match state.data {
                Some((seed, data)) if seed == piece.seed && data.start <= piece.offset && piece.offset < data.end => {
                    data
                }
                _ => {
                    let data = data_from(self.seed(piece), piece.offset);
                    state.data = Some((piece.seed, data));
                    data
                }
            };
            let hole = data.start.saturating_sub(piece.offset).min(piece.len);
            self.patch.progress.advance(Phase::Copy, hole);
            piece = piece.skip(hole);
            let len = piece.len.min(data.end.saturating_sub(piece.offset));
            self.copy_data(state, Piece { len, ..piece })?;
            piece = piece.skip(len);
        }
        Ok(())
    }

    fn copy_data(&self, state: &mut State, mut piece: Piece) -> Result<(), PatchError> {
        if piece.len >= STRIDE as u64 {
            self.output.reserve(ByteRange::at(piece.target, piece.len));
        }
        let mut written = piece.target;
        while piece.len > 0 {
            self.halt.check()?;
            let len = piece.len.min(self.known.unit() - piece.target % self.known.unit());
            if let Ok(data) = state.buffer.read(self.seed(piece), ByteRange::at(piece.offset, len)) {
                self.known.write(self.output, piece.target, data)?;
            }
            self.patch.progress.advance(Phase::Copy, len);
            piece = piece.skip(len);
            if piece.target - written >= SENT || piece.len == 0 && piece.target - written >= STRIDE as u64 {
                self.output.send_to_disk(ByteRange { start: written, end: piece.target });
                written = piece.target;
            }
        }
        Ok(())
    }

    fn seed(&self, piece: Piece) -> &'a dyn ReadAt {
        self.patch.seeds[usize::from(piece.seed.0)]
    }
}

impl Piece {
    /// Without the first `bytes`.
    fn skip(self, bytes: u64) -> Self {
        Self { offset: self.offset + bytes, target: self.target + bytes, len: self.len - bytes, ..self }
    }
}

/// Cuts copies at multiples of the piece size in the target, which keeps them aligned.
struct Pieces<'a> {
    steps: std::slice::Iter<'a, Step>,
    rest: Option<Piece>,
    piece_size: u64,
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let piece = self.rest.take().or_else(|| {
            self.steps.find_map(|step| match *step {
                Step::Copy { target, seed, offset } => {
                    Some(Piece { seed, offset, target: target.start, len: target.len() })
                }
                _ => None,
            })
        })?;
        let len = piece.len.min(self.piece_size - piece.target % self.piece_size);
        self.rest = (len < piece.len).then(|| piece.skip(len));
        Some(Piece { len, ..piece })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::{BlockId, BlockLayout, Plan};

    #[test]
    fn pieces_make_up_the_copies() {
        let mut plan = Plan::new(BlockLayout::new(100, 10).unwrap());
        for block in 0..4 {
            plan.copy(BlockId(block), SeedId(1), 7 + u64::from(block) * 10);
        }
        plan.fetch(BlockId(4));
        for block in 5..10 {
            plan.copy(BlockId(block), SeedId(0), u64::from(block) * 10);
        }
        let pieces: Vec<_> = Pieces { steps: plan.steps().iter(), rest: None, piece_size: 32 }
            .map(|piece| (piece.seed.0, piece.offset, piece.target, piece.len))
            .collect();
        assert_eq!(pieces, [(1, 7, 0, 32), (1, 39, 32, 8), (0, 50, 50, 14), (0, 64, 64, 32), (0, 96, 96, 4)]);
    }
}
