//! Room on disk that is asked for and given back.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::MetadataExt;

use gosync_chunks::ByteRange;
use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate, fstatfs, fstatvfs};
use rustix::process::geteuid;

/// Until it is written it reads as zeros, and counts as a hole.
pub(crate) fn allocate(file: &File, range: ByteRange) -> io::Result<()> {
    Ok(fallocate(file, FallocateFlags::KEEP_SIZE, range.start, range.len())?)
}

/// How many bytes fit, and whether copies may take no room.
///
/// What file systems count as free is not what fits where they compress, which these do not.
pub(crate) fn free(file: &File) -> Option<(u64, bool)> {
    const PLAIN: [u64; 5] = [0x0102_1994, 0xEF53, 0x4d44, 0x2011_BAB0, 0x8584_58f6]; // tmpfs, ext, FAT, exFAT, ramfs
    const SHARING: [u64; 1] = [0x5846_5342]; // XFS
    let is_plain = match fstatfs(file).ok()?.f_type as u64 {
        kind if PLAIN.contains(&kind) => true,
        kind if SHARING.contains(&kind) => false,
        _ => return None,
    };
    let room = fstatvfs(file).ok().filter(|room| room.f_blocks > 0)?;
    // Some is set aside for root.
    let blocks = if geteuid().is_root() { room.f_bfree } else { room.f_bavail };
    Some((blocks.saturating_mul(room.f_frsize), !is_plain))
}

pub(crate) fn taken(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.blocks() * 512)
}

pub(crate) fn punch_hole(file: &File, range: ByteRange) -> io::Result<()> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, flags, range.start, range.len())?)
}

/// Linux takes pages that are not needed for a reason to write them, and keeps those that it writes.
pub(crate) fn write_back(file: &File, range: ByteRange) -> io::Result<()> {
    Ok(fadvise(file, range.start, NonZeroU64::new(range.len()), Advice::DontNeed)?)
}
