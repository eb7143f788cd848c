//! Windows.

use std::fs::{File, Permissions};
use std::io;
use std::os::windows::io::AsHandle;

/// Standard input as a file: it may be one, and then has a length and can be read in any order.
pub(crate) fn standard_input() -> io::Result<File> {
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

/// Standard output without the lines that `Stdout` looks for.
pub(crate) fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// A file here has the permissions of its directory.
pub(crate) fn allow(_: &mut tempfile::Builder<'_, '_>, _: Option<Permissions>) {}
