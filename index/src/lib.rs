//! An index of a signature: which block, if any, has these sums.
//!
//! A scan of old data asks at every byte, so the answer "none" has to be cheap, and
//! the index has to be small enough to be held beside the signature.
//! [`BlockIndex`] is built on all cores, is never changed afterwards, and is read by
//! any number of threads without locks.
//!
//! ```
//! use gosync_chunks::{BlockId, BlockLayout, Lookup, Signature, StrongHasher};
//! use gosync_index::BlockIndex;
//! use gosync_sums::Md5;
//! use std::sync::Arc;
//!
//! // Blocks 0 and 2 are equal; 1 has the same weak sum by chance.
//! let blocks: [&[u8]; 3] = [b"abcd", b"efgh", b"abcd"];
//! let strong = blocks.iter().flat_map(|block| Md5::full().sum(block).as_bytes().to_vec()).collect();
//! let signature = Signature::new(BlockLayout::new(12, 4)?, vec![7, 7, 7], strong, Arc::new(Md5::full()))?;
//!
//! let index = BlockIndex::build(&signature);
//! assert_eq!(index.with_key(8).count(), 0);
//! assert!(index.with_key(7).eq([BlockId(0), BlockId(1)]));
//! assert_eq!(index.equal_blocks().first(BlockId(2)), BlockId(0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! Keys are spread by `h = key * 0x9E3779B1` mod 2^32. The index keeps no sums of its
//! own: its entries are block numbers, and the signature has the rest.
//!
//! ```text
//!        ┌ sieve ────────┐  may this key be there?          2 to 4 bytes a block
//!  h ──▶ │ bits          │  no: 98 to 99.3 of 100 absent keys end here
//!        └───────────────┘
//!        ┌ shards ───────┐  the top bits of h pick a shard; each is built by one thread
//!        │ ┌ starts ───┐ │  the next bits pick a bucket: where its entries begin
//!        │ │ 0│5│9│16… │ │                                  about half a byte
//!        │ └──┼────────┘ │
//!        │ ┌ tags ─────┐ │  a byte of each entry's h: an absent key that the sieve let
//!        │ │ ..│c4│1f… │ │  pass seldom gets any further    1 byte a block
//!        │ └───┼───────┘ │
//!        │ ┌ blocks ───┐ │  the entries' block numbers, ordered by h
//!        │ │ ..│17│4 … │ │                                  4 bytes a block
//!        │ └───────────┘ │
//!        └───────────────┘
//!        ┌ equal ────────┐  (17, 4): block 17 equals block 4, and has no entry
//!        └───────────────┘                                  8 bytes for each such block
//! ```
//!
//! Blocks with equal sums are one entry, that of the first; so a thousand blocks of
//! zeros cost one comparison and not a thousand. Of *different* blocks with the same
//! key, which only poor sums on poor data have in number, [`MAX_CHAIN`] are kept.
//!
//! # Limitations
//!
//! A short last block is not in the index: no window of the full size can find it.

mod block_index;
mod shard;

pub use block_index::BlockIndex;
pub use shard::MAX_CHAIN;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
