//! Linux, macOS and their like.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;

/// Standard input as a file: it may be one, and then has a length and can be read in any order.
pub(crate) fn standard_input() -> io::Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Standard output without the lines that `Stdout` looks for.
pub(crate) fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Gives a temporary file the permissions of the file that it will replace, or those that
/// any new file has.
pub(crate) fn allow(file: &mut tempfile::Builder<'_, '_>, replaced: Option<Permissions>) {
    file.permissions(replaced.unwrap_or_else(|| Permissions::from_mode(0o666)));
}
