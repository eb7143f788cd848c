//! The compressed payload: the target in frames that can be fetched one by one.
//!
//! What a client lacks is often a few hundred bytes in many places, so *fine* frames are
//! as small as a leaf of the index. Each is compressed with the target's bytes just before
//! it at hand, which the client has rebuilt by then: that halves them. Beside them, for
//! every few tens of kilobytes, there is one *coarse* frame of the same bytes, for where all
//! is new. A frame may also *refer* to a region of the target further back, and says how far:
//! bundles have the same new code several times. It has no other header: where it lies, how
//! long it is and what it makes is known from the index. FORMAT.md has the bytes.

mod earlier;
mod encode;
mod frame;
mod gather;
mod options;
mod pack;
mod piece;
mod reference;
mod source;

pub use encode::{EncodeError, encode};
pub use frame::{FrameDecoder, FrameEncoder, FrameError};
pub use options::EncodeOptions;
pub use pack::Tables;
pub use source::FramedSource;
