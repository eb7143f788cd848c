//! One shard: the entries whose hashes share their top bits.

use gosync_chunks::{BlockId, Signature};

/// How many different blocks of one key are kept. Those beyond are not found by a
/// scan, only as successors of blocks that are; without a limit a scan of hostile
/// data would spend its time in one chain.
pub const MAX_CHAIN: usize = 256;

/// The most entries in a bucket, on average; the least are half of them.
const MAX_BUCKET_BLOCKS: usize = 10;

/// Tags that are read together: more than most buckets have.
const TAGS_READ: usize = 16;

/// Spreads keys over 32 bits without losing any: the multiplier is odd.
pub(crate) fn hash(key: u32) -> u32 {
    key.wrapping_mul(0x9e37_79b1)
}

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

/// Where the entries of a bucket begin and end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    start: u32,
    end: u32,
}

/// The first tags of a bucket, the lowest byte first; those behind its end are of others.
pub(crate) type Tags = u128;

impl Bucket {
    /// What may have `hash`, if anything does.
    ///
    /// Without branches: most have nothing, but not in an order that could be foreseen.
    #[inline]
    pub(crate) fn tagged(self, tags: Tags, hash: u32) -> Option<Tagged> {
        const LOW_BITS: u128 = u128::from_ne_bytes([0x7f; TAGS_READ]);
        let count = self.end - self.start;
        let own = u128::MAX.checked_shl(8 * count).map_or(u128::MAX, |others| !others);
        // The top bit of every byte that is zero: only those do not carry into it.
        let differences = tags ^ u128::from_ne_bytes([tag(hash); TAGS_READ]);
        let equal = !(((differences & LOW_BITS) + LOW_BITS) | differences | LOW_BITS) & own;
        let is_crowded = count > TAGS_READ as u32;
        let only = equal.is_power_of_two() & !is_crowded;
        let entry = self.start + equal.trailing_zeros() / 8;
        (equal != 0 || is_crowded).then_some(if only { Tagged::One(entry) } else { Tagged::Several })
    }
}

/// Entries of a bucket with the right tag.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tagged {
    /// Just one, and its number.
    One(u32),
    /// More, or there may be.
    Several,
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
        let sum = |block: BlockId| signature.strong(block);
        chain.sort_unstable_by(|&one, &other| sum(one).cmp(sum(other)).then(one.cmp(&other)));
        chain.dedup_by(|later, first| {
            let same = sum(*later) == sum(*first);
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
        let bucket = self.bucket_number(hash);
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

    /// Where the entries that may have `hash` are.
    #[inline]
    pub(crate) fn bucket(&self, hash: u32) -> Bucket {
        let bucket = self.bucket_number(hash);
        Bucket { start: self.starts[bucket], end: self.starts[bucket + 1] }
    }

    /// The first tags of a bucket, and what is behind it.
    #[inline]
    pub(crate) fn tags(&self, bucket: Bucket) -> Tags {
        let tags = self.tags[bucket.start as usize..].first_chunk().expect("there are so many behind the last");
        Tags::from_le_bytes(*tags)
    }

    /// The entries that may have `hash`: all that do, and one in 256 of those nearby.
    pub(crate) fn candidates(&self, hash: u32) -> impl Iterator<Item = BlockId> {
        let Bucket { start, end } = self.bucket(hash);
        let range = start as usize..end as usize;
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
    fn bucket_number(&self, hash: u32) -> usize {
        let rest = u64::from(hash) << self.shard_bits & u64::from(u32::MAX);
        (rest >> (u32::BITS - self.bucket_bits)) as usize
    }
}

/// Eight bits of a hash that the sieve does not look at, or all that passes it would have
/// the tag of some entry: it has the sieve's five low bits, and those at the top.
fn tag(hash: u32) -> u8 {
    (hash >> 5) as u8
}
