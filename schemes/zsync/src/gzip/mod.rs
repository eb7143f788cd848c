//! Targets inside gzip files: what a control file says of them, and fetching and making such.

mod make;
mod map;
mod recompress;
mod source;

pub(crate) use make::compress;
pub use map::BlockMap;
pub use recompress::Recompress;
pub(crate) use source::Published;
