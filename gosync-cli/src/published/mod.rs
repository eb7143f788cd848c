//! What was published of a target, whatever its format.

pub(crate) mod control;
pub(crate) mod index;
pub(crate) mod open;
pub(crate) mod seeds;
pub(crate) mod update;
