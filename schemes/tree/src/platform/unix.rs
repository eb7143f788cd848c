//! Unix: names are bytes, and everything has a mode.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions};

/// Whether modes are what they are set to.
pub(crate) const HAS_MODES: bool = true;

/// What a time is kept in, in nanoseconds.
pub(crate) const TIME_UNIT: u32 = 1;

/// A path in a tree as this system has it.
pub(crate) fn path_of(bytes: &[u8]) -> Option<&Path> {
    Some(Path::new(OsStr::from_bytes(bytes)))
}

/// The bytes of a name that this system has, or of the target of a link.
pub(crate) fn bytes_of(name: &OsStr) -> Option<Vec<u8>> {
    Some(name.as_bytes().to_vec())
}

/// Why a path cannot be on this system, where that is so.
pub(crate) fn fault_of(_: &[u8]) -> Option<&'static str> {
    None
}

/// The permission bits of something.
pub(crate) fn mode_of(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o777
}

/// Its device, its number there, and how many names it has.
pub(crate) fn identity_of(metadata: &Metadata) -> (u64, u64, u64) {
    (metadata.dev(), metadata.ino(), metadata.nlink())
}

/// Opens for setting what a file or directory has beside its contents: who owns it may.
pub(crate) fn to_set(options: &mut OpenOptions) -> &mut OpenOptions {
    options.read(true)
}

/// Gives a file or directory its permission bits.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// Gives what is called `name` in `directory` its permission bits, where it cannot be opened.
pub(crate) fn set_mode_at(directory: &Dir, name: &Path, mode: u32) -> io::Result<()> {
    directory.set_permissions(name, cap_std::fs::PermissionsExt::from_mode(mode))
}

/// Makes the symbolic link `name` in `directory`.
pub(crate) fn symlink(directory: &Dir, target: &Path, name: &Path) -> io::Result<()> {
    directory.symlink_contents(target, name)
}

/// Whether all that was written can be had on disk at once.
pub(crate) const SYNCS_ALL: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Has everything that was written to the file system of `directory` on disk.
pub(crate) fn sync_all(directory: &File) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    rustix::fs::syncfs(directory)?;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = directory;
    Ok(())
}

/// Has the names in a directory on disk.
pub(crate) fn sync_directory(directory: &File) -> io::Result<()> {
    directory.sync_all()
}

/// Whether an error says that a link was met where none may be.
pub(crate) fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}
