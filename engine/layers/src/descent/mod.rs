//! The descent through the layers of an index.
//!
//! A flat list of block sums costs index bytes in proportion to the file, and makes the
//! publisher guess a block size. Here coarse blocks come first, and the sums of their
//! parts are fetched only beneath blocks that no seed has, and so on down, so that index
//! bytes grow with the change and not with the file.

mod asked;
mod beside;
mod descend;
mod expected;
mod frames;
mod locate;
mod place;
mod searched;
mod spans;
mod zeros;

pub use descend::{Descent, DescentOptions, LayerReport, descend};
pub use frames::{Finder, Frames, encode as encode_lengths};
pub use locate::{locate, nodes, wrong_subtrees};
pub use zeros::Zeros;
