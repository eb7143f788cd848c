//! Putting what was made where clients look for it, and telling of it.

pub(crate) mod control;
pub(crate) mod index;
pub(crate) mod name;
pub(crate) mod packed;
