//! Small frames, packed with tables that all of them share.
//!
//! zstd loads a frame's prefix anew for each frame, which takes a hundred times as long as
//! a small frame itself, and gives each frame tables of its own, which are as long as what
//! they save. Here one pass over the target finds the matches of all frames, and they are
//! written with tables that were made once for the target and stand in a zstd dictionary:
//! what comes out is what any zstd decodes with that dictionary (RFC 8878, 3.1.1 and 5).

mod bits;
mod block;
mod codes;
mod fse;
mod huffman;
mod matches;
mod packer;
mod sequence;
mod tables;

pub(super) use packer::Packer;
pub use tables::Tables;

/// The largest frames that are packed: larger ones are worth tables of their own.
pub(super) const LARGEST: u64 = 1024;
