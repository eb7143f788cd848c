//! Files and names on Unix.

use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
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

/// For what is read and need not be a file: a pipe that nobody writes to, or a device that waits
/// for a carrier, is opened at once.
pub(crate) fn reading(options: &mut OpenOptions) -> &mut OpenOptions {
    options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
}

/// Whether `path` stands for something that this process has open already, as `/dev/stdin` does.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    const STREAMS: [&str; 3] = ["/dev/stdin", "/dev/stdout", "/dev/stderr"];
    STREAMS.iter().any(|stream| path == Path::new(stream))
        || ["/dev/fd", "/proc/self/fd"].iter().any(|directory| path.starts_with(directory))
}

/// Whether it is the device that is always empty.
pub(crate) fn empty_device(metadata: &Metadata) -> bool {
    let null = fs::metadata("/dev/null");
    metadata.file_type().is_char_device() && null.is_ok_and(|null| null.rdev() == metadata.rdev())
}

pub(crate) fn special_kind(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_block_device() => Some("a block device"),
        _ if kind.is_char_device() => Some("a device"),
        _ if kind.is_fifo() => Some("a pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ => None,
    }
}

pub(crate) fn kind_of_name(_: &OsStr) -> Option<&'static str> {
    None
}

/// Device and inode.
pub(crate) type Identity = (u64, u64);

pub(crate) fn identity(file: &File) -> io::Result<Identity> {
    file.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Of what is at `path`, which may be a link.
pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
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
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(error) if !matches!(error.kind(), PermissionDenied | InvalidInput | Unsupported) => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn cluster_size(file: &File) -> u64 {
    const USUAL: u64 = 4096;
    rustix::fs::fstatvfs(file).map_or(USUAL, |file_system| file_system.f_frsize.max(512))
}

/// What Linux says of this process under `field`.
pub(crate) fn status(field: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(field)?.trim().to_owned()))
}
