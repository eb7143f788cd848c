//! Packed files: in the flat target they are opened, and it has a recipe for each of them.

pub(crate) mod close;
pub(crate) mod open;
pub(crate) mod recipes;
pub(crate) mod reopened;
pub(crate) mod seeds;
