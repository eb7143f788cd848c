//! What is done when a target came out wrong.
//!
//! Block sums are only long enough that a wrong match is improbable, and whoever can
//! write a seed can make one. The nodes of the target's hash tell which part is wrong, and
//! that alone is fetched again. Where blocks cannot be verified at all, it may be the
//! index that is damaged: then the layers above the damage will do.

use gosync_chunks::work::hand_out;
use gosync_chunks::{BlockRange, ByteRange, FileHasher, LocalFile, ReadAt, ReadBuffer, SUBTREE};
use gosync_patcher::{Patch, PatchError, Report, StagedFile};

use crate::Error;
use crate::format::Layered;

/// Fetches again what is wrong in `staged`, whose blocks all have their sums though the
/// whole does not have its hash.
///
/// # Errors
///
/// When the tree or the source cannot be read, or it is still wrong afterwards.
pub(crate) fn repair(index: &Layered, patch: &Patch<'_>, staged: &mut StagedFile) -> Result<Report, Error> {
    let (expected, _) = index.tree()?;
    let actual = nodes(staged)?;
    let cut = patch.plan.cut();
    let mut wrong: Vec<BlockRange> = Vec::new();
    for (at, _) in expected.iter().zip(&actual).enumerate().filter(|(_, (expected, actual))| expected != actual) {
        let start = at as u64 * SUBTREE as u64;
        let blocks = cut.covering(ByteRange { start, end: cut.length().min(start + SUBTREE as u64) });
        match wrong.last_mut() {
            Some(last) if last.end >= blocks.start => last.end = blocks.end,
            _ => wrong.push(blocks),
        }
    }
    let mut report = patch.refetch(&wrong, staged)?;
    (report.copied, report.repeated) = (patch.plan.copied_bytes(), patch.plan.repeated_bytes());
    report.fetched += patch.plan.fetched_bytes();
    let actual = FileHasher::new(index.length()).finish(&nodes(staged)?);
    let expected = index.file_hash();
    if actual == expected { Ok(report) } else { Err(PatchError::FileHash { expected, actual }.into()) }
}

/// The nodes of a staged file.
fn nodes(staged: &StagedFile) -> Result<Vec<[u8; 32]>, Error> {
    let unreadable = |source| Error::Read { path: staged.path().to_owned(), source };
    let file = staged.file().try_clone().and_then(|file| LocalFile::new(staged.path(), file)).map_err(unreadable)?;
    let hasher = FileHasher::new(file.size());
    let mut nodes = vec![[0; 32]; hasher.piece_count()];
    hand_out(nodes.iter_mut().enumerate(), ReadBuffer::default, |buffer, (at, node)| {
        let start = at as u64 * SUBTREE as u64;
        let range = ByteRange { start, end: file.size().min(start + SUBTREE as u64) };
        *node = hasher.piece(at, buffer.read(&file, range).map_err(unreadable)?);
        Ok::<(), Error>(())
    })?;
    Ok(nodes)
}
