//! Files and names on Unix.

use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::OFlags;

pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    FileExt::read_exact_at(file, buffer, offset)
}

pub(crate) fn write_all_at(file: &File, data: &[u8], offset: u64) -> io::Result<()> {
    FileExt::write_all_at(file, data, offset)
}

/// For a new file.
pub(crate) fn creating(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600).custom_flags(OFlags::NOFOLLOW.bits() as i32)
}

/// For what may be a link, or a pipe that nobody writes to.
pub(crate) fn opening(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
}

pub(crate) fn special_kind(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_block_device() || kind.is_char_device() => Some("a device"),
        _ if kind.is_fifo() => Some("a pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ => None,
    }
}

pub(crate) fn is_stream(_: &OsStr) -> bool {
    false
}

pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(here), Ok(there)) => identity(here) == identity(there),
        _ => false,
    }
}

/// Whether both paths lead to one thing whose content can be lost: no pipe, say.
pub(crate) fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (fs::metadata(one)?, fs::metadata(other)?);
    let kind = one.file_type();
    let has_content = kind.is_file() || kind.is_dir() || kind.is_block_device();
    Ok(has_content && (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

pub(crate) fn is_in_use(_: &Path) -> bool {
    false
}

pub(crate) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// A directory that may not be read, or that knows no syncing, is left to the system.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

pub(crate) fn is_ours(file: &File, replaced: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    let owner = fs::metadata(replaced).map_or(us, |metadata| metadata.uid());
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 1 && [us, owner].contains(&metadata.uid()))
}

pub(crate) fn knows_no_locks(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error())
}

pub(crate) fn restrict(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))
}

pub(crate) fn adopt(file: &File, replaced: Option<&Metadata>) -> io::Result<()> {
    let mode = match replaced {
        None => 0o666 & !umask(),
        Some(old) => {
            let new = file.metadata()?;
            let keeps_group = new.gid() == old.gid() || fchown(file, None, Some(old.gid())).is_ok();
            let keeps_owner = new.uid() == old.uid() || fchown(file, Some(old.uid()), None).is_ok();
            let mut mode = old.mode() & 0o7777;
            if !keeps_owner {
                mode &= !0o4000;
            }
            if !keeps_group {
                mode &= !0o2070 | (mode & 0o007) << 3;
            }
            mode
        }
    };
    // Last, since a change of owner takes bits away.
    file.set_permissions(Permissions::from_mode(mode))
}

pub(crate) fn cluster_size(file: &File) -> u64 {
    const USUAL: u64 = 4096;
    rustix::fs::fstatvfs(file).map_or(USUAL, |file_system| file_system.f_frsize.max(512))
}

/// What this process takes away from new files.
///
/// The system call that tells it sets it too, which other threads would notice, so it
/// is read from where Linux shows it (since 4.7), and is the usual one elsewhere.
fn umask() -> u32 {
    const USUAL: u32 = 0o022;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(USUAL)
}
