//! The target from its first byte to its last, to where nothing can be read back.

use std::io::Write;

use gosync_chunks::{BlockId, BlockRange, ByteRange, Cancelled, Phase, ReadAt, Step};
use gosync_files::ReadBuffer;
use gosync_sums::{FileHasher, SUBTREE};
use gosync_work::{Ahead, ahead};
use hashbrown::HashMap;

use crate::carry_out::fetch::{Fetched, Fetcher};
use crate::carry_out::kept::Kept;
use crate::check::verified::{Checked, VerifiedBlocks, VerifiedRun, check};
use crate::error::PatchError;
use crate::groups::Groups;
use crate::halt::{Halt, STRIDE};
use crate::patch::{Patch, Report};

/// Bytes fetched at once. One such group is under way while another is written.
const GROUP: usize = 4 << 20;

/// Bytes of blocks that may be kept to be repeated.
const KEPT: usize = 8 << 20;

type Group = (VerifiedBlocks, Fetched);

impl Patch<'_> {
    /// Writes the target to `out` from its first byte to its last, in bounded memory:
    /// about 24 MiB, or a few blocks where they are large.
    ///
    /// Blocks from seeds are verified too before they are written, and fetched where a
    /// seed has changed. The hash of the whole can only be compared at the end: the
    /// reader of `out` must not trust it before this returns.
    ///
    /// # Errors
    ///
    /// When the source fails or what it has is not the target, `out` cannot be written,
    /// or `progress` cancels.
    ///
    /// # Panics
    ///
    /// When the plan is for another cut than the sums, or copies from a seed
    /// that is not there.
    pub fn write_to_stream(&self, out: &mut dyn Write) -> Result<Report, PatchError> {
        self.check_parts();
        write(self, out)
    }
}

fn write(patch: &Patch<'_>, out: &mut dyn Write) -> Result<Report, PatchError> {
    let cut = patch.plan.cut();
    let kept = Kept::new(patch.plan, KEPT);
    let requests = || patch.plan.steps().iter().filter_map(|step| kept.fetched(step));
    let to_fetch: u64 = requests().map(|blocks| cut.bytes(blocks).len()).sum();
    patch.progress.begin(Phase::Copy, cut.length() - to_fetch);
    patch.progress.begin(Phase::Fetch, to_fetch);

    let halt = Halt::new(patch.progress);
    let fetcher = Fetcher { sums: patch.sums, source: patch.source, halt: &halt };
    let groups = Groups::new(requests(), cut, GROUP).map(|group| fetcher.collect(&group));
    ahead(groups, |groups| {
        let hasher = patch.file_hash.map(|_| FileHasher::new(cut.length()));
        let out = Sequence { out, halt: &halt, hasher, nodes: Vec::new(), piece: Vec::new() };
        let steps = Steps {
            patch,
            fetcher,
            kept: &kept,
            groups,
            group: None,
            blocks: HashMap::new(),
            report: Report::default(),
            out,
        };
        // Ends the other thread too: nobody takes its groups any more.
        steps.run().inspect_err(|_| halt.raise())
    })
}

/// Carries out one step after another.
struct Steps<'a> {
    patch: &'a Patch<'a>,
    fetcher: Fetcher<'a>,
    kept: &'a Kept,
    groups: Ahead<Group, PatchError>,
    group: Option<VerifiedBlocks>,
    /// Kept blocks, and how many steps will still repeat each.
    blocks: HashMap<BlockId, (Vec<u8>, u32)>,
    report: Report,
    out: Sequence<'a>,
}

