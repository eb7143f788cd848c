//! Control files: what a `.zsync` says of its target.

pub(crate) mod error;
mod extent;
mod fields;
mod read;
mod write;

pub use error::{ControlError, UnwritableError};
pub use fields::{Control, ReadOptions};

/// What every maker has written as its version since 2010, and every client takes.
pub(crate) const VERSION: &str = "0.6.2";
