//! The seam between an index and the search that uses it.

use crate::block::BlockId;
use crate::signature::Signature;
use crate::strong::StrongSum;

/// Answers, for a signature's blocks of full size, which of them may be at a place.
///
/// The questions go from cheap and vague to exact, and are asked in that order; the
/// signature itself has the last word. A short last block is not in a lookup: it
/// cannot be found by rolling a window of the full size.
pub trait Lookup: Sync {
    /// What a scan asks at every position: `gosync_rollsum::Sieve` for the comparer's.
    type Sieve;

    /// The sieve of all keys.
    fn sieve(&self) -> &Self::Sieve;

    /// Sets bit `i` where there may be blocks with key `i` of the up to 64 given: it is
    /// clear only where there is none. This is for what passed the sieve, most of it by
    /// chance; for many at once, so that the reads of the index can overlap.
    fn may_have(&self, keys: &[u32]) -> u64;

    /// The blocks whose weak sum has this key, of equal blocks only the first.
    fn with_key(&self, key: u32) -> impl Iterator<Item = BlockId>;

    /// The block of `signature`, which this is the lookup of, with this key and strong sum.
    fn with_sums(&self, signature: &Signature, key: u32, strong: &StrongSum) -> Option<BlockId> {
        self.with_key(key).find(|&block| signature.has_strong(block, strong))
    }

    /// Which blocks are equal to an earlier one.
    fn equal_blocks(&self) -> &EqualBlocks;
}

/// Blocks that equal an earlier block of the same target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EqualBlocks {
    /// (block, first block equal to it), ascending.
    pairs: Vec<(BlockId, BlockId)>,
}

impl EqualBlocks {
    /// From pairs of a block and the first block equal to it, in any order.
    pub fn new(mut pairs: Vec<(BlockId, BlockId)>) -> Self {
        pairs.sort_unstable();
        pairs.shrink_to_fit();
        Self { pairs }
    }

    /// The first block equal to `block`: itself, where none comes before it.
    pub fn first(&self, block: BlockId) -> BlockId {
        match self.pairs.binary_search_by_key(&block, |&(later, _)| later) {
            Ok(at) => self.pairs[at].1,
            Err(_) => block,
        }
    }

    /// Pairs of a block and the first block equal to it, ascending by block.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (BlockId, BlockId)> {
        self.pairs.iter().copied()
    }

    /// How many blocks equal an earlier one.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether every block is unlike all the others.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Bytes of memory in use.
    pub fn memory(&self) -> usize {
        self.pairs.capacity() * size_of::<(BlockId, BlockId)>()
    }
}
