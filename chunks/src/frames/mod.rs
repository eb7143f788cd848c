//! The frames of a compressed payload: how a target is cut into them, and where they lie.
//!
//! A payload has the target twice, in *fine* frames for scattered changes and in *coarse* ones
//! for where all is new. An index says where frames lie, and a source decodes them; neither
//! knows the other, and these are the words that they share.

mod extents;
mod layout;
mod lengths;

use crate::block::ByteRange;
use crate::source::Transfer;
use crate::source_error::SourceError;

pub use extents::{Extent, ExtentError, Extents};
pub use layout::{FrameKind, PayloadLayout, PayloadLayoutError};
pub use lengths::FrameLengths;

/// The most bytes that a preamble may have: what stands before every frame's prefix.
pub const MAX_PREAMBLE: usize = 1024;

/// The fewest bytes that a preamble may have: zstd takes no shorter dictionary.
pub const MIN_PREAMBLE: usize = 8;

/// Knows more frames than a client learned on its way to what is missing: where seeds turn out
/// not to have what they had, more is missing.
pub trait FindFrames: Send + Sync {
    /// Where the coarse frames of these numbers lie, which ascend, and what it took to learn that.
    ///
    /// # Errors
    ///
    /// When that cannot be read.
    fn coarse(&self, numbers: &[u64]) -> Result<(Vec<(u64, ByteRange)>, Transfer), SourceError>;
}
