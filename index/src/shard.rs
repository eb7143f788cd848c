//! One shard: the entries whose hashes share their top bits.

use gosync_chunks::{BlockId, Signature};

use crate::block_index::{MAX_CHAIN, hash};

/// The most entries in a bucket, on average; the least are half of them.
const MAX_BUCKET_BLOCKS: usize = 10;

/// Tags that are read together: more than most buckets have.
const TAGS_READ: usize = 16;

/// The entries of a shard, in buckets.
#[derive(Debug)]
pub(crate) struct Shard {
    /// Where each bucket begins, and where the last one ends.
    starts: Vec<u32>,
    /// A byte of every entry's hash, and as many more that are none as are read together.
    tags: Vec<u8>,
    /// Every entry's block, ordered by hash, then by number.
    blocks: Vec<BlockId>,
    /// Top bits of a hash that pick the shard.
    shard_bits: u32,
    /// Bits after them that pick a bucket.
    bucket_bits: u32,
}

/// Entries of a bucket with the right tag.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tagged {
    /// The bucket's first entry.
    start: u32,
    /// A bit for each of the first entries, and one more where there are others.
    mask: u32,
}

impl Tagged {
    /// Whether there is one, or may be.
    #[inline]
    pub(crate) fn is_any(self) -> bool {
        self.mask != 0
    }

    /// The number of the entry, where there is just one.
    #[inline]
    pub(crate) fn only(self) -> Option<usize> {
        let at = self.mask.trailing_zeros();
        (self.mask.is_power_of_two() && at < TAGS_READ as u32).then_some((self.start + at) as usize)
    }
}

/// A shard, and the blocks that got no entry in it.
pub(crate) struct Built {
    pub(crate) shard: Shard,
    /// Blocks that equal an earlier one, and which.
    pub(crate) equal: Vec<(BlockId, BlockId)>,
    /// Blocks that the cap on chains left out.
    pub(crate) dropped: Vec<BlockId>,
}

impl Built {
    /// Adds the blocks of one hash: of equal ones the first, and of the others not too many.
    fn push_chain(&mut self, signature: &Signature, hash: u32, chain: &mut Vec<BlockId>) {
        let sums = |block: BlockId| (signature.weak(block).check, signature.strong(block));
        chain.sort_unstable_by(|&one, &other| sums(one).cmp(&sums(other)).then(one.cmp(&other)));
        chain.dedup_by(|later, first| {
            let same = sums(*later) == sums(*first);
            if same {
                self.equal.push((*later, *first));
            }
            same
        });
        chain.sort_unstable();
        self.dropped.extend(chain.iter().skip(MAX_CHAIN));
        chain.iter().take(MAX_CHAIN).for_each(|&block| self.shard.push(hash, block));
    }
}

impl Shard {
    /// Builds the shard of `blocks`, whose keys have the same top `shard_bits`.
    pub(crate) fn build(
        signature: &Signature,
        keys: &[u32],
        blocks: impl Iterator<Item = BlockId>,
        shard_bits: u32,
    ) -> Built {
        // Hash and block in one number: sorting these touches nothing else.
        let mut hashed: Vec<u64> =
            blocks.map(|block| u64::from(hash(keys[block.index()])) << 32 | u64::from(block.0)).collect();
        hashed.sort_unstable();

        let mut built = Built { shard: Self::empty(hashed.len(), shard_bits), equal: Vec::new(), dropped: Vec::new() };
        let mut chain = Vec::new();
        for same_hash in hashed.chunk_by(|one, other| one >> 32 == other >> 32) {
            let hash = (same_hash[0] >> 32) as u32;
            match same_hash {
                &[one] => built.shard.push(hash, BlockId(one as u32)),
                _ => {
                    chain.clear();
                    chain.extend(same_hash.iter().map(|&one| BlockId(one as u32)));
                    built.push_chain(signature, hash, &mut chain);
                }
            }
        }
        drop(hashed);
        built.shard.finish();
        built
    }

    /// A shard for about `blocks` entries.
    fn empty(blocks: usize, shard_bits: u32) -> Self {
        let bucket_bits = (blocks / MAX_BUCKET_BLOCKS + 1).next_power_of_two().ilog2();
        Self {
            starts: Vec::with_capacity((1 << bucket_bits) + 1),
            tags: Vec::with_capacity(blocks + TAGS_READ),
            blocks: Vec::with_capacity(blocks),
            shard_bits,
            bucket_bits,
        }
    }

    /// Adds an entry; its hash is no smaller than those before.
    fn push(&mut self, hash: u32, block: BlockId) {
        let bucket = self.bucket(hash);
        while self.starts.len() <= bucket {
            self.starts.push(self.blocks.len() as u32);
        }
        self.tags.push(tag(hash));
        self.blocks.push(block);
    }

    fn finish(&mut self) {
        self.starts.resize((1 << self.bucket_bits) + 1, self.blocks.len() as u32);
        self.tags.resize(self.blocks.len() + TAGS_READ, 0);
        self.tags.shrink_to_fit();
        self.blocks.shrink_to_fit();
    }

    /// The entries that may have `hash`.
    ///
    /// Without branches, so that a processor has the reads for many hashes under way at
    /// once.
    #[inline]
    pub(crate) fn tagged(&self, hash: u32) -> Tagged {
        let bucket = self.bucket(hash);
        let (start, end) = (self.starts[bucket], self.starts[bucket + 1]);
        let tags: &[u8; TAGS_READ] =
            self.tags[start as usize..].first_chunk().expect("there are so many behind the last");
        let tag = tag(hash);
        let equal = tags.iter().enumerate().fold(0, |equal, (at, &other)| equal | u32::from(other == tag) << at);
        let count = end - start;
        let beyond = u32::from(count > TAGS_READ as u32) << TAGS_READ;
        Tagged { start, mask: equal & ((1 << count.min(TAGS_READ as u32)) - 1) | beyond }
    }

    /// The entries that may have `hash`: all that do, and one in 256 of those nearby.
    pub(crate) fn candidates(&self, hash: u32) -> impl Iterator<Item = BlockId> {
        let bucket = self.bucket(hash);
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        let tag = tag(hash);
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
}

/// Eight bits of a hash that the sieve does not look at, or all that passes it would have
/// the tag of some entry: it has the sieve's five low bits, and those at the top.
fn tag(hash: u32) -> u8 {
    (hash >> 5) as u8
}
