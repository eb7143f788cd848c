//! What differs between systems: the names of files.

use std::ffi::OsString;

/// The name of these bytes, if the system can have it.
#[cfg(unix)]
pub(crate) fn os_string(bytes: &[u8]) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()))
}

/// The name of these bytes, if the system can have it.
#[cfg(not(unix))]
pub(crate) fn os_string(bytes: &[u8]) -> Option<OsString> {
    String::from_utf8(bytes.to_vec()).ok().map(OsString::from)
}
