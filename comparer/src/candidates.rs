//! What passed the sieve, on its way to be verified.

use gosync_chunks::Lookup;
use gosync_rollsum::{Candidate, Sieve};

use crate::search::BATCH;

/// Candidates to verify at once.
pub(crate) struct Batch {
    pub(crate) hits: [Candidate; BATCH],
    /// How many weak hits there were before each.
    pub(crate) before: [u64; BATCH],
    pub(crate) count: usize,
}

impl Batch {
    pub(crate) fn empty() -> Self {
        Self { hits: [Candidate { position: 0, key: 0 }; BATCH], before: [0; BATCH], count: 0 }
    }

    /// Adds one, before which there were so many weak hits.
    pub(crate) fn push(&mut self, hit: Candidate, before: u64) {
        (self.hits[self.count], self.before[self.count]) = (hit, before);
        self.count += 1;
    }
}

/// What to do about a candidate.
pub(crate) enum Hit {
    /// It is worth a strong sum.
    Worthy(Candidate),
    /// It is no block.
    Void,
    /// To be looked at again, once those before it are verified.
    Later,
}

/// Those candidates whose keys some block may have. They are asked about 64 at a time and
/// not all at once, so that what tells is still in the cache when one is looked up.
pub(crate) struct Possible<'a, Index> {
    /// What is asked, where their keys are those that it has.
    lookup: Option<&'a Index>,
    /// Those that were asked about, and which of them are left.
    asked: &'a [Candidate],
    left: u64,
    rest: &'a [Candidate],
}

impl<'a, Index: Lookup<Sieve = Sieve>> Possible<'a, Index> {
    /// Of these candidates, in ascending order.
    pub(crate) fn new(lookup: Option<&'a Index>, candidates: &'a [Candidate]) -> Self {
        Self { lookup, asked: &[], left: 0, rest: candidates }
    }

    /// The next one; those before `open` are not asked about any more. Where not so `many` may be
    /// wanted, fewer are asked about at a time.
    pub(crate) fn next(&mut self, open: usize, many: usize) -> Option<Candidate> {
        while self.left == 0 {
            // A match makes many of them void where there is much of the same, as in a run of one byte.
            if self.rest.first().is_some_and(|candidate| candidate.position < open) {
                let closed = self.rest.partition_point(|candidate| candidate.position < open);
                self.rest = &self.rest[closed..];
            }
            (self.asked, self.rest) = self.rest.split_at(self.rest.len().min(64).min(8 * many));
            let mut keys = [0; 64];
            let keys = &mut keys[..self.asked.len()];
            if keys.is_empty() {
                return None;
            }
            self.asked.iter().zip(&mut *keys).for_each(|(candidate, key)| *key = candidate.key);
            let all = u64::MAX >> (64 - keys.len());
            self.left = self.lookup.map_or(all, |lookup| lookup.may_have(keys));
        }
        let at = self.left.trailing_zeros();
        self.left &= self.left - 1;
        Some(self.asked[at as usize])
    }

    /// Lets `candidate`, which was the last one, be the next one again.
    pub(crate) fn put_back(&mut self, candidate: Candidate) {
        let at = self.asked.partition_point(|asked| asked.position < candidate.position);
        self.left |= 1 << at;
    }
}
