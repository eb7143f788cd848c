//! Targets inside gzip files: what a control file says of them, and fetching and making such.

mod bits;
mod header;
mod inflate;
mod make;
mod map;
mod pieces;
mod published;
mod recompress;
mod spool;
mod whole;

pub use header::BlockHeader;
pub use inflate::{InflateError, Inflater};
pub(crate) use make::compress;
pub use map::BlockMap;
pub use published::Published;
pub(crate) use published::{Way, usable_map, ways};
pub use recompress::Recompress;
