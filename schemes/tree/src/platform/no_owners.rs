//! Systems without users and groups that have numbers.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::fs::{Dir, Metadata};

pub(crate) fn may_own() -> bool {
    false
}

pub(crate) fn own_ids() -> (u32, u32) {
    (0, 0)
}

pub(crate) fn owner_of(_: &Metadata) -> (u32, u32) {
    (0, 0)
}

pub(crate) fn user_name(_: u32) -> Option<String> {
    None
}

pub(crate) fn group_name(_: u32) -> Option<String> {
    None
}

pub(crate) fn user_id(_: &str) -> Option<u32> {
    None
}

pub(crate) fn group_id(_: &str) -> Option<u32> {
    None
}

pub(crate) fn set_owner(_: &File, _: u32, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn set_link_owner(_: &Dir, _: &Path, _: u32, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
