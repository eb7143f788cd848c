//! One shard: the entries whose hashes share their top bits.

use gosync_chunks::{BlockId, Signature};

use crate::block_index::{MAX_CHAIN, hash};

/// Entries in a bucket, on average: their tags are read together.
const BUCKET_BLOCKS: usize = 8;

/// The entries of a shard, in buckets.
#[derive(Debug)]
pub(crate) struct Shard {
    /// Where each bucket begins, and where the last one ends.
    starts: Vec<u32>,
    /// A byte of every entry's hash.
    tags: Vec<u8>,
    /// Every entry's block, ordered by hash, then by block.
    blocks: Vec<BlockId>,
    /// Top bits of a hash that pick the shard.
    shard_bits: u32,
    /// Bits after them that pick a bucket.
    bucket_bits: u32,
}

/// A shard, and the blocks that got no entry in it.
pub(crate) struct Built {
    pub(crate) shard: Shard,
    /// Blocks that equal an earlier one, and which.
    pub(crate) equal: Vec<(BlockId, BlockId)>,
    /// How many blocks the cap on chains left out.
    pub(crate) dropped: usize,
}

impl Shard {
    /// Builds the shard of `blocks`, all of the same top `shard_bits`.
    pub(crate) fn build(signature: &Signature, mut blocks: Vec<BlockId>, shard_bits: u32) -> Built {
        let keys = &signature.weak_column().keys;
        let hash_of = |block: BlockId| hash(keys[block.index()]);
        blocks.sort_unstable_by(|&one, &other| {
            hash_of(one)
                .cmp(&hash_of(other))
                .then_with(|| signature.weak(one).check.cmp(&signature.weak(other).check))
                .then_with(|| signature.strong(one).cmp(signature.strong(other)))
                .then(one.cmp(&other))
        });

        let mut equal = Vec::new();
        blocks.dedup_by(|later, first| {
            let same = signature.weak(*later) == signature.weak(*first)
                && signature.strong(*later) == signature.strong(*first);
            if same {
                equal.push((*later, *first));
            }
            same
        });

        let distinct = blocks.len();
        let mut kept = Vec::with_capacity(distinct);
        for chain in blocks.chunk_by_mut(|&one, &other| hash_of(one) == hash_of(other)) {
            chain.sort_unstable();
            kept.extend_from_slice(&chain[..chain.len().min(MAX_CHAIN)]);
        }
        drop(blocks);
        let dropped = distinct - kept.len();
        kept.shrink_to_fit();
        let blocks = kept;

        let bucket_bits = (blocks.len() / BUCKET_BLOCKS).max(1).ilog2();
        let mut shard = Self { starts: Vec::new(), tags: Vec::new(), blocks, shard_bits, bucket_bits };
        shard.tags = shard.blocks.iter().map(|&block| shard.tag(hash_of(block))).collect();
        shard.starts = Vec::with_capacity((1 << bucket_bits) + 1);
        for (at, &block) in shard.blocks.iter().enumerate() {
            let bucket = shard.bucket(hash_of(block));
            while shard.starts.len() <= bucket {
                shard.starts.push(at as u32);
            }
        }
        shard.starts.resize((1 << bucket_bits) + 1, shard.blocks.len() as u32);
        Built { shard, equal, dropped }
    }

    /// The entries that may have `hash`: all that do, and one in 256 of those nearby.
    pub(crate) fn candidates(&self, hash: u32) -> impl Iterator<Item = BlockId> {
        let bucket = self.bucket(hash);
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        let tag = self.tag(hash);
        let blocks = &self.blocks[range.clone()];
        self.tags[range].iter().zip(blocks).filter(move |&(&other, _)| other == tag).map(|(_, &block)| block)
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The block of every entry.
    pub(crate) fn blocks(&self) -> &[BlockId] {
        &self.blocks
    }

    /// Bytes of memory on the heap.
    pub(crate) fn memory(&self) -> usize {
        self.starts.capacity() * size_of::<u32>() + self.tags.capacity() + self.blocks.capacity() * size_of::<BlockId>()
    }

    /// The bits after the shard's.
    fn bucket(&self, hash: u32) -> usize {
        let rest = u64::from(hash) << self.shard_bits & u64::from(u32::MAX);
        (rest >> (u32::BITS - self.bucket_bits)) as usize
    }

    /// The eight bits after the bucket's, as far as there are so many.
    fn tag(&self, hash: u32) -> u8 {
        let rest = u64::from(hash) << (self.shard_bits + self.bucket_bits) & u64::from(u32::MAX);
        (rest >> (u32::BITS - u8::BITS)) as u8
    }
}
