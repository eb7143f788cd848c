//! Whether a file is the target, and where it is not.

use std::io;
use std::sync::{Mutex, PoisonError};

use gosync_chunks::{
    BlockId, BlockRange, BlockSums, ByteRange, Cancelled, Cut, FileHash, Phase, Progress, ReadAt, ranges,
};
use gosync_files::ReadBuffer;
use gosync_sums::{FileHasher, SUBTREE};
use gosync_work::hand_out;

use crate::check::verified::{Checked, check};
use crate::groups::Groups;

/// What a file was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Length of the data in bytes.
    pub length: u64,
    /// Length of the target in bytes.
    pub expected_length: u64,
    /// The bytes of the target that the data lacks or has otherwise, in whole blocks,
    /// ascending and merged.
    pub wrong: Vec<ByteRange>,
    /// The hash of the data, where it was computed and is not the one expected.
    pub wrong_hash: Option<FileHash>,
}

impl Verdict {
    /// Whether the data is the target.
    pub fn is_good(&self) -> bool {
        self.length == self.expected_length && self.wrong.is_empty() && self.wrong_hash.is_none()
    }

    /// Bytes of the target in [`wrong`](Self::wrong).
    pub fn wrong_bytes(&self) -> u64 {
        self.wrong.iter().map(|range| range.len()).sum()
    }
}

