//! Finds the blocks of a target in old data, on all cores, and plans how to get the rest.
//!
//! This is rsync's search with zsync's division of work: the side that holds the old
//! data looks for the blocks of a [`Signature`], so the side that holds the target
//! needs to compute nothing and can be a static server.
//!
//! ```
//! use gosync_chunks::Step;
//! use gosync_comparer::{CompareOptions, RollingSum, compare};
//! use gosync_index::BlockIndex;
//! use gosync_sums::{Md5, Rolling, SumOptions, sum_target};
//! use std::sync::Arc;
//!
//! let target = b"One fish, two fish, red fish, blue fish.".to_vec();
//! let seed = b"Two fish; red fish, blue fish.".to_vec();
//! let options = SumOptions { block_size: 8, file_hash: false };
//! let signature = sum_target(&target, &options, &Rolling(RollingSum::Rsync), Arc::new(Md5::full()), &())?.signature;
//!
//! let options = CompareOptions::new(RollingSum::Rsync);
//! let found = compare(&signature, &BlockIndex::build(&signature), &[&seed], &options, &())?;
//! assert_eq!(found.plan.fetched_bytes(), 24, "One fish, two fish, red ");
//! assert!(matches!(found.plan.steps(), [Step::Fetch { .. }, Step::Copy { offset: 14, .. }]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it searches
//!
//! Seeds are cut into pieces of a mebibyte of positions, which idle threads take. The
//! pieces overlap by two blocks, so that no match at a cut is lost, and depend on the
//! seeds alone, so that the result is the same for any number of threads. In a piece:
//!
//! 1. A scan gives the positions that may begin a block, in windows that grow from 2
//!    KiB to the whole piece while nothing is found.
//! 2. A candidate's key is looked up, then its strong sum, of up to 48 candidates at once.
//! 3. After a match the block that follows in the target is expected to follow in the
//!    seed too. While it does, nothing rolls and nothing is looked up; again up to 48
//!    blocks are verified at once.
//!
//! What is done about candidates has a [budget](CompareOptions::strong_budget), which grows with
//! every byte searched. Where it is spent, as on data near a run, whose sums collide at nearly
//! every byte, a search looks for less: first for no blocks that begin within others, then, with
//! a sieve of eight bytes or less for each block, only for blocks that the next one seems to
//! follow, and last it passes over positions. It looks for all again once the data is calm.
//! Windows that are known to repeat others that failed are not looked at at all.
//!
//! A short last block is found after the block before it, and at the end of a seed.
//!
//! Where several places of the seeds hold a block, the one at the block's own offset is
//! taken, else the first. A block that equals others is found when any of them is.
//!
//! A [`Matcher`] gives the matches in one buffer themselves, in the seed's order and not the
//! target's. That is what a delta is made of.
//!
//! # Limitations
//!
//! As in rsync, a match hides others that begin within it, unless one asks for those that
//! are [overlapping](CompareOptions::overlapping), at once or [again](compare_again). There
//! can be 32,767 seeds, of 2^48 bytes each.

mod account;
mod candidates;
mod compare;
mod engine;
mod known;
mod locations;
mod matcher;
mod options;
mod repeats;
mod search;
mod statistics;

pub use compare::{
    CompareError, Comparison, Found, UnreadableSeed, compare, compare_again, compare_parts, find_again, find_parts,
};
pub use engine::Match;
pub use gosync_chunks::Signature;
pub use gosync_rollsum::{RollingSum, Sieve, pair_key};
pub use locations::Origin;
pub use matcher::{Matcher, Matches};
pub use options::CompareOptions;
pub use statistics::Statistics;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
