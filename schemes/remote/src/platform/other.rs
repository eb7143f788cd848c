//! Elsewhere: paths are text.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;

pub(crate) fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    Some(std::str::from_utf8(bytes).ok()?.into())
}

pub(crate) fn bytes_of(path: &Path) -> Option<Vec<u8>> {
    Some(path.to_str()?.as_bytes().to_vec())
}

pub(crate) fn path_of_handle(_: &Dir) -> io::Result<PathBuf> {
    Err(super::no_handles())
}
