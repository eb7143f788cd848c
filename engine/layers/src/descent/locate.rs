//! Where a file is wrong, to the finest layer.

use std::sync::Arc;

use gosync_chunks::{BlockRange, BlockSums, ByteRange, Cut, Progress, ReadAt, StrongHasher};
use gosync_files::ReadBuffer;
use gosync_patcher::{Verdict, VerifyError, verify, wrong_blocks};
use gosync_sums::{FileHasher, SUBTREE};
use gosync_work::hand_out;

use crate::error::Error;
use crate::format::{LayeredIndex, WEAK_LEN};

/// Compares `data` with the target of `index`. Layers below the coarsest are only read
/// for what is wrong in the layer above.
///
/// # Errors
///
/// When sums or `data` cannot be read, or `progress` cancels.
pub fn locate(data: &dyn ReadAt, index: &LayeredIndex, progress: &dyn Progress) -> Result<Verdict, Error> {
    let hasher = Arc::new(index.hasher());
    let mut blocks = Blocks::default();
    let all = [index.layers()[0].layout.blocks()];
    let (records, _) = index.records(0, &all)?;
    blocks.add(index, 0, all[0], &records);
    let mut sums = blocks.sums(hasher.clone());
    let mut verdict = verify(data, &sums, Some(index.file_hash()), progress)?;
    for layer in 1..index.layers().len() {
        if verdict.wrong.is_empty() {
            break;
        }
        blocks = blocks.divided(index, layer, &sums, &verdict.wrong)?;
        sums = blocks.sums(hasher.clone());
        let suspects = verdict.wrong.iter().map(|&range| sums.cut().within(range)).collect();
        verdict.wrong = wrong_blocks(data, &sums, suspects, progress)?;
    }
    if verdict.wrong.is_empty() && verdict.wrong_hash.is_some() {
        // Somebody made data that has the same sums; BLAKE3 is not to be fooled.
        verdict.wrong = wrong_subtrees(&index.tree()?.0, &nodes(data, progress)?, data.size());
    }
    Ok(verdict)
}

/// The nodes of the subtrees of a mebibyte that `data` has.
///
/// # Errors
///
/// When it cannot be read, or `progress` cancels.
pub fn nodes(data: &dyn ReadAt, progress: &dyn Progress) -> Result<Vec<[u8; 32]>, VerifyError> {
    let hasher = FileHasher::new(data.size());
    let mut nodes = vec![[0; 32]; hasher.piece_count()];
    hand_out(nodes.iter_mut().enumerate(), ReadBuffer::default, |buffer, (at, node)| {
        progress.check()?;
        *node = hasher.piece(at, buffer.read(data, subtree(at, data.size()))?);
        Ok::<(), VerifyError>(())
    })?;
    Ok(nodes)
}

/// The subtrees of a target of `length` bytes whose nodes differ, joined where they touch.
pub fn wrong_subtrees(expected: &[[u8; 32]], actual: &[[u8; 32]], length: u64) -> Vec<ByteRange> {
    let mut wrong: Vec<ByteRange> = Vec::new();
    for (at, _) in expected.iter().zip(actual).enumerate().filter(|(_, (expected, actual))| expected != actual) {
        let range = subtree(at, length);
        match wrong.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => wrong.push(range),
        }
    }
    wrong
}

fn subtree(at: usize, length: u64) -> ByteRange {
    let start = at as u64 * SUBTREE as u64;
    ByteRange { start, end: length.min(start + SUBTREE as u64) }
}

/// Blocks of several layers that make up the target, and their sums.
#[derive(Default)]
struct Blocks {
    ends: Vec<u64>,
    strong: Vec<u8>,
}

impl Blocks {
    /// Adds `blocks` of a layer, whose `records` are here.
    fn add(&mut self, index: &LayeredIndex, layer: usize, blocks: BlockRange, records: &[u8]) {
        let of = index.layers()[layer];
        for (block, record) in blocks.iter().zip(records.chunks_exact(of.record_len)) {
            self.ends.push(of.layout.range(block).end);
            self.strong.extend_from_slice(&record[WEAK_LEN..WEAK_LEN + index.strong_len()]);
        }
    }

    fn sums(&self, hasher: Arc<dyn StrongHasher>) -> BlockSums {
        let bounds: Vec<u64> = [0].iter().chain(&self.ends).copied().collect();
        BlockSums::new(Cut::at(bounds), self.strong.clone(), hasher).expect("a sum for each end")
    }

    /// The same with the blocks of the layer above that are `wrong` divided.
    fn divided(
        &self,
        index: &LayeredIndex,
        layer: usize,
        sums: &BlockSums,
        wrong: &[ByteRange],
    ) -> Result<Self, Error> {
        let of = index.layers()[layer];
        let is_divided = |range: ByteRange| {
            let at = wrong.partition_point(|wrong| wrong.end <= range.start);
            let is_wrong = wrong.get(at).is_some_and(|wrong| wrong.start < range.end);
            is_wrong && range.len() > u64::from(of.layout.block_size())
        };
        let blocks = || sums.cut().blocks().iter().map(|block| (block, sums.cut().range(block)));
        let layout = Cut::from(of.layout);
        let parts: Vec<BlockRange> =
            blocks().filter(|&(_, range)| is_divided(range)).map(|(_, range)| layout.covering(range)).collect();
        let (records, _) = index.records(layer, &parts)?;
        let mut records = records.as_slice();
        let mut parts = parts.into_iter();
        let mut divided = Self::default();
        for (block, range) in blocks() {
            match parts.as_slice().first() {
                Some(&part) if layout.bytes(part).start == range.start => {
                    let (own, rest) = records.split_at(part.len() * of.record_len);
                    divided.add(index, layer, part, own);
                    records = rest;
                    parts.next();
                }
                _ => {
                    divided.ends.push(range.end);
                    divided.strong.extend_from_slice(sums.strong(block));
                }
            }
        }
        Ok(divided)
    }
}
