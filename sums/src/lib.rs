//! The sums of blocks and files: strong sums of many blocks at once, the hash of a file in
//! pieces on all cores, and the signature of a whole target.
//!
//! ```
//! use gosync_chunks::BlockId;
//! use gosync_rollsum::RollingSum;
//! use gosync_sums::{Md5, Rolling, SumOptions, sum_target};
//! use std::sync::Arc;
//!
//! let target = b"the quick brown fox jumps over the lazy dog".as_slice();
//! let options = SumOptions { block_size: 16, file_hash: true };
//! let summed = sum_target(target, &options, &Rolling(RollingSum::Rsync), Arc::new(Md5::full()), &())?;
//!
//! let signature = summed.signature;
//! assert_eq!(signature.layout().block_count(), 3);
//! assert!(signature.verify(BlockId(2), b"he lazy dog").is_ok());
//! assert!(signature.verify(BlockId(0), b"he lazy dog").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The sums
//!
//! | sum | used by |
//! |---|---|
//! | [`Md4`] (RFC 1320) | zsync, librsync |
//! | [`Md5`] (RFC 1321) | go-sync, zsync |
//! | [`Blake2b256`] (RFC 7693) | librsync |
//! | [`Xxh3`], salted | our own format, where a hash of the whole file has the last word |
//! | [`FileHasher`]: BLAKE3 in subtrees of a mebibyte | whole files |
//! | [`Rolling`]: the sums of `gosync-rollsum` | weak sums of all formats |
//!
//! Blocks of one length are summed in the lanes of SIMD vectors, one block in each, on the
//! [`Tier`](gosync_rollsum::Tier) of the process; a single block goes to the crate of its
//! hash.
//!
//! # Threads
//!
//! Work runs on the rayon pool that the caller is in; this crate makes none.

mod file_hash;
mod lanes;
mod rolling;
mod strong;
mod sum_target;
mod xxh3;

pub use file_hash::{FileHasher, SUBTREE};
pub use rolling::Rolling;
pub use strong::{Blake2b256, Md4, Md5};
pub use sum_target::{SumError, SumOptions, Summed, sum_target};
pub use xxh3::Xxh3;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
