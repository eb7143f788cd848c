//! Which block has these sums: each of a signature's blocks, however hostile.

use gosync_chunks::{BlockId, EqualBlocks, Lookup, StrongSum};
use gosync_index::BlockIndex;
use gosync_rollsum::Sieve;
use hashbrown::HashMap;

use crate::signature::Signature;

/// A signature made ready for any number of deltas.
#[derive(Debug)]
pub struct SignatureIndex<'a> {
    signature: &'a Signature,
    index: BlockIndex<'a>,
    /// Blocks that the index has no room for, because too many others have their key.
    crowded: HashMap<&'a [u8], Vec<BlockId>>,
}

impl Signature {
    /// Makes the signature ready for deltas, on all threads of the current rayon pool.
    pub fn index(&self) -> SignatureIndex<'_> {
        let index = BlockIndex::build(self.sums());
        let mut crowded: HashMap<&[u8], Vec<BlockId>> = HashMap::new();
        for &block in index.dropped_blocks() {
            crowded.entry(self.sums().strong(block)).or_default().push(block);
        }
        SignatureIndex { signature: self, index, crowded }
    }
}

impl<'a> SignatureIndex<'a> {
    /// What it is of.
    pub fn signature(&self) -> &'a Signature {
        self.signature
    }
}

impl Lookup for SignatureIndex<'_> {
    type Sieve = Sieve;

    fn sieve(&self) -> &Sieve {
        self.index.sieve()
    }

    fn may_have(&self, keys: &[u32]) -> u64 {
        self.index.may_have(keys)
    }

    fn with_key(&self, key: u32) -> impl Iterator<Item = BlockId> {
        self.index.with_key(key)
    }

    fn with_sums(&self, sums: &gosync_chunks::Signature, key: u32, strong: &StrongSum) -> Option<BlockId> {
        self.index.with_sums(sums, key, strong).or_else(|| {
            let crowd = self.crowded.get(strong.as_bytes())?;
            crowd.iter().copied().find(|&block| sums.weak(block) == key)
        })
    }

    fn equal_blocks(&self) -> &EqualBlocks {
        self.index.equal_blocks()
    }
}
