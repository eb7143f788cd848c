//! Blocks from the source, verified, and fetched again where they were wrong.

use gosync_chunks::{BlockId, BlockRange, BlockSums, ByteRange, Source, Transfer};

use crate::carry_out::assemble::{Assembler, Left};
use crate::check::verified::{VerifiedBlocks, WriteRun};
use crate::error::PatchError;
use crate::groups::{Groups, joined};
use crate::halt::Halt;

/// The least that fragments of blocks may take up while they wait for their rest.
const ROOM: usize = 8 << 20;

/// How often a block is fetched again at most, whatever the source says it may come from.
const MOST_PLACES: usize = 64;

/// Fetches blocks of one target.
#[derive(Clone, Copy)]
pub(crate) struct Fetcher<'a> {
    pub(crate) sums: &'a BlockSums,
    pub(crate) source: &'a dyn Source,
    pub(crate) halt: &'a Halt<'a>,
}

/// What fetching took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) transfer: Transfer,
    /// Blocks that were wrong at first.
    pub(crate) refetched: u64,
    /// Bytes that seeds should have had.
    pub(crate) spoilt: u64,
}

impl std::ops::AddAssign for Fetched {
    fn add_assign(&mut self, other: Self) {
        self.transfer += other.transfer;
        self.refetched += other.refetched;
        self.spoilt += other.spoilt;
    }
}

impl Fetcher<'_> {
    /// Gives every block of `wanted`, which ascend, to `write`, in any order and from
    /// any thread. Asks for all in one call first, once more for those that were wrong,
    /// and again for as long as the source knows another place to get them from.
    pub(crate) fn fetch(&self, wanted: &[BlockRange], write: &WriteRun<'_>) -> Result<Fetched, PatchError> {
        let (mut fetched, mut wrong) = self.fetch_once(wanted, write)?;
        if wrong.is_empty() {
            return Ok(fetched);
        }
        fetched.refetched = wrong.len() as u64;
        for _ in 0..MOST_PLACES {
            wrong = self.ask_again(&wrong, write, &mut fetched)?;
            if wrong.is_empty() {
                return Ok(fetched);
            }
            if !self.source.reject(&self.bytes(&joined(wrong.iter().copied()))) {
                break;
            }
        }
        Err(PatchError::Corrupt { ranges: self.bytes(&joined(wrong)) })
    }

    /// The same without a second try: returns the blocks that were wrong.
    pub(crate) fn fetch_once(
        &self,
        wanted: &[BlockRange],
        write: &WriteRun<'_>,
    ) -> Result<(Fetched, Vec<BlockId>), PatchError> {
        let mut fetched = Fetched::default();
        if wanted.is_empty() {
            return Ok((fetched, Vec::new()));
        }
        let Left { mut wrong, dropped } = self.ask(wanted, write, &mut fetched)?;
        // In groups that fit into the room nothing is dropped.
        wrong.extend(self.ask_again(&dropped, write, &mut fetched)?);
        wrong.sort_unstable();
        Ok((fetched, wrong))
    }

    /// Fetches `wanted`, which ascend, into memory.
    pub(crate) fn collect(&self, wanted: &[BlockRange]) -> Result<(VerifiedBlocks, Fetched), PatchError> {
        VerifiedBlocks::collect(self.sums.cut(), wanted, |write| self.fetch(wanted, write))
    }

    /// Fetches `blocks` in groups that fit into memory, and returns those that are wrong.
    fn ask_again(
        &self,
        blocks: &[BlockId],
        write: &WriteRun<'_>,
        fetched: &mut Fetched,
    ) -> Result<Vec<BlockId>, PatchError> {
        let mut wrong = Vec::new();
        for group in self.groups(blocks) {
            wrong.extend(self.ask(&group, write, fetched)?.wrong);
        }
        Ok(wrong)
    }

    /// Calls the source once.
    fn ask(&self, wanted: &[BlockRange], write: &WriteRun<'_>, fetched: &mut Fetched) -> Result<Left, PatchError> {
        self.halt.check()?;
        let assembler = Assembler::new(self.sums, wanted, self.room(), write, self.halt);
        let delivered = self.source.fetch(&self.bytes(wanted), &assembler);
        // A refusal comes first: the source's error is only its echo.
        let left = assembler.finish()?;
        // As is that of a source that was told to stop while it waited.
        self.halt.check()?;
        fetched.transfer += delivered?;
        Ok(left)
    }

    /// Each request that is under way leaves a block open at either end.
    fn room(&self) -> usize {
        let requests = self.source.limits().parallelism.clamp(1, 16);
        ROOM.max(2 * requests * self.sums.cut().largest_block() as usize)
    }

    fn groups(&self, blocks: &[BlockId]) -> Groups<'_, std::vec::IntoIter<BlockRange>> {
        Groups::new(joined(blocks.iter().copied()).into_iter(), self.sums.cut(), self.room())
    }

    fn bytes(&self, blocks: &[BlockRange]) -> Vec<ByteRange> {
        blocks.iter().map(|&blocks| self.sums.cut().bytes(blocks)).collect()
    }
}
