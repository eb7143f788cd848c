//! The layers of our own format: choosing and summing them, and the descent through them.
//!
//! A flat list of block sums costs index bytes in proportion to the file, and makes the
//! publisher guess a block size. Here coarse blocks come first, and the sums of their
//! parts are fetched only beneath blocks that no seed has, and so on down, so that index
//! bytes grow with the change and not with the file.

mod asked;
mod beside;
pub(crate) mod choose;
mod descend;
mod expected;
pub(crate) mod frames;
mod locate;
mod searched;
mod spans;
pub(crate) mod sums;
mod zeros;

pub use descend::LayerReport;
pub(crate) use descend::{Descent, descend};
pub(crate) use frames::{Finder, Frames};
pub(crate) use locate::{locate, nodes, wrong_subtrees};
pub(crate) use zeros::Zeros;
