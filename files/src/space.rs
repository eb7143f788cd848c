//! Room on disk. Most of this is advice, which not all systems take.

use std::fs::File;
use std::io;

use gosync_chunks::ByteRange;

use crate::platform;

/// Sets room aside for `range` of `file`, which is about to be written: a third less work
/// than to find room for each page. Where that fails, writing tells why. Until it is
/// written, `range` reads as zeros and counts as a hole.
pub fn reserve(file: &File, range: ByteRange) {
    let _ = platform::allocate(file, range);
}

/// Has the system begin to write to disk what was written to `range` of `file`, so that
/// syncing need not wait for all of it: that made writing a file and syncing it take a third
/// less time. What fails, syncing tells.
pub fn send_to_disk(file: &File, range: ByteRange) {
    let _ = platform::write_back(file, range);
}

/// Makes a hole of `range` of `file`, which then reads as zeros and takes no room.
///
/// # Errors
///
/// When the system or the file system cannot do that: zeros can still be written.
pub fn punch_hole(file: &File, range: ByteRange) -> io::Result<()> {
    platform::punch_hole(file, range)
}

/// Room that a file system has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    /// Bytes that can be written.
    pub bytes: u64,
    /// Whether copies may take none of it.
    pub may_share: bool,
}

/// What is free where `file` is; `None` where that says nothing of how much fits.
pub fn free(file: &File) -> Option<Free> {
    platform::free(file).map(|(bytes, may_share)| Free { bytes, may_share })
}

/// Bytes on disk that `file` has taken already, written or only set aside; 0 where that cannot be
/// told.
pub fn taken(file: &File) -> u64 {
    platform::taken(file)
}

/// Bytes of the blocks that the file system of `file` keeps, which only whole can be shared.
pub fn cluster_size(file: &File) -> u64 {
    platform::cluster_size(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LocalFile, entry, write_all_at};
    use gosync_chunks::ReadAt;

    #[test]
    fn what_is_reserved_is_a_hole_and_what_is_punched_becomes_one() {
        const PIECE: u64 = 1 << 20;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let file = entry::create(&path).unwrap();
        file.set_len(3 * PIECE).unwrap();
        reserve(&file, ByteRange::at(0, PIECE));
        write_all_at(&file, &[7; PIECE as usize], PIECE).unwrap();
        send_to_disk(&file, ByteRange::at(PIECE, PIECE));
        let reader = LocalFile::open(&path).unwrap();
        let mut read = vec![1; PIECE as usize];
        reader.read_exact_at(0, &mut read).unwrap();
        assert!(read.iter().all(|&byte| byte == 0));

        let written = reader.next_data(0).unwrap().unwrap();
        let finds_holes = written.start > 0;
        assert!(!finds_holes || written == ByteRange::at(PIECE, PIECE), "{written}");
        if punch_hole(&file, ByteRange::at(PIECE, PIECE)).is_ok() {
            reader.read_exact_at(PIECE, &mut read).unwrap();
            assert!(read.iter().all(|&byte| byte == 0));
            assert!(!finds_holes || reader.next_data(0).unwrap().is_none());
        }
        assert!(cluster_size(&file).is_power_of_two());
    }
}
