//! The vocabulary that the parts of gosync share: blocks, ranges, weak and strong
//! sums, signatures, plans, and the traits at the seams between the parts.
//!
//! A *target* is cut into blocks of one size (the last may be short). Its
//! [`Signature`] holds a weak and a strong sum of every block. Whoever holds an old
//! version, a *seed*, finds blocks in it by their sums and writes down a [`Plan`]:
//! what to copy from where and what to fetch. This crate names those things and
//! makes signatures; it does not index, compare, fetch or patch.
//!
//! ```
//! use gosync_chunks::{BlockId, Md5, SumOptions, WeakHasher, sum_target};
//! use std::sync::Arc;
//!
//! /// Any cheap sum will do to make a signature; to be found by rolling, it has to roll.
//! struct ByteSum;
//! impl WeakHasher for ByteSum {
//!     fn sum(&self, block: &[u8]) -> u32 {
//!         block.iter().map(|&byte| u32::from(byte)).sum()
//!     }
//! }
//!
//! let target = b"the quick brown fox jumps over the lazy dog".to_vec();
//! let options = SumOptions { block_size: 16, file_hash: true };
//! let summed = sum_target(&target, &options, &ByteSum, Arc::new(Md5::full()), &())?;
//!
//! let signature = summed.signature;
//! assert_eq!(signature.layout().block_count(), 3);
//! let block = signature.verify(BlockId(2), &target[32..])?;
//! assert_eq!(block.data(), b" the lazy dog"[2..].as_ref());
//! assert!(signature.verify(BlockId(0), &target[32..]).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The seams
//!
//! | trait | implemented by | used by |
//! |---|---|---|
//! | [`Lookup`] | `gosync-index` | `gosync-comparer` |
//! | [`Source`], [`Sink`] | `gosync-blocksources`, `gosync-patcher` | `gosync-patcher`, `gosync-blocksources` |
//! | [`StrongHasher`], [`WeakHasher`] | here, the schemes | [`sum_target`], `gosync-comparer` |
//! | [`ReadAt`] | here | everything that reads a file |
//! | [`Progress`] | the caller | everything that takes long |
//!
//! # Threads
//!
//! Work runs on the rayon pool that the caller is in; this crate makes none.
//!
//! # Limitations
//!
//! A target has at most 2^32 - 1 blocks, and a block at most 16 MiB
//! ([`MAX_BLOCK_SIZE`]): 64 PiB in all.

mod block;
mod cut;
mod data;
mod file_hash;
mod lanes;
mod lookup;
mod name;
mod plan;
mod progress;
pub mod ranges;
mod read_buffer;
mod signature;
mod source;
mod strong;
mod sum_target;
mod tier;
mod weak;
pub mod work;
mod xxh3;

pub use block::{BlockId, BlockLayout, BlockRange, ByteRange, LayoutError, MAX_BLOCK_SIZE};
pub use cut::Cut;
pub use data::{LocalFile, ReadAt, is_zeros};
pub use file_hash::{FileHash, FileHasher, SUBTREE};
pub use lookup::{EqualBlocks, Lookup};
pub use name::{NameError, TargetName};
pub use plan::{Plan, SeedId, Step};
pub use progress::{Phase, Progress};
pub use read_buffer::ReadBuffer;
pub use signature::{BlockSums, Mismatch, Signature, VerifiedBlock};
pub use source::{Limits, Sink, SinkError, Source, SourceError, Transfer};
pub use strong::{Blake2b256, Md4, Md5, StrongHasher, StrongSum};
pub use sum_target::{SumError, SumOptions, Summed, sum_target};
pub use tier::{Tier, UnknownTier};
pub use weak::WeakHasher;
pub use xxh3::Xxh3;
