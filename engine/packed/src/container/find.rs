//! Finds out what a range of bytes is.

use std::io;

use gosync_chunks::{ByteRange, ReadAt};

use super::view::{Member, View};
use super::{gzip, tar, zip};

/// What a range of bytes may hold.
pub(crate) enum Found {
    /// Members of a gzip file, from the beginning on.
    Gzip,
    /// Members of something, in order.
    Members(Vec<Member>),
}

/// Looks what `range` of `data` may hold, of which `most` members at most are taken.
pub(crate) fn find(data: &dyn ReadAt, range: ByteRange, most: usize) -> io::Result<Option<Found>> {
    let view = View { data, range };
    if gzip::is_one(&view)? {
        return Ok(Some(Found::Gzip));
    }
    // A zip file may be the last in a tar file, and ends like one then.
    let members = match tar::members(&view, most)? {
        Some(members) => members,
        None => match zip::members(&view, most)? {
            Some(members) => members,
            None => return Ok(None),
        },
    };
    Ok(Some(Found::Members(members)))
}
