//! Room on disk that is asked for and given back.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;

use gosync_chunks::ByteRange;
use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate};

/// Until it is written it reads as zeros, and counts as a hole.
pub(crate) fn allocate(file: &File, range: ByteRange) -> io::Result<()> {
    Ok(fallocate(file, FallocateFlags::KEEP_SIZE, range.start, range.len())?)
}

pub(crate) fn punch_hole(file: &File, range: ByteRange) -> io::Result<()> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, flags, range.start, range.len())?)
}

/// Linux takes pages that are not needed for a reason to write them, and keeps those that it writes.
pub(crate) fn write_back(file: &File, range: ByteRange) -> io::Result<()> {
    Ok(fadvise(file, range.start, NonZeroU64::new(range.len()), Advice::DontNeed)?)
}
