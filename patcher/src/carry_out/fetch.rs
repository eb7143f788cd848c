//! Blocks from the source, verified, and fetched again where they were wrong.

use gosync_chunks::{BlockId, BlockRange, BlockSums, ByteRange, Source, SourceError, Transfer};

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
    ///
    /// Where next to nothing is right, the first wrong blocks are enough to know: no more is
    /// fetched from that place.
    pub(crate) fn fetch(&self, wanted: &[BlockRange], write: &WriteRun<'_>) -> Result<Fetched, PatchError> {
        let mut fetched = Fetched::default();
        let mut left = self.ask_for_all(wanted, write, &mut fetched)?;
        fetched.refetched = culprits(&left).len() as u64;
        for _ in 0..MOST_PLACES {
            if left.wrong.is_empty() {
                return Ok(fetched);
            }
            left = self.ask_once_more(left, write, &mut fetched)?;
            if left.wrong.is_empty() {
                return Ok(fetched);
            }
            if !self.source.reject(&self.bytes(&joined(culprits(&left).iter().copied()))) {
                break;
            }
        }
        Err(PatchError::Corrupt { ranges: self.bytes(&joined(culprits(&left).iter().copied())) })
    }

    /// The same without a second try: returns the blocks that were wrong.
    pub(crate) fn fetch_once(
        &self,
        wanted: &[BlockRange],
        write: &WriteRun<'_>,
    ) -> Result<(Fetched, Vec<BlockId>), PatchError> {
        let mut fetched = Fetched::default();
        let left = self.ask_for_all(wanted, write, &mut fetched)?;
        Ok((fetched, left.wrong))
    }

    /// Asks for all of `wanted` in one call.
    fn ask_for_all(
        &self,
        wanted: &[BlockRange],
        write: &WriteRun<'_>,
        fetched: &mut Fetched,
    ) -> Result<Left, PatchError> {
        if wanted.is_empty() {
            return Ok(Left::default());
        }
        let mut left = self.ask(wanted, write, fetched)?;
        let dropped = std::mem::take(&mut left.dropped);
        if !left.suspects.is_empty() {
            left.wrong.extend(dropped);
        } else {
            // In groups that fit into the room nothing is dropped.
            let Left { wrong, suspects, .. } = self.ask_again(&dropped, write, fetched)?;
            left.wrong.extend(wrong);
            left.suspects = suspects;
        }
        left.wrong.sort_unstable();
        Ok(left)
    }

    /// Asks again for what was wrong. Where that was next to all, some of it tells whether that
    /// may have come about on its way.
    fn ask_once_more(&self, left: Left, write: &WriteRun<'_>, fetched: &mut Fetched) -> Result<Left, PatchError> {
        let Left { mut wrong, suspects, .. } = left;
        if suspects.is_empty() {
            return self.ask_again(&wrong, write, fetched);
        }
        let again = self.ask_again(&suspects, write, fetched)?.wrong;
        wrong.retain(|block| suspects.binary_search(block).is_err() || again.binary_search(block).is_ok());
        match again.len() * 2 > suspects.len() {
            true => Ok(Left { wrong, suspects: again, ..Left::default() }),
            false => self.ask_for_all(&joined(wrong), write, fetched),
        }
    }

    /// Fetches `wanted`, which ascend, into memory.
    pub(crate) fn collect(&self, wanted: &[BlockRange]) -> Result<(VerifiedBlocks, Fetched), PatchError> {
        VerifiedBlocks::collect(self.sums.cut(), wanted, |write| self.fetch(wanted, write))
    }

    /// Fetches `blocks` in groups that fit into memory, and returns those that are wrong.
    fn ask_again(&self, blocks: &[BlockId], write: &WriteRun<'_>, fetched: &mut Fetched) -> Result<Left, PatchError> {
        let mut all = Left::default();
        for group in self.groups(blocks) {
            if !all.suspects.is_empty() {
                all.wrong.extend(group.iter().flat_map(|blocks| blocks.iter()));
                continue;
            }
            let left = self.ask(&group, write, fetched)?;
            all.wrong.extend(left.wrong);
            all.suspects = left.suspects;
        }
        Ok(all)
    }

    /// Calls the source once.
    fn ask(&self, wanted: &[BlockRange], write: &WriteRun<'_>, fetched: &mut Fetched) -> Result<Left, PatchError> {
        self.halt.check()?;
        let assembler = Assembler::new(self.sums, wanted, self.room(), write, self.halt);
        let delivered = self.source.fetch(&self.bytes(wanted), &assembler);
        let received = assembler.received();
        // A refusal comes first: the source's error is only its echo.
        let left = assembler.finish()?;
        // As is that of a source that was told to stop while it waited.
        self.halt.check()?;
        match delivered {
            // It was told to stop.
            Err(SourceError::Sink(_)) if !left.suspects.is_empty() => {
                fetched.transfer += Transfer { bytes: received, requests: 1 };
            }
            delivered => fetched.transfer += delivered?,
        }
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

/// The blocks to blame a source for: those that were wrong, where it was told to stop, or else all
/// that are left.
fn culprits(left: &Left) -> &[BlockId] {
    if left.suspects.is_empty() { &left.wrong } else { &left.suspects }
}
