//! Bytes from the seeds: shared with them where the file system can, copied otherwise.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gosync_chunks::{ByteRange, Phase, Plan, Progress, ReadAt, ReadBuffer, SeedId, Step, work};

use crate::PatchError;
use crate::halt::{Halt, STRIDE};
use crate::output::Output;

/// The most bytes handed to a thread at once.
const MAX_PIECE: u64 = 16 << 20;

/// Carries out all copies of a plan on the current rayon pool.
///
/// A seed that has become shorter or unreadable is no error: its bytes stay holes, and
/// the verification has them fetched.
pub(crate) struct Copies<'a> {
    plan: &'a Plan,
    seeds: &'a [&'a dyn ReadAt],
    ways: Vec<Ways>,
    output: &'a Output<'a>,
    /// Bytes of the file system's own blocks, which only whole can be shared.
    cluster: u64,
    reflinked: AtomicU64,
    halt: &'a Halt<'a>,
    progress: &'a dyn Progress,
}

/// What has not failed yet between a seed and the output.
struct Ways {
    reflink: AtomicBool,
    in_kernel: AtomicBool,
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
    pub(crate) fn new(
        plan: &'a Plan,
        seeds: &'a [&'a dyn ReadAt],
        output: &'a Output<'a>,
        halt: &'a Halt<'a>,
        progress: &'a dyn Progress,
    ) -> Self {
        let ways = |seed: &&dyn ReadAt| {
            let is_file = seed.file().is_some();
            Ways { reflink: AtomicBool::new(is_file), in_kernel: AtomicBool::new(is_file) }
        };
        Self {
            plan,
            seeds,
            ways: seeds.iter().map(ways).collect(),
            output,
            cluster: cluster_size(output.file),
            reflinked: AtomicU64::new(0),
            halt,
            progress,
        }
    }

    /// Returns how many bytes are shared with seeds.
    pub(crate) fn run(self) -> Result<u64, PatchError> {
        // Several pieces for each thread, so that none is idle while another has much left.
        let share = self.plan.copied_bytes() / (4 * rayon::current_num_threads() as u64);
        let piece_size = share.next_power_of_two().clamp(STRIDE as u64, MAX_PIECE);
        let pieces = Pieces { steps: self.plan.steps().iter(), rest: None, piece_size };
        work::hand_out(pieces, State::default, |state, piece| {
            self.halt.check()?;
            if let Some(shared) = self.reflink(piece) {
                self.reflinked.fetch_add(shared.len(), Ordering::Relaxed);
                self.progress.advance(Phase::Copy, shared.len());
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
        let way = &self.ways[usize::from(piece.seed.0)].reflink;
        let start = piece.target.next_multiple_of(self.cluster);
        let end = (piece.target + piece.len) / self.cluster * self.cluster;
        let len = NonZeroU64::new(end.saturating_sub(start))?;
        let offset = piece.offset + (start - piece.target);
        if !offset.is_multiple_of(self.cluster) || !way.load(Ordering::Relaxed) {
            return None;
        }
        let file = self.seed(piece).file()?;
        let shared = reflink_copy::ReflinkBlockBuilder::new(file, self.output.file, len)
            .from_offset(offset)
            .to_offset(start)
            .reflink_block();
        if shared.is_err() {
            way.store(false, Ordering::Relaxed);
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
            self.progress.advance(Phase::Copy, hole);
            piece = piece.skip(hole);
            let len = piece.len.min(data.end.saturating_sub(piece.offset));
            self.copy_data(state, Piece { len, ..piece })?;
            piece = piece.skip(len);
        }
        Ok(())
    }

    fn copy_data(&self, state: &mut State, mut piece: Piece) -> Result<(), PatchError> {
        while piece.len > 0 {
            self.halt.check()?;
            let len = piece.len.min(STRIDE as u64) as usize;
            let copied = match self.copy_in_kernel(piece, len) {
                0 => {
                    let range = ByteRange::at(piece.offset, len as u64);
                    if let Ok(data) = state.buffer.read(self.seed(piece), range) {
                        self.output.write_copied(piece.target, data)?;
                    }
                    len as u64
                }
                copied => copied,
            };
            self.progress.advance(Phase::Copy, copied);
            piece = piece.skip(copied);
        }
        Ok(())
    }

    /// Returns how many bytes were copied: none where it is up to us, and to show
    /// what the matter is.
    fn copy_in_kernel(&self, piece: Piece, len: usize) -> u64 {
        let way = &self.ways[usize::from(piece.seed.0)].in_kernel;
        if !way.load(Ordering::Relaxed) {
            return 0;
        }
        let Some(file) = self.seed(piece).file() else { return 0 };
        match copy_file_range(file, piece.offset, self.output.file, piece.target, len) {
            Ok(copied) => copied as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(_) => {
                way.store(false, Ordering::Relaxed);
                0
            }
        }
    }

    fn seed(&self, piece: Piece) -> &'a dyn ReadAt {
        self.seeds[usize::from(piece.seed.0)]
    }
}

/// What comes next in `data` that is no hole, at the end of all files when nothing does. Who
/// cannot say where the holes are is read.
pub(crate) fn data_from(data: &dyn ReadAt, offset: u64) -> ByteRange {
    match data.next_data(offset) {
        Ok(Some(data)) if data.end > offset => data,
        Ok(None) => ByteRange { start: u64::MAX, end: u64::MAX },
        _ => ByteRange { start: offset, end: u64::MAX },
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

#[cfg(unix)]
fn cluster_size(file: &File) -> u64 {
    const USUAL: u64 = 4096;
    rustix::fs::fstatvfs(file).map_or(USUAL, |file_system| file_system.f_frsize.max(512))
}

/// The larger of the two sizes that ReFS has.
#[cfg(not(unix))]
fn cluster_size(_: &File) -> u64 {
    64 << 10
}

/// As fast as reading and writing on ext4 and faster on tmpfs, without a buffer; network
/// file systems copy on the server.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn copy_file_range(from: &File, mut offset: u64, to: &File, mut target: u64, len: usize) -> io::Result<usize> {
    Ok(rustix::fs::copy_file_range(from, Some(&mut offset), to, Some(&mut target), len)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn copy_file_range(_: &File, _: u64, _: &File, _: u64, _: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::{BlockId, BlockLayout};

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
