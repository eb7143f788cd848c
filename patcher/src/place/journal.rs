//! The note beside a staged file that says what the file is to become.
//!
//! It is `.NAME.gosync-journal`, 64 bytes: the magic, a [`TargetId`], and a checksum over
//! both. It is written once, before anything is in the staged file, and says nothing
//! about single blocks: *which* of them have arrived the staged file tells best itself.
//! Where nothing was written is a hole, and whether a block is right only its strong
//! sum can tell, whatever a list of blocks might claim. To sum what is there costs less
//! than to get any of it again, so a list would save nothing, and it would have to be
//! kept behind the data on disk at the price of a sync every few megabytes. This way a
//! kill loses no block that was written, and a power failure those that the system had
//! not yet written back: they are holes or zeros afterwards, and wrong.
//!
//! What the file is to become it cannot tell itself. Another target needs its blocks at
//! other places, so only what is left of the same one may be written over; the
//! left-over of another is a seed. A journal that lies costs bytes and nothing else.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use gosync_chunks::{BlockSums, FileHash};
use gosync_files::entry;
use gosync_sums::FileHasher;

use crate::place::error::StageError;

/// What a file is to become: a hash over how the target is cut into blocks, their strong
/// sums, and the hash of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetId(FileHash);

const MAGIC: &[u8; 16] = b"gosync-journal 1";
const CHECK_LEN: usize = 16;
const LEN: usize = MAGIC.len() + 32 + CHECK_LEN;

impl TargetId {
    /// The target that `identity` stands for and nothing else does.
    pub fn new(identity: &[u8]) -> Self {
        Self(FileHasher::hash(identity))
    }

    /// The target with these `sums`, whose hash is `file_hash` where that is known.
    pub fn of(sums: &BlockSums, file_hash: Option<FileHash>) -> Self {
        let mut identity = Vec::new();
        identity.extend(sums.cut().length().to_le_bytes());
        identity.extend(sums.cut().largest_block().to_le_bytes());
        identity.extend(FileHasher::hash(sums.strong_column()).0);
        identity.extend(file_hash.map_or([0; 32], |hash| hash.0));
        Self::new(&identity)
    }

    fn encode(self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &self.0.0].concat();
        bytes.extend(check(&bytes));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, sum) = bytes.split_at_checked(LEN - CHECK_LEN)?;
        let id = content.strip_prefix(MAGIC)?.try_into().ok()?;
        (check(content) == sum).then_some(Self(FileHash(id)))
    }
}

/// The note beside a staged file, of what that is to become: one of gosync's own, or nothing
/// where that is not to be gone on with.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    id: Option<TargetId>,
}

impl Journal {
    pub(crate) fn new(path: PathBuf, id: Option<TargetId>) -> Self {
        Self { path, id }
    }

    /// Whether what is at its path says the same. What is damaged, torn, missing or no file
    /// says nothing.
    pub(crate) fn holds(&self) -> bool {
        self.id.is_some() && read(&self.path) == self.id
    }

    /// Writes it, in place of an older one.
    pub(crate) fn write(&self) -> Result<(), StageError> {
        let write = |id: TargetId| entry::create(&self.path)?.write_all(&id.encode());
        let written = self.remove().and_then(|()| self.id.map_or(Ok(()), write));
        written.map_err(|source| StageError::Create { path: self.path.clone(), source })
    }

    /// Removes it, if it is there.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn check(content: &[u8]) -> [u8; CHECK_LEN] {
    let FileHash(hash) = FileHasher::hash(content);
    std::array::from_fn(|at| hash[at])
}

fn read(path: &Path) -> Option<TargetId> {
    let file = entry::open(path, OpenOptions::new().read(true)).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LEN as u64 + 1).read_to_end(&mut bytes).ok()?;
    TargetId::decode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_journals_count() {
        let id = TargetId(FileHasher::hash(b"target"));
        let bytes = id.encode();
        assert_eq!((bytes.len(), TargetId::decode(&bytes)), (LEN, Some(id)));
        for at in 0..bytes.len() {
            assert_eq!(TargetId::decode(&bytes[..at]), None, "torn at {at}");
            let zeros = [&bytes[..at], &vec![0; LEN - at]].concat();
            assert_eq!(TargetId::decode(&zeros), None, "zeros from {at}");
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert_eq!(TargetId::decode(&flipped), None, "bit {bit} of byte {at}");
            }
        }
        assert_eq!(TargetId::decode(&[&bytes[..], b"x"].concat()), None);
    }
}
