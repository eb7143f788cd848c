//! Blocks put together from fragments of any size, in any order, from any thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gosync_chunks::{BlockId, BlockRange, BlockSums, ByteRange, Sink, SinkError};
use hashbrown::HashMap;

use crate::carry_out::missing::Missing;
use crate::check::verified::{Checked, VerifiedRun, WriteRun, check};
use crate::error::PatchError;
use crate::halt::{Halt, STRIDE};

/// So many wrong blocks, or a few with so many bytes, are enough to judge a source by.
const ENOUGH_WRONG: usize = 64;
const FEW_WRONG: usize = 4;
const ENOUGH_BYTES: u64 = 4 << 20;

/// With so many right ones for each, wrong blocks may have come about on their way.
const RIGHT_FOR_WRONG: u64 = 8;

/// The sink of one fetch: verifies each block that it was asked to collect as soon as
/// it is whole, and hands it on.
///
/// Blocks that lie whole in a fragment are verified where they are; the parts at a
/// fragment's ends wait in buffers of limited size. What finds no room is dropped and
/// has to be fetched again: it takes a source that spreads its fragments over very
/// many blocks at once.
pub(crate) struct Assembler<'a> {
    sums: &'a BlockSums,
    write: &'a WriteRun<'a>,
    halt: &'a Halt<'a>,
    missing: Missing,
    room: usize,
    waiting: Mutex<Waiting>,
    received: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    partial: HashMap<BlockId, Partial>,
    /// Bytes of all buffers in `partial`.
    bytes: usize,
    dropped: Vec<BlockId>,
    /// Why the first fragment that was refused was refused.
    failure: Option<PatchError>,
    /// The first blocks that were wrong.
    wrong: Vec<BlockId>,
    wrong_blocks: u64,
    wrong_bytes: u64,
    right_blocks: u64,
    /// Whether so many are wrong that the source is none of this target.
    is_foreign: bool,
}

struct Partial {
    data: Vec<u8>,
    received: usize,
}

/// What became of the blocks that were not handed on, ascending.
#[derive(Default)]
pub(crate) struct Left {
    /// Wrong, or not delivered in full.
    pub(crate) wrong: Vec<BlockId>,
    /// Not looked at, for want of room.
    pub(crate) dropped: Vec<BlockId>,
    /// The first that were wrong, where there were so many, and so few right ones, that the source
    /// was told to stop.
    pub(crate) suspects: Vec<BlockId>,
}

impl<'a> Assembler<'a> {
    /// A sink for `wanted`, ascending, with buffers of `room` bytes.
    pub(crate) fn new(
        sums: &'a BlockSums,
        wanted: &[BlockRange],
        room: usize,
        write: &'a WriteRun<'a>,
        halt: &'a Halt<'a>,
    ) -> Self {
        Self {
            sums,
            write,
            halt,
            missing: Missing::new(wanted),
            room,
            waiting: Mutex::default(),
            received: AtomicU64::new(0),
        }
    }

    /// What is left once the source is done.
    ///
    /// # Errors
    ///
    /// The reason why a fragment was refused, if one was.
    pub(crate) fn finish(self) -> Result<Left, PatchError> {
        let waiting = self.waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = waiting.failure {
            return Err(failure);
        }
        let (mut dropped, mut suspects) = (waiting.dropped, waiting.wrong);
        dropped.sort_unstable();
        suspects.sort_unstable();
        suspects.dedup();
        if !waiting.is_foreign {
            suspects.clear();
        }
        Ok(Left { wrong: self.missing.iter().collect(), dropped, suspects })
    }

    /// Counts wrong blocks, and judges the source by them.
    fn note_wrong(&self, blocks: BlockRange) {
        let mut waiting = self.waiting();
        let Waiting { wrong, wrong_blocks, wrong_bytes, right_blocks, is_foreign, .. } = &mut *waiting;
        wrong.extend(blocks.iter().take(ENOUGH_WRONG.saturating_sub(wrong.len())));
        *wrong_blocks += blocks.len() as u64;
        *wrong_bytes += self.sums.cut().bytes(blocks).len();
        let is_enough = wrong.len() >= ENOUGH_WRONG || (wrong.len() >= FEW_WRONG && *wrong_bytes >= ENOUGH_BYTES);
        *is_foreign |= is_enough && *wrong_blocks * RIGHT_FOR_WRONG > *right_blocks;
    }