impl Steps<'_> {
    fn run(mut self) -> Result<Report, PatchError> {
        for step in self.patch.plan.steps() {
            if let Some(blocks) = self.kept.fetched(step) {
                self.write_fetched(blocks)?;
                continue;
            }
            match *step {
                Step::Copy { target, seed, offset } => {
                    self.write_copied(target, self.patch.seeds[usize::from(seed.0)], offset)?;
                }
                Step::Repeat { blocks, of } => self.write_repeated(blocks, of)?,
                Step::Fetch { .. } => {}
            }
        }
        self.out.finish(self.patch, &self.report)?;
        Ok(self.report)
    }

    fn write_fetched(&mut self, blocks: BlockRange) -> Result<(), PatchError> {
        let cut = self.patch.plan.cut();
        let mut block = blocks.start;
        while block < blocks.end {
            let Some(run) = self.group.as_ref().and_then(|group| group.run(block, blocks.end)) else {
                // Makes room before the next group comes.
                self.group = None;
                let (group, fetched) = self.groups.next().unwrap_or_else(|| Err(Cancelled.into()))?;
                self.count(fetched);
                self.group = Some(group);
                continue;
            };
            self.out.write(run)?;
            let end = run.blocks(cut).end;
            for (id, steps) in self.kept.among(BlockRange { start: block, end }) {
                let start = cut.bytes(BlockRange { start: block, end: id }).len() as usize;
                let data = run.data()[start..start + cut.block_len(id)].to_vec();
                self.blocks.insert(id, (data, steps));
            }
            self.report.fetched += run.data().len() as u64;
            self.patch.progress.advance(Phase::Fetch, run.data().len() as u64);
            block = end;
        }
        Ok(())
    }

    /// Writes what a seed has, as far as it still has it.
    fn write_copied(&mut self, target: ByteRange, seed: &dyn ReadAt, offset: u64) -> Result<(), PatchError> {
        let (cut, sums) = (self.patch.plan.cut(), self.patch.sums);
        let mut buffer = ReadBuffer::default();
        for piece in Groups::new(std::iter::once(cut.within(target)), cut, STRIDE).flatten() {
            let range = cut.bytes(piece);
            let in_seed = ByteRange::at(offset + (range.start - target.start), range.len());
            let Ok(data) = buffer.read(seed, in_seed) else {
                self.write_replaced(piece)?;
                continue;
            };
            for checked in check(sums, piece.start, data) {
                match checked {
                    Checked::Right(run) => {
                        self.out.write(run)?;
                        self.report.copied += run.data().len() as u64;
                        self.patch.progress.advance(Phase::Copy, run.data().len() as u64);
                    }
                    Checked::Wrong(blocks) => self.write_replaced(blocks)?,
                }
            }
        }
        Ok(())
    }

    /// Fetches `blocks`, which a seed was to have.
    fn write_replaced(&mut self, blocks: BlockRange) -> Result<(), PatchError> {
        let (replaced, fetched) = self.fetcher.collect(&[blocks])?;
        let len = self.patch.plan.cut().bytes(blocks).len();
        self.count(fetched);
        self.report.refetched_blocks += blocks.len() as u64;
        self.report.fetched += len;
        self.patch.progress.advance(Phase::Copy, len);
        replaced.run(blocks.start, blocks.end).map_or(Ok(()), |run| self.out.write(run))
    }

    fn write_repeated(&mut self, blocks: BlockRange, of: BlockId) -> Result<(), PatchError> {
        let sums = self.patch.sums;
        let Some((data, steps)) = self.blocks.get_mut(&of) else { return self.write_replaced(blocks) };
        // Summed again: the price of a proof that need not be stored.
        let block = sums.verify(of, data).map_err(|_| PatchError::Corrupt { ranges: vec![sums.cut().range(of)] })?;
        for _ in blocks.iter() {
            self.out.write(block.into())?;
            self.report.repeated += data.len() as u64;
            self.patch.progress.advance(Phase::Copy, data.len() as u64);
        }
        *steps -= 1;
        if *steps == 0 {
            self.blocks.remove(&of);
        }
        Ok(())
    }

    fn count(&mut self, fetched: Fetched) {
        self.report.transfer += fetched.transfer;
        self.report.refetched_blocks += fetched.refetched;
    }
}

/// The stream, in pieces of a size that hashes well and writes well.
struct Sequence<'a> {
    out: &'a mut dyn Write,
    halt: &'a Halt<'a>,
    hasher: Option<FileHasher>,
    nodes: Vec<[u8; 32]>,
    piece: Vec<u8>,
}

impl Sequence<'_> {
    fn write(&mut self, run: VerifiedRun<'_>) -> Result<(), PatchError> {
        let mut data = run.data();
        while !data.is_empty() {
            let (fits, rest) = data.split_at(data.len().min(SUBTREE - self.piece.len()));
            self.piece.extend_from_slice(fits);
            data = rest;
            if self.piece.len() == SUBTREE {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PatchError> {
        self.halt.check()?;
        if let Some(hasher) = &self.hasher {
            self.nodes.push(hasher.piece(self.nodes.len(), &self.piece));
        }
        self.out.write_all(&self.piece).map_err(PatchError::Stream)?;
        self.piece.clear();
        Ok(())
    }

    fn finish(mut self, patch: &Patch<'_>, report: &Report) -> Result<(), PatchError> {
        if !self.piece.is_empty() {
            self.flush()?;
        }
        self.out.flush().map_err(PatchError::Stream)?;
        if let (Some(hasher), Some(expected)) = (&self.hasher, patch.file_hash) {
            let actual = hasher.finish(&self.nodes);
            if actual != expected {
                return Err(PatchError::FileHash { expected, actual, report: Box::new(*report) });
            }
        }
        Ok(())
    }
}
