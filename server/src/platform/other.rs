//! Names that are text.

use std::ffi::OsString;

/// The name of these bytes, if the system can have it.
pub(crate) fn os_string(bytes: &[u8]) -> Option<OsString> {
    String::from_utf8(bytes.to_vec()).ok().map(OsString::from)
}
