//! Where a file is wrong, to the finest layer.

use std::sync::Arc;

use gosync_chunks::{BlockRange, BlockSums, ByteRange, Cut, Progress, ReadAt, StrongHasher};
use gosync_patcher::{Verdict, VerifyError, verify};

use crate::Error;
use crate::format::{Layered, WEAK_LEN};

/// Compares `data` with the target of `index`. Layers below the coarsest are only read
/// for what is wrong in the layer above.
///
/// # Errors
///
/// When sums cannot be read; `failed` makes an error of what went wrong with `data`.
pub(crate) fn locate(
    data: &dyn ReadAt,
    index: &Layered,
    progress: &dyn Progress,
    failed: impl Fn(VerifyError) -> Error,
) -> Result<Verdict, Error> {
    let hasher = Arc::new(index.hasher());
    let mut blocks = Blocks::default();
    blocks.add(index, 0, index.layers()[0].layout.blocks())?;
    let mut sums = blocks.sums(hasher.clone());
    let mut verdict = verify(data, &sums, Some(index.file_hash()), progress).map_err(&failed)?;
    for layer in 1..index.layers().len() {
        if verdict.wrong.is_empty() {
            break;
        }
        blocks = blocks.divided(index, layer, &sums, &verdict.wrong)?;
        sums = blocks.sums(hasher.clone());
        verdict.wrong = verify(data, &sums, None, progress).map_err(&failed)?.wrong;
    }
    Ok(verdict)
}

/// Blocks of several layers that make up the target, and their sums.
#[derive(Default)]
struct Blocks {
    ends: Vec<u64>,
    strong: Vec<u8>,
}

impl Blocks {
    /// Adds `blocks` of a layer.
    fn add(&mut self, index: &Layered, layer: usize, blocks: BlockRange) -> Result<(), Error> {
        let of = index.layers()[layer];
        let (records, _) = index.records(layer, &[blocks])?;
        for (block, record) in blocks.iter().zip(records.chunks_exact(of.record_len)) {
            self.ends.push(of.layout.range(block).end);
            self.strong.extend_from_slice(&record[WEAK_LEN..WEAK_LEN + index.strong_len()]);
        }
        Ok(())
    }

    fn sums(&self, hasher: Arc<dyn StrongHasher>) -> BlockSums {
        let bounds: Vec<u64> = [0].iter().chain(&self.ends).copied().collect();
        BlockSums::new(Cut::at(bounds), self.strong.clone(), hasher)
    }

    /// The same with the blocks of the layer above that are `wrong` divided.
    fn divided(&self, index: &Layered, layer: usize, sums: &BlockSums, wrong: &[ByteRange]) -> Result<Self, Error> {
        let size = u64::from(index.layers()[layer].layout.block_size());
        let mut divided = Self::default();
        for (block, &end) in sums.cut().blocks().iter().zip(&self.ends) {
            let range = sums.cut().range(block);
            let at = wrong.partition_point(|wrong| wrong.end <= range.start);
            if wrong.get(at).is_some_and(|wrong| wrong.start < range.end) && range.len() > size {
                let layout = Cut::from(index.layers()[layer].layout);
                divided.add(index, layer, layout.covering(range))?;
            } else {
                divided.ends.push(end);
                divided.strong.extend_from_slice(sums.strong(block));
            }
        }
        Ok(divided)
    }
}
