//! What differs between systems: a file for each, with the same functions in all of them.
//! This file alone asks which system it is.

#[cfg(not(windows))]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub(crate) use system::{let_writes_fail, shows_colors, standard_input, standard_output, watch_signals};
