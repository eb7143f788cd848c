//! Targets inside gzip files: a target out of pieces of the file, or out of all of it.
//!
//! A [map](BlockMap) tells which bits of the file have which bytes of the target. [`Pieces`] fetches
//! those that have what is missing, each of which begins at some symbol of deflate, and decodes
//! them with what stands before it in the target ([`Inflater`]). [`Whole`] fetches all of the file.

mod bits;
mod error;
mod header;
mod inflate;
mod make;
mod map;
mod pieces;
mod spool;
mod whole;

pub use error::InflateError;
pub use header::BlockHeader;
pub use inflate::Inflater;
pub use make::compress;
pub use map::{BlockMap, MapError, Point, Run};
pub use pieces::Pieces;
pub use whole::Whole;
