//! Plans carried out over seeds and sources in memory and on disk.

// Clippy knows the functions that are tests, not the others in here.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod case;
mod changed_seeds;
mod files;
mod full_disks;
mod many;
mod patching;
mod resuming;
mod source;
mod staging;
mod stopping;
mod wrong_sources;
