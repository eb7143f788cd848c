//! The search of a buffer, for those who cut and join pieces in ways of their own.

use std::ops::Range;

use gosync_chunks::{Lookup, Signature};
use gosync_rollsum::{Candidate, Sieve};

use crate::engine::Match;
use crate::options::CompareOptions;
use crate::search::Search;
use crate::statistics::Statistics;

/// Finds the blocks of a signature in buffers, each from left to right.
pub struct Matcher<'a, Index> {
    search: Search<'a, Index>,
}

/// What was found, and memory that a thread uses for one search after another.
#[derive(Debug, Default)]
pub struct Matches {
    found: Vec<Match>,
    candidates: Vec<Candidate>,
}

impl Matches {
    /// The matches in their order. None begins within another.
    pub fn found(&self) -> &[Match] {
        &self.found
    }
}

impl<'a, Index: Lookup<Sieve = Sieve>> Matcher<'a, Index> {
    /// Searches for the blocks of `signature`, whose index is `lookup`.
    pub fn new(signature: &'a Signature, lookup: &'a Index, options: &CompareOptions) -> Self {
        Self { search: Search::new(signature, lookup, options) }
    }

    /// Finds the blocks that begin at `positions` of `buffer`, as a search does that goes
    /// from left to right, takes every block that it comes to, and goes on behind it.
    ///
    /// Which of several equal blocks is found is left open: `EqualBlocks::first` of it does
    /// not depend on anything else. A short last block is found only behind the block
    /// before it.
    ///
    /// # Panics
    ///
    /// When a window of a block's size at one of the positions reaches past `buffer`.
    pub fn search(&self, buffer: &[u8], positions: Range<usize>, matches: &mut Matches) -> Statistics {
        let Matches { found, candidates } = matches;
        self.search.greedy(buffer, buffer.len(), 0, positions, found, candidates)
    }
}
