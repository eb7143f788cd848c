//! The file on its way to its place: staged beside the target, noted in a journal, renamed.

pub(crate) mod complete;
pub(crate) mod error;
pub(crate) mod journal;
pub(crate) mod names;
pub(crate) mod staged;
mod temporary;
