//! Systems whose extended attributes no listing has.

use std::fs::File;
use std::io;

use crate::listing::extras::Xattrs;

pub(crate) fn may_set_xattr(_: &[u8]) -> bool {
    false
}

pub(crate) fn xattrs(_: &File) -> io::Result<Xattrs> {
    Ok(Xattrs::new())
}

pub(crate) fn set_xattr(_: &File, _: &[u8], _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn remove_xattr(_: &File, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
