//! Proof that bytes are what the signature says: only what carries it can be written.

use std::sync::{Mutex, PoisonError};

use gosync_chunks::{BlockId, BlockRange, BlockSums, Cut, StrongSum, VerifiedBlock};

use crate::error::PatchError;

/// Neighbouring blocks whose bytes have the strong sums that the signature gives.
///
/// What [`VerifiedBlock`] is for one block this is for many, so that they are summed
/// and written together.
#[derive(Clone, Copy)]
pub(crate) struct VerifiedRun<'a> {
    first: BlockId,
    data: &'a [u8],
}

/// Receives what was fetched, from any thread.
pub(crate) type WriteRun<'a> = dyn Fn(VerifiedRun<'_>) -> Result<(), PatchError> + Sync + 'a;

/// Neighbouring blocks, looked at.
pub(crate) enum Checked<'a> {
    Right(VerifiedRun<'a>),
    Wrong(BlockRange),
}

/// Blocks summed in one call, which a hasher may spread over SIMD lanes.
const BATCH: usize = 256;

/// Checks the blocks in `data`, which begins with `first` and holds whole blocks. The
/// results make up all of them, in their order.
pub(crate) fn check<'a>(
    sums: &'a BlockSums,
    first: BlockId,
    mut data: &'a [u8],
) -> impl Iterator<Item = Checked<'a>> + 'a {
    let blocks = blocks_from(sums.cut(), first, data);
    assert_eq!(sums.cut().bytes(blocks).len(), data.len() as u64, "whole blocks");
    let mut first = first;
    let batches = std::iter::from_fn(move || {
        let blocks = BlockRange { start: first, end: blocks.end };
        let (size, alike) = same_size(sums.cut(), blocks)?;
        let (batch, rest) = data.split_at(sums.cut().bytes(alike).len() as usize);
        let checked = check_batch(sums, first, batch, size);
        (first, data) = (alike.end, rest);
        Some(checked)
    });
    batches.flatten()
}

/// The size of the first of `blocks`, and which can be summed together with it: those of
/// the same size, of which the last may be shorter.
fn same_size(cut: &Cut, blocks: BlockRange) -> Option<(usize, BlockRange)> {
    let mut sizes = blocks.iter().take(BATCH).map(|block| cut.block_len(block));
    let size = sizes.next()?;
    let mut count = 1;
    for next in sizes {
        count += u32::from(next <= size);
        if next != size {
            break;
        }
    }
    Some((size, BlockRange { start: blocks.start, end: BlockId(blocks.start.0 + count) }))
}

fn check_batch<'a>(signature: &BlockSums, first: BlockId, batch: &'a [u8], block_size: usize) -> Vec<Checked<'a>> {
    let sum_len = signature.hasher().sum_len();
    let count = batch.len().div_ceil(block_size);
    let mut sums = [0; BATCH * StrongSum::MAX_LEN];
    let sums = &mut sums[..count * sum_len];
    signature.hasher().sum_blocks(batch, block_size, sums);

    let expected = &signature.strong_column()[first.index() * sum_len..][..count * sum_len];
    let is_right = |block: usize| {
        let sum = block * sum_len..(block + 1) * sum_len;
        sums[sum.clone()] == expected[sum]
    };
    let mut checked = Vec::new();
    let mut start = 0;
    while start < count {
        let right = is_right(start);
        let end = (start..count).find(|&block| is_right(block) != right).unwrap_or(count);
        let id = |block: usize| BlockId(first.0 + block as u32);
        checked.push(if right {
            let data = &batch[start * block_size..batch.len().min(end * block_size)];
            Checked::Right(VerifiedRun { first: id(start), data })
        } else {
            Checked::Wrong(BlockRange { start: id(start), end: id(end) })
        });
        start = end;
    }
    checked
}

impl<'a> VerifiedRun<'a> {
    pub(crate) fn first(self) -> BlockId {
        self.first
    }

    pub(crate) fn data(self) -> &'a [u8] {
        self.data
    }

    pub(crate) fn blocks(self, cut: &Cut) -> BlockRange {
        blocks_from(cut, self.first, self.data)
    }
}

/// The blocks in `data`, which begins with `first`.
fn blocks_from(cut: &Cut, first: BlockId, data: &[u8]) -> BlockRange {
    if data.is_empty() {
        return BlockRange { start: first, end: first };
    }
    let end = cut.range(first).start + data.len() as u64;
    BlockRange { start: first, end: cut.block_at(end) }
}

impl<'a> From<VerifiedBlock<'a>> for VerifiedRun<'a> {
    fn from(block: VerifiedBlock<'a>) -> Self {
        Self { first: block.id(), data: block.data() }
    }
}

/// Verified blocks in memory, not all of them neighbours.
pub(crate) struct VerifiedBlocks {
    cut: Cut,
    /// Ascending, each with where its bytes begin in `data`.
    ranges: Vec<(BlockRange, usize)>,
    data: Vec<u8>,
}

impl VerifiedBlocks {
    /// Makes room for `wanted`, ascending, and has it filled. `fetch` succeeds only
    /// when it gave every one of those blocks to the function that it is given.
    pub(crate) fn collect<T>(
        cut: &Cut,
        wanted: &[BlockRange],
        fetch: impl FnOnce(&WriteRun<'_>) -> Result<T, PatchError>,
    ) -> Result<(Self, T), PatchError> {
        let mut len = 0;
        let place = |&range| {
            let at = len;
            len += cut.bytes(range).len() as usize;
            (range, at)
        };
        let ranges: Vec<_> = wanted.iter().map(place).collect();
        let blocks = Mutex::new(Self { cut: cut.clone(), ranges, data: vec![0; len] });
        let fetched = fetch(&|run| {
            blocks.lock().unwrap_or_else(PoisonError::into_inner).put(run);
            Ok(())
        })?;
        Ok((blocks.into_inner().unwrap_or_else(PoisonError::into_inner), fetched))
    }

    /// The blocks from `first` on, as far as they are neighbours here and come before
    /// `end`; `None` when `first` is not here.
    pub(crate) fn run(&self, first: BlockId, end: BlockId) -> Option<VerifiedRun<'_>> {
        let (range, at) = self.range_of(first)?;
        let start = at + self.cut.bytes(BlockRange { start: range.start, end: first }).len() as usize;
        let len = self.cut.bytes(BlockRange { start: first, end: end.min(range.end) }).len() as usize;
        Some(VerifiedRun { first, data: &self.data[start..start + len] })
    }

    fn put(&mut self, run: VerifiedRun<'_>) {
        let Some((range, at)) = self.range_of(run.first) else { return };
        let start = at + self.cut.bytes(BlockRange { start: range.start, end: run.first }).len() as usize;
        self.data[start..start + run.data.len()].copy_from_slice(run.data);
    }

    fn range_of(&self, block: BlockId) -> Option<(BlockRange, usize)> {
        let after = self.ranges.partition_point(|(range, _)| range.start <= block);
        let (range, at) = *self.ranges.get(after.checked_sub(1)?)?;
        (block < range.end).then_some((range, at))
    }
}
