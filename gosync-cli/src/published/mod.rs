//! What was published of a target, whatever its format, and what commands do with it.

pub(crate) mod beside;
pub(crate) mod control;
mod index;
pub(crate) mod latest;
pub(crate) mod open;
pub(crate) mod packed;
pub(crate) mod update;
