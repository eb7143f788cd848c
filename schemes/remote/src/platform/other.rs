//! Elsewhere: paths are text.

use std::path::PathBuf;

pub(crate) fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    Some(std::str::from_utf8(bytes).ok()?.into())
}
