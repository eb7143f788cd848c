//! Windows, and whatever else is no Unix: names are text, and there is no mode.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

#[cfg(windows)]
use cap_std::fs::OpenOptionsExt;
use cap_std::fs::{Dir, Metadata, OpenOptions};

/// Whether modes are what they are set to.
pub(crate) const HAS_MODES: bool = false;

/// What a time is kept in, in nanoseconds: NTFS leaves out what is less.
pub(crate) const TIME_UNIT: u32 = 100;

/// A path in a tree as this system has it. It is one with either separator.
pub(crate) fn path_of(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}

/// The bytes of a name that this system has, or of the target of a link.
pub(crate) fn bytes_of(name: &OsStr) -> Option<Vec<u8>> {
    Some(name.to_str()?.as_bytes().to_vec())
}

/// Names of devices, with whatever behind a dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Why a path cannot be on this system, where that is so.
pub(crate) fn fault_of(path: &[u8]) -> Option<&'static str> {
    let Ok(path) = std::str::from_utf8(path) else { return Some("it is no text") };
    path.split('/').find_map(|name| {
        let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
        let numbered = |prefix: &str| stem.strip_prefix(prefix).is_some_and(|rest| rest.chars().count() == 1);
        if name.contains(|c: char| matches!(c, '\\' | ':' | '<' | '>' | '"' | '|' | '?' | '*') || c < ' ') {
            Some("it has a character that Windows does not allow")
        } else if name.ends_with(['.', ' ']) {
            Some("it ends with a dot or a space, which Windows drops")
        } else if DEVICES.contains(&&*stem) || numbered("COM") || numbered("LPT") {
            Some("Windows has a device of this name")
        } else {
            None
        }
    })
}

/// The permission bits that a system with modes would have.
pub(crate) fn mode_of(metadata: &Metadata) -> u32 {
    if metadata.is_dir() { 0o755 } else { 0o644 }
}

/// Its device, its number there, and how many names it has: only an open file knows that.
pub(crate) fn identity_of(_: &Metadata) -> (u64, u64, u64) {
    (0, 0, 1)
}

/// Opens for setting what a file or directory has beside its contents.
pub(crate) fn to_set(options: &mut OpenOptions) -> &mut OpenOptions {
    // GENERIC_READ and FILE_WRITE_ATTRIBUTES: times cannot be set with the right to read alone.
    #[cfg(windows)]
    options.access_mode(0x8000_0000 | 0x0100);
    options.read(true)
}

/// Gives a file or directory its permission bits: there are none here.
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Gives what is called `name` in `directory` its permission bits: there are none here.
pub(crate) fn set_mode_at(_: &Dir, _: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes the symbolic link `name` in `directory`.
#[cfg(windows)]
pub(crate) fn symlink(directory: &Dir, target: &Path, name: &Path) -> io::Result<()> {
    directory.symlink_file(target, name)
}

/// Makes the symbolic link `name` in `directory`: not here.
#[cfg(not(windows))]
pub(crate) fn symlink(_: &Dir, _: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether all that was written can be had on disk at once.
pub(crate) const SYNCS_ALL: bool = false;

/// Has everything on disk: not here.
pub(crate) fn sync_all(_: &File) -> io::Result<()> {
    Ok(())
}

/// Has the names in a directory on disk: the system sees to that.
pub(crate) fn sync_directory(_: &File) -> io::Result<()> {
    Ok(())
}

/// Whether an error says that a link was met where none may be.
pub(crate) fn is_loop(_: &io::Error) -> bool {
    false
}
