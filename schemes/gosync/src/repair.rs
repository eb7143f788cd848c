//! What is done when a target came out wrong.
//!
//! Block sums are only long enough that a wrong match is improbable, and whoever can
//! write a seed can make one. The nodes of the target's hash tell which part is wrong, and
//! that alone is fetched again. Where blocks cannot be verified at all, it may be the
//! index that is damaged: then the layers above the damage will do.

use gosync_chunks::BlockRange;
use gosync_patcher::{Patch, PatchError, Report, StagedFile, VerifyError};
use gosync_sums::FileHasher;

use crate::Error;
use crate::format::Layered;
use crate::layers::{nodes, wrong_subtrees};

/// Fetches again what is wrong in `staged`, whose blocks all have their sums though the
/// whole does not have its hash.
///
/// # Errors
///
/// When the tree or the source cannot be read, or it is still wrong afterwards.
pub(crate) fn repair(index: &Layered, patch: &Patch<'_>, staged: &mut StagedFile) -> Result<Report, Error> {
    let (expected, _) = index.tree()?;
    let cut = patch.plan.cut();
    let mut wrong: Vec<BlockRange> = Vec::new();
    for subtrees in wrong_subtrees(&expected, &nodes_of(staged, patch)?, index.length()) {
        let blocks = cut.covering(subtrees);
        match wrong.last_mut() {
            Some(last) if last.end >= blocks.start => last.end = blocks.end,
            _ => wrong.push(blocks),
        }
    }
    let mut report = patch.refetch(&wrong, staged)?;
    (report.copied, report.repeated) = (patch.plan.copied_bytes(), patch.plan.repeated_bytes());
    report.fetched += patch.plan.fetched_bytes();
    let actual = FileHasher::new(index.length()).finish(&nodes_of(staged, patch)?);
    let expected = index.file_hash();
    if actual == expected { Ok(report) } else { Err(PatchError::FileHash { expected, actual }.into()) }
}

/// The nodes of a staged file.
fn nodes_of(staged: &StagedFile, patch: &Patch<'_>) -> Result<Vec<[u8; 32]>, Error> {
    let path = staged.path();
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let file = staged.reader().map_err(unreadable)?;
    nodes(&file, patch.progress).map_err(|error| match error {
        VerifyError::Read(source) => unreadable(source),
        source => Error::Verify { path: path.to_owned(), source },
    })
}
