//! Encoders of deflate, made again: the same bytes, the same choices.

pub(crate) mod check;
pub(crate) mod corrections;
pub(crate) mod fingerprint;
pub(crate) mod parse;
mod range_coder;
pub(crate) mod rebuild;
pub(crate) mod record;
mod replay;
pub(crate) mod search;
pub(crate) mod settings;
mod window;
