//! How packed files begin.

use std::io;

use gosync_chunks::{ByteRange, ReadAt};

use super::gzip;
use super::view::View;

/// Whether a member that lies there as it is may be looked into: whether it begins like a file
/// that is packed.
pub(crate) fn is_packed(data: &dyn ReadAt, range: ByteRange) -> io::Result<bool> {
    let view = View { data, range };
    let first = view.bytes::<4>(0)?;
    Ok(gzip::is_one(&view)? || first.is_some_and(|first| first == *b"PK\x03\x04"))
}

/// Whether `data` begins like a packed file: whether it is worth being opened. A zip file that has a
/// program before it does not.
///
/// # Errors
///
/// When it cannot be read.
pub fn begins_packed(data: &dyn ReadAt) -> io::Result<bool> {
    is_packed(data, ByteRange::at(0, data.size()))
}
