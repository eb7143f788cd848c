//! The vocabulary that the parts of gosync share: blocks, ranges, sums,
//! signatures, plans, and the traits at the seams between the parts.
//!
//! A *target* is cut into blocks of one size (the last may be short). Its
//! [`Signature`] holds a weak and a strong sum of every block. A client that has an old
//! version, a *seed*, finds blocks in it by their sums and writes down a [`Plan`]:
//! what to copy from where and what to fetch. This crate names those things; other crates
//! sum, index, compare, fetch and patch.
//!
//! ```
//! use gosync_chunks::{BlockId, BlockLayout, ByteRange, Plan, SeedId};
//!
//! // A target of 43 bytes in blocks of 16; a seed has the first of them at offset 100.
//! let layout = BlockLayout::new(43, 16)?;
//! let mut plan = Plan::new(layout);
//! plan.copy(BlockId(0), SeedId(0), 100);
//! plan.fetch(BlockId(1));
//! plan.fetch(BlockId(2));
//! assert_eq!(plan.fetch_ranges(), [ByteRange::at(16, 27)]);
//! # Ok::<(), gosync_chunks::LayoutError>(())
//! ```
//!
//! # The seams
//!
//! | trait | implemented by | used by |
//! |---|---|---|
//! | [`Lookup`] | `gosync-index` | `gosync-comparer` |
//! | [`Source`], [`Sink`] | `gosync-blocksources`, `gosync-patcher` | `gosync-patcher`, `gosync-blocksources` |
//! | [`StrongHasher`], [`WeakHasher`] | `gosync-sums`, the schemes | `gosync-sums`, `gosync-comparer` |
//! | [`ReadAt`] | here, `gosync-files` | everything that reads a file |
//! | [`Progress`] | the caller | everything that takes long |
//!
//! # Limitations
//!
//! A target has at most 2^32 - 1 blocks, and a block at most 16 MiB
//! ([`MAX_BLOCK_SIZE`]): 64 PiB in all.

mod block;
mod brief;
mod cut;
mod data;
mod error_kind;
mod file_hash;
pub mod frames;
mod lookup;
mod name;
mod plan;
mod progress;
pub mod ranges;
mod signature;
mod source;
mod source_error;
mod strong;
mod weak;

pub use block::{BlockId, BlockLayout, BlockRange, ByteRange, LayoutError, MAX_BLOCK_SIZE};
pub use brief::Brief;
pub use cut::Cut;
pub use data::{ReadAt, is_zeros};
pub use error_kind::ErrorKind;
pub use file_hash::FileHash;
pub use lookup::{EqualBlocks, Lookup};
pub use name::{NameError, TargetName};
pub use plan::{Plan, SeedId, Step};
pub use progress::{Cancelled, Phase, Progress};
pub use signature::{BlockSums, ColumnError, Mismatch, Signature, VerifiedBlock};
pub use source::{Limits, Sink, Source, Transfer};
pub use source_error::{SinkError, SourceError};
pub use strong::{StrongHasher, StrongSum};
pub use weak::WeakHasher;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
