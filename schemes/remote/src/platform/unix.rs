//! Unix: paths are bytes.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;

pub(crate) fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    Some(OsStr::from_bytes(bytes).into())
}

pub(crate) fn bytes_of(path: &Path) -> Option<Vec<u8>> {
    Some(path.as_os_str().as_bytes().to_vec())
}

/// A path that leads to an opened directory, whatever becomes of its name, as Linux has it.
pub(crate) fn path_of_handle(directory: &Dir) -> io::Result<PathBuf> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    if path.is_dir() { Ok(path) } else { Err(super::no_handles()) }
}