/// Why a file could not be verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The data cannot be read, or became shorter meanwhile.
    #[error("cannot read the file to its end")]
    Read(#[from] io::Error),
    /// The caller wished to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Compares `data` with `signature`, on all threads of the current rayon pool; each
/// holds a mebibyte, or one block where that is more.
///
/// Where `file_hash` is given and matches, that is the answer; otherwise the strong sum
/// of every block is checked, which tells where `data` is wrong.
///
/// # Errors
///
/// When `data` cannot be read, or `progress` cancels.
pub fn verify(
    data: &dyn ReadAt,
    sums: &BlockSums,
    file_hash: Option<FileHash>,
    progress: &dyn Progress,
) -> Result<Verdict, VerifyError> {
    let rest = match file_hash {
        Some(expected) if data.size() == sums.cut().length() => {
            Rest::Hash { expected, nodes: vec![None; FileHasher::new(data.size()).piece_count()] }
        }
        _ => Rest::Blocks(vec![sums.cut().blocks()]),
    };
    verify_rest(data, sums, rest, progress)
}

/// Compares `data` with the hash of a whole of `length` bytes, of which nothing else is known.
///
/// # Errors
///
/// As [`verify`].
pub fn verify_whole(
    data: &dyn ReadAt,
    length: u64,
    file_hash: FileHash,
    progress: &dyn Progress,
) -> Result<Verdict, VerifyError> {
    let mut verdict = Verdict { length: data.size(), expected_length: length, wrong: Vec::new(), wrong_hash: None };
    if data.size() == length {
        let actual = hash(data, vec![None; FileHasher::new(length).piece_count()], progress)?;
        verdict.wrong_hash = Some(actual).filter(|actual| *actual != file_hash);
    }
    Ok(verdict)
}

/// What has to be looked at to tell whether data is the target.
pub(crate) enum Rest {
    /// The parts of the whole's hash that are not known yet.
    Hash { expected: FileHash, nodes: Vec<Option<[u8; 32]>> },
    /// These blocks, ascending; all others are known to be right.
    Blocks(Vec<BlockRange>),
}

/// As [`verify`], where some of `data` is known already.
pub(crate) fn verify_rest(
    data: &dyn ReadAt,
    sums: &BlockSums,
    rest: Rest,
    progress: &dyn Progress,
) -> Result<Verdict, VerifyError> {
    let cut = sums.cut();
    let mut verdict =
        Verdict { length: data.size(), expected_length: cut.length(), wrong: Vec::new(), wrong_hash: None };
    let suspects = match rest {
        Rest::Hash { expected, nodes } => {
            let actual = hash(data, nodes, progress)?;
            if actual == expected {
                return Ok(verdict);
            }
            verdict.wrong_hash = Some(actual);
            vec![cut.blocks()]
        }
        Rest::Blocks(blocks) => blocks,
    };
    verdict.wrong = wrong_blocks(data, sums, suspects, progress)?;
    Ok(verdict)
}

/// The hash of all of `data`, of which some `nodes` are known.
fn hash(data: &dyn ReadAt, mut nodes: Vec<Option<[u8; 32]>>, progress: &dyn Progress) -> Result<FileHash, VerifyError> {
    let hasher = FileHasher::new(data.size());
    let unit = SUBTREE as u64;
    let range = |index: usize| ByteRange::at(index as u64 * unit, (data.size() - index as u64 * unit).min(unit));
    let unknown = nodes.iter().enumerate().filter(|(_, node)| node.is_none());
    progress.begin(Phase::Verify, unknown.map(|(index, _)| range(index).len()).sum());
    let unknown = nodes.iter_mut().enumerate().filter(|(_, node)| node.is_none());
    hand_out(unknown, ReadBuffer::default, |buffer, (index, node)| {
        progress.check()?;
        *node = Some(hasher.piece(index, buffer.read(data, range(index))?));
        progress.advance(Phase::Verify, range(index).len());
        Ok::<(), VerifyError>(())
    })?;
    let nodes: Vec<[u8; 32]> = nodes.into_iter().flatten().collect();
    Ok(hasher.finish(&nodes))
}

/// The blocks among `suspects`, which ascend, that `data` lacks or has otherwise, ascending
/// and merged.
///
/// # Errors
///
/// When `data` cannot be read, or `progress` cancels.
pub fn wrong_blocks(
    data: &dyn ReadAt,
    sums: &BlockSums,
    suspects: Vec<BlockRange>,
    progress: &dyn Progress,
) -> Result<Vec<ByteRange>, VerifyError> {
    let cut = sums.cut();
    let end = present_blocks(cut, data.size()).end;
    let part = |&BlockRange { start, end: last }: &BlockRange| {
        let at = end.clamp(start, last);
        (BlockRange { start, end: at }, BlockRange { start: at, end: last })
    };
    let (present, absent): (Vec<_>, Vec<_>) = suspects.iter().map(part).unzip();
    progress.begin(Phase::Verify, present.iter().map(|&blocks| cut.bytes(blocks).len()).sum());

    let wrong = Mutex::new(absent.into_iter().map(|blocks| cut.bytes(blocks)).collect::<Vec<_>>());
    let pieces = Groups::new(present.into_iter(), cut, SUBTREE).flatten();
    hand_out(pieces, ReadBuffer::default, |buffer, piece| {
        progress.check()?;
        let range = cut.bytes(piece);
        for checked in check(sums, piece.start, buffer.read(data, range)?) {
            if let Checked::Wrong(blocks) = checked {
                wrong.lock().unwrap_or_else(PoisonError::into_inner).push(cut.bytes(blocks));
            }
        }
        progress.advance(Phase::Verify, range.len());
        Ok::<(), VerifyError>(())
    })?;
    Ok(ranges::merged(wrong.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// The blocks that data of `length` bytes has in full.
fn present_blocks(cut: &Cut, length: u64) -> BlockRange {
    BlockRange { start: BlockId(0), end: cut.block_at(length) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::{BlockLayout, StrongHasher};
    use gosync_sums::Md5;
    use std::sync::Arc;

    fn sums_of(target: &[u8], block_size: u32) -> BlockSums {
        let layout = BlockLayout::new(target.len() as u64, block_size).unwrap();
        let mut strong = vec![0; layout.block_count() as usize * Md5::FULL_LEN];
        Md5::full().sum_blocks(target, block_size as usize, &mut strong);
        BlockSums::new(layout, strong, Arc::new(Md5::full())).unwrap()
    }

    fn target(length: usize) -> Vec<u8> {
        (0..length as u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
    }

    fn verdict_on(data: &[u8], expected: &[u8], block_size: u32, with_hash: bool) -> Verdict {
        let file_hash = with_hash.then(|| FileHasher::hash(expected));
        verify(&data.to_vec(), &sums_of(expected, block_size), file_hash, &()).unwrap()
    }

    #[test]
    fn good_at_every_boundary() {
        for length in [0, 1, 9, 10, 11, 639, 640, 641, SUBTREE - 1, SUBTREE, SUBTREE + 1] {
            for with_hash in [true, false] {
                assert!(verdict_on(&target(length), &target(length), 10, with_hash).is_good(), "{length}");
            }
        }
    }

    #[test]
    fn tells_where_it_is_wrong() {
        let expected = target(3 * SUBTREE + 5);
        let mut data = expected.clone();
        for at in [0, 1500, 2500, 500_000, 3 * SUBTREE + 4] {
            data[at] ^= 1;
        }
        for with_hash in [true, false] {
            let verdict = verdict_on(&data, &expected, 1000, with_hash);
            assert_eq!(
                verdict.wrong,
                [(0, 3000), (500_000, 501_000), (3_145_000, 3_145_733)].map(|(start, end)| ByteRange { start, end })
            );
            assert_eq!(verdict.wrong_bytes(), 4733);
            assert_eq!(verdict.wrong_hash, with_hash.then(|| FileHasher::hash(&data)));
            assert!(!verdict.is_good());
        }
    }

    #[test]
    fn every_length_but_one_is_wrong() {
        let expected = target(1005);
        for (length, wrong) in
            [(0, Some(0)), (9, Some(0)), (10, Some(10)), (1004, Some(1000)), (1006, None), (5000, None)]
        {
            let verdict = verdict_on(&target(length), &expected, 10, true);
            assert_eq!((verdict.length, verdict.expected_length), (length as u64, 1005));
            assert_eq!(verdict.wrong.first().map(|range| range.start), wrong, "{length}");
            assert!(verdict.wrong.iter().all(|range| range.end == 1005));
            assert!(!verdict.is_good());
        }
    }

    #[test]
    fn a_hash_that_contradicts_the_blocks_is_told() {
        let data = target(100);
        let verdict = verify(&data, &sums_of(&data, 10), Some(FileHash([0; 32])), &()).unwrap();
        assert_eq!((verdict.wrong.len(), verdict.wrong_hash), (0, Some(FileHasher::hash(&data))));
        assert!(!verdict.is_good());
    }
}
