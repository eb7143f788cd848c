//! Names of any bytes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The name of these bytes, if the system can have it.
pub(crate) fn os_string(bytes: &[u8]) -> Option<OsString> {
    Some(OsString::from_vec(bytes.to_vec()))
}
