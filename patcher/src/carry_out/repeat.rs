//! Blocks that equal a fetched one, written from there.

use gosync_chunks::{BlockId, BlockRange, BlockSums, Phase, Plan, Progress, ReadAt, Step};
use gosync_files::ReadBuffer;
use gosync_work::hand_out;

use crate::carry_out::output::Output;
use crate::error::PatchError;
use crate::halt::Halt;

/// Fills all repeats of `plan` from the fetched blocks in `written`, the output so far.
///
/// They are read back, which the page cache answers, so that however many blocks will
/// be repeated none has to be kept in memory.
pub(crate) fn write_repeats(
    plan: &Plan,
    sums: &BlockSums,
    written: &dyn ReadAt,
    output: &Output<'_>,
    halt: &Halt<'_>,
    progress: &dyn Progress,
) -> Result<(), PatchError> {
    let mut repeats: Vec<(BlockId, BlockRange)> = plan.steps().iter().filter_map(repeat).collect();
    repeats.sort_unstable_by_key(|&(of, blocks)| (of, blocks.start));
    let groups = repeats.chunk_by(|(one, _), (other, _)| one == other);
    hand_out(groups, ReadBuffer::default, |buffer, group| {
        let of = group[0].0;
        let data = buffer.read(written, sums.cut().range(of)).map_err(|source| output.unreadable(source))?;
        // Where a block is wrong, so are its repeats, and the verification finds them all.
        let Ok(block) = sums.verify(of, data) else { return Ok(()) };
        for &(_, blocks) in group {
            halt.check()?;
            output.repeat(block, blocks, halt)?;
            progress.advance(Phase::Copy, sums.cut().bytes(blocks).len());
        }
        Ok(())
    })
}

fn repeat(step: &Step) -> Option<(BlockId, BlockRange)> {
    match *step {
        Step::Repeat { blocks, of } => Some((of, blocks)),
        _ => None,
    }
}