    /// Bytes that were delivered.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether the source is to stop.
    fn is_foreign(&self) -> bool {
        self.waiting().is_foreign
    }

    fn take(&self, mut offset: u64, mut data: &[u8]) -> Result<(), PatchError> {
        let cut = self.sums.cut();
        // Beyond the end is nothing that was asked for.
        let room = cut.length().saturating_sub(offset);
        data = &data[..data.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        while !data.is_empty() {
            self.halt.check()?;
            let block = cut.block_at(offset);
            let range = cut.range(block);
            let len = if offset == range.start && data.len() as u64 >= range.len() {
                let stretch = data.len().min(STRIDE.max(cut.largest_block() as usize));
                let whole = cut.within(ByteRange::at(offset, stretch as u64));
                let len = cut.bytes(whole).len() as usize;
                self.whole_blocks(whole, &data[..len])?;
                len
            } else {
                let len = data.len().min((range.end - offset) as usize);
                self.part(block, (offset - range.start) as usize, &data[..len])?;
                len
            };
            offset += len as u64;
            data = &data[len..];
        }
        Ok(())
    }

    /// Hands on what is right among `blocks`, whose bytes are `data`.
    fn whole_blocks(&self, blocks: BlockRange, mut data: &[u8]) -> Result<(), PatchError> {
        let mut block = blocks.start;
        while block < blocks.end {
            let wanted = self.missing.contains(block);
            let mut rest = BlockRange { start: block, end: blocks.end }.iter();
            let end = rest.find(|&id| self.missing.contains(id) != wanted).unwrap_or(blocks.end);
            let len = self.sums.cut().bytes(BlockRange { start: block, end }).len() as usize;
            let (stretch, later) = data.split_at(len);
            if wanted {
                for checked in check(self.sums, block, stretch) {
                    match checked {
                        Checked::Right(run) => self.hand_on(run)?,
                        // They stay missing.
                        Checked::Wrong(blocks) => self.note_wrong(blocks),
                    }
                }
            }
            (block, data) = (end, later);
        }
        Ok(())
    }

    /// Adds bytes of one block, which go to `at` in it.
    fn part(&self, block: BlockId, at: usize, bytes: &[u8]) -> Result<(), PatchError> {
        if !self.missing.contains(block) {
            return Ok(());
        }
        let len = self.sums.cut().block_len(block);
        let mut waiting = self.waiting();
        if !waiting.partial.contains_key(&block) {
            if waiting.bytes + len > self.room {
                if self.missing.remove(block) {
                    waiting.dropped.push(block);
                }
                return Ok(());
            }
            waiting.bytes += len;
        }
        let partial = waiting.partial.entry(block).or_insert_with(|| Partial { data: vec![0; len], received: 0 });
        partial.data[at..at + bytes.len()].copy_from_slice(bytes);
        partial.received += bytes.len();
        if partial.received < len {
            return Ok(());
        }
        let Some(whole) = waiting.partial.remove(&block) else { return Ok(()) };
        drop(waiting);

        let verified = self.sums.verify(block, &whole.data);
        if verified.is_err() {
            self.note_wrong(BlockRange { start: block, end: BlockId(block.0 + 1) });
        }
        let done = verified.map_or(Ok(()), |verified| self.hand_on(verified.into()));
        self.waiting().bytes -= len;
        done
    }

    fn hand_on(&self, run: VerifiedRun<'_>) -> Result<(), PatchError> {
        (self.write)(run)?;
        let blocks = run.blocks(self.sums.cut());
        for block in blocks.iter() {
            self.missing.remove(block);
        }
        self.waiting().right_blocks += blocks.len() as u64;
        Ok(())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Assembler<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        self.received.fetch_add(data.len() as u64, Ordering::Relaxed);
        self.take(offset, data).map_err(|error| {
            let refusal = SinkError::from(error.to_string());
            self.waiting().failure.get_or_insert(error);
            refusal
        })?;
        if self.is_foreign() { Err("next to nothing of it is the target's".into()) } else { Ok(()) }
    }
}
