//! What an interrupted run has put into the staged file already, and what is left to do.

use gosync_chunks::{BlockRange, BlockSums, ByteRange, Cut, Phase, Plan, Progress};
use gosync_chunks::{Step, is_zeros};
use gosync_files::LocalFile;
use gosync_files::ReadBuffer;
use gosync_sums::SUBTREE;
use gosync_work::hand_out;

use crate::carry_out::holes::data_from;
use crate::carry_out::missing::Missing;
use crate::carry_out::output::Output;
use crate::check::verified::{Checked, check};
use crate::error::PatchError;
use crate::groups::{Groups, joined};
use crate::halt::Halt;

/// The blocks that `plan` has steps for and that do not stand at their place in `output`.
///
/// All that was written of them is read and summed, on the current rayon pool. What is
/// wrong is cleared, so that afterwards the rest is as empty as in a fresh file. A block
/// of zeros stands where nothing was written.
pub(crate) fn absent_blocks(
    plan: &Plan,
    sums: &BlockSums,
    output: &Output<'_>,
    halt: &Halt<'_>,
    progress: &dyn Progress,
) -> Result<Missing, PatchError> {
    let cut = sums.cut();
    let file = output.reader()?;
    let absent = Missing::new(&plan.blocks());
    let written = wanted_among(&written_blocks(&file, cut), &absent);
    progress.begin(Phase::Verify, written.iter().map(|&blocks| cut.bytes(blocks).len()).sum());

    let pieces = Groups::new(written.into_iter(), cut, SUBTREE).flatten();
    hand_out(pieces, ReadBuffer::default, |buffer, piece| {
        halt.check()?;
        let range = cut.bytes(piece);
        let data = buffer.read(&file, range).map_err(|source| output.unreadable(source))?;
        for checked in check(sums, piece.start, data) {
            match checked {
                Checked::Right(run) => run.blocks(cut).iter().for_each(|block| _ = absent.remove(block)),
                Checked::Wrong(blocks) => {
                    let wrong = cut.bytes(blocks);
                    let at = (wrong.start - range.start) as usize;
                    if !is_zeros(&data[at..at + wrong.len() as usize]) {
                        output.clear(wrong)?;
                    }
                }
            }
        }
        progress.advance(Phase::Verify, range.len());
        Ok::<(), PatchError>(())
    })?;

    let zeros = vec![0; cut.length().min(cut.largest_block().into()) as usize];
    let mut last = None;
    for block in absent.iter() {
        let len = cut.block_len(block);
        let sum = match last {
            Some((of, sum)) if of == len => sum,
            _ => sums.hasher().sum(&zeros[..len]),
        };
        last = Some((len, sum));
        if sums.has_strong(block, &sum) {
            absent.remove(block);
        }
    }
    Ok(absent)
}

/// What of `plan` is left when only the blocks in `absent` are wanted: no step is there
/// for the others.
pub(crate) fn remaining(plan: &Plan, absent: &Missing) -> Plan {
    let cut = plan.cut();
    let wanted = |blocks: BlockRange| blocks.iter().filter(|&block| absent.contains(block));
    let mut rest = Plan::new(cut.clone());
    for step in plan.steps() {
        match *step {
            Step::Copy { target, seed, offset } => wanted(cut.within(target))
                .for_each(|block| rest.copy(block, seed, offset + (cut.range(block).start - target.start))),
            Step::Fetch { blocks } => wanted(blocks).for_each(|block| rest.fetch(block)),
            Step::Repeat { blocks, of } => wanted(blocks).for_each(|block| rest.repeat(block, of)),
        }
    }
    rest
}

/// Those of `blocks` that are in `absent`.
fn wanted_among(blocks: &[BlockRange], absent: &Missing) -> Vec<BlockRange> {
    joined(blocks.iter().flat_map(|blocks| blocks.iter()).filter(|&block| absent.contains(block)))
}

/// The blocks of which anything was written, as far as the file system can tell.
fn written_blocks(file: &LocalFile, cut: &Cut) -> Vec<BlockRange> {
    let mut written = Vec::new();
    let mut offset = 0;
    while offset < cut.length() {
        let data = data_from(file, offset);
        if data.start >= cut.length() {
            break;
        }
        let blocks = cut.covering(ByteRange { start: data.start, end: data.end.min(cut.length()) });
        written.push(blocks);
        offset = cut.bytes(blocks).end;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::{BlockId, BlockLayout, SeedId};

    #[test]
    fn leaves_out_what_stands() {
        let layout = BlockLayout::new(95, 10).unwrap();
        let mut plan = Plan::new(layout);
        (0..4).for_each(|block| plan.copy(BlockId(block), SeedId(1), 7 + u64::from(block) * 10));
        (4..7).for_each(|block| plan.fetch(BlockId(block)));
        (7..9).for_each(|block| plan.repeat(BlockId(block), BlockId(5)));
        plan.fetch(BlockId(9));
        let absent = Missing::new(&[layout.blocks()]);
        assert_eq!(remaining(&plan, &absent), plan);
        assert!([1, 5, 7].iter().all(|&block| absent.remove(BlockId(block))));

        let mut rest = Plan::new(layout);
        [0, 2, 3].iter().for_each(|&block| rest.copy(BlockId(block), SeedId(1), 7 + u64::from(block) * 10));
        [4, 6].iter().for_each(|&block| rest.fetch(BlockId(block)));
        rest.repeat(BlockId(8), BlockId(5));
        rest.fetch(BlockId(9));
        assert_eq!(remaining(&plan, &absent), rest);
        assert_eq!((rest.matched_bytes(), rest.fetched_bytes()), (40, 25));
    }
}
