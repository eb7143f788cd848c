//! Extended attributes are not handed on here.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::path::Path;

pub(crate) fn names(_: &Path) -> Vec<CString> {
    Vec::new()
}

pub(crate) fn get(_: &Path, _: &CStr) -> Option<Vec<u8>> {
    None
}

pub(crate) fn get_of(_: &File, _: &CStr) -> Option<Vec<u8>> {
    None
}

pub(crate) fn set(_: &File, _: &CStr, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn remove(_: &File, _: &CStr) -> io::Result<()> {
    Ok(())
}
