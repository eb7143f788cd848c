//! Whether bytes are what the sums say.

pub(crate) mod verified;
pub(crate) mod verify;
