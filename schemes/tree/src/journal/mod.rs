//! What is to be done to a directory, written down before it is done.

mod carry;
mod codec;
mod file;

pub use carry::Kept;
pub(crate) use carry::{NEW, carry_out, discard};
pub(crate) use file::{read, write};
