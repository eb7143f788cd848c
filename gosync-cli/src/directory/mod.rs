//! Directories: what the commands do with them in place of files.

pub(crate) mod build;
pub(crate) mod opened;
pub(crate) mod outcome;
