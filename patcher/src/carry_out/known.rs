//! What of the output needs no reading back, since it was verified on its way there.

use std::sync::OnceLock;

use gosync_chunks::{BlockSums, ByteRange, FileHash, Step};
use gosync_sums::{FileHasher, SUBTREE};

use crate::carry_out::missing::Missing;
use crate::carry_out::output::Output;
use crate::check::verified::{Checked, check};
use crate::check::verify::Rest;
use crate::error::PatchError;
use crate::groups::joined;
use crate::patch::Patch;

/// The part of a verification that is done while copies are written.
///
/// Where the hash of the whole is known, that is the verification: a piece that is a
/// whole subtree of it is hashed from the memory that it is written from. Otherwise it is
/// the strong sums: fetched and repeated blocks were right before they were written, so
/// only copied ones are summed.
pub(crate) struct Known<'a> {
    sums: &'a BlockSums,
    by: By,
}

enum By {
    Hash {
        expected: FileHash,
        hasher: FileHasher,
        nodes: Vec<OnceLock<[u8; 32]>>,
    },
    /// The copied blocks that nobody has summed.
    Blocks(Missing),
}

impl<'a> Known<'a> {
    /// What is known of the output of `patch` before anything is copied.
    pub(crate) fn new(patch: &Patch<'a>) -> Self {
        let cut = patch.sums.cut();
        let by = match patch.file_hash {
            Some(expected) => {
                let hasher = FileHasher::new(cut.length());
                let nodes = (0..hasher.piece_count()).map(|_| OnceLock::new()).collect();
                By::Hash { expected, hasher, nodes }
            }
            None => {
                let copied = patch.plan.steps().iter().filter_map(|step| match step {
                    Step::Copy { target, .. } => Some(cut.within(*target)),
                    _ => None,
                });
                By::Blocks(Missing::new(&copied.collect::<Vec<_>>()))
            }
        };
        Self { sums: patch.sums, by }
    }

    /// Bytes of the target that are verified together: copies are best cut at their multiples.
    pub(crate) fn unit(&self) -> u64 {
        match self.by {
            By::Hash { .. } => SUBTREE as u64,
            By::Blocks(_) => {
                // Of blocks of several sizes some are cut, and read back.
                let block_size = u64::from(self.sums.cut().largest_block());
                block_size * (SUBTREE as u64 / block_size).max(1)
            }
        }
    }

    /// Writes what a seed had. Blocks that are seen to be wrong are left out.
    pub(crate) fn write(&self, output: &Output<'_>, offset: u64, data: &[u8]) -> Result<(), PatchError> {
        let cut = self.sums.cut();
        let range = ByteRange::at(offset, data.len() as u64);
        let is_whole = |unit: u64| {
            range.start.is_multiple_of(unit) && (range.end.is_multiple_of(unit) || range.end == cut.length())
        };
        match &self.by {
            By::Hash { hasher, nodes, .. } if is_whole(SUBTREE as u64) && data.len() <= SUBTREE => {
                let index = (offset / SUBTREE as u64) as usize;
                let node = hasher.piece(index, data);
                output.write_copied(offset, data)?;
                nodes[index].get_or_init(|| node);
                Ok(())
            }
            By::Blocks(unsummed) if cut.bytes(cut.within(range)) == range => {
                for checked in check(self.sums, cut.within(range).start, data) {
                    if let Checked::Right(run) = checked {
                        output.write_copied(cut.range(run.first()).start, run.data())?;
                        run.blocks(cut).iter().for_each(|block| _ = unsummed.remove(block));
                    }
                }
                Ok(())
            }
            _ => output.write_copied(offset, data),
        }
    }

    /// What is still to be verified.
    pub(crate) fn rest(self) -> Rest {
        match self.by {
            By::Hash { expected, nodes, .. } => {
                Rest::Hash { expected, nodes: nodes.into_iter().map(OnceLock::into_inner).collect() }
            }
            By::Blocks(unsummed) => Rest::Blocks(joined(unsummed.iter())),
        }
    }
}
