//! Plans carried out over seeds and sources in memory and on disk.

// Clippy knows the functions that are tests, not the others in here.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod case;
mod failing;
mod files;
mod patching;
mod resuming;
mod source;
mod staging;
