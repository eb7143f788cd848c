//! Targets inside gzip files: what a control file says of them, and fetching from within.

mod map;
mod recompress;

pub use map::BlockMap;
pub use recompress::Recompress;
