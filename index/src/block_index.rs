//! The index as a whole: the sieve, the shards, and the blocks that are equal.

use std::borrow::Cow;

use gosync_chunks::{BlockId, EqualBlocks, Lookup, Signature};
use gosync_rollsum::{Sieve, SieveBuilder};
use rayon::prelude::*;

use crate::shard::{Bucket, Shard, Tagged, hash};

/// Blocks in a shard, on average.
const SHARD_BLOCKS: usize = 1 << 13;

/// Blocks that a thread sorts into shards at a time.
const BATCH_BLOCKS: u32 = 1 << 16;

/// Which block of a signature has which sums.
#[derive(Debug)]
pub struct BlockIndex<'a> {
    keys: Cow<'a, [u32]>,
    sieve: Sieve,
    shards: Vec<Shard>,
    shard_shift: u32,
    equal: EqualBlocks,
    dropped: Vec<BlockId>,
}

impl<'a> BlockIndex<'a> {
    /// Indexes the blocks of `signature` on the threads of the current rayon pool.
    pub fn build(signature: &'a Signature) -> Self {
        Self::build_of(signature, |_| true)
    }

    /// As [`build`](Self::build), but indexes only the blocks that are `wanted`.
    pub fn build_of(signature: &'a Signature, wanted: impl Fn(BlockId) -> bool + Sync) -> Self {
        let layout = signature.layout();
        let blocks = layout.short_block().map_or(layout.block_count(), |short| short.0);
        Self::with_keys(signature, &signature.weak_column()[..blocks as usize], wanted)
    }

    /// Indexes those of the first blocks that are `wanted`, by the keys given for them
    /// instead of their own: zsync looks for pairs of blocks, and for a last block that
    /// was filled up with zeros.
    ///
    /// # Panics
    ///
    /// When there are more keys than blocks.
    pub fn with_keys(
        signature: &'a Signature,
        keys: impl Into<Cow<'a, [u32]>>,
        wanted: impl Fn(BlockId) -> bool + Sync,
    ) -> Self {
        let keys = keys.into();
        let blocks = keys.len() as u32;
        assert!(blocks <= signature.layout().block_count(), "a key for each block, and no more");

        let shard_bits = (blocks as usize / SHARD_BLOCKS).max(1).ilog2();
        let shard_shift = u32::BITS - shard_bits;
        let batches: Vec<Batch> = (0..blocks.div_ceil(BATCH_BLOCKS))
            .into_par_iter()
            .map(|batch| Batch::new(&keys, batch * BATCH_BLOCKS, &wanted, shard_shift, 1 << shard_bits))
            .collect();
        let built: Vec<_> = (0..1usize << shard_bits)
            .into_par_iter()
            .map(|shard| {
                let blocks = batches.iter().flat_map(|batch| batch.shard(shard).iter().copied());
                Shard::build(signature, &keys, blocks, shard_bits)
            })
            .collect();
        drop(batches);

        let mut shards = Vec::with_capacity(built.len());
        let mut pairs = Vec::with_capacity(built.iter().map(|built| built.equal.len()).sum());
        let mut dropped = Vec::new();
        for built in built {
            pairs.extend(built.equal);
            dropped.extend(built.dropped);
            shards.push(built.shard);
        }
        let equal = EqualBlocks::new(pairs);

        let sieve = SieveBuilder::new(shards.iter().map(Shard::len).sum());
        shards.par_iter().for_each(|shard| {
            shard.blocks().iter().for_each(|block| sieve.insert(keys[block.index()]));
        });
        let sieve = sieve.finish();
        Self { keys, sieve, shards, shard_shift, equal, dropped }
    }

    /// Blocks left out because [`MAX_CHAIN`](crate::MAX_CHAIN) different ones with their key are kept.
    pub fn dropped_blocks(&self) -> &[BlockId] {
        &self.dropped
    }

    /// Which blocks are equal to an earlier one, once nothing is looked up any more.
    pub fn into_equal_blocks(self) -> EqualBlocks {
        self.equal
    }

    /// Bytes of memory in use, the signature's own not included.
    pub fn memory(&self) -> usize {
        let keys = match &self.keys {
            Cow::Borrowed(_) => 0,
            Cow::Owned(keys) => size_of_val(keys.as_slice()),
        };
        keys + self.sieve.memory()
            + self.equal.memory()
            + self.dropped.capacity() * size_of::<BlockId>()
            + self.shards.iter().map(|shard| size_of::<Shard>() + shard.memory()).sum::<usize>()
    }
}

impl Lookup for BlockIndex<'_> {
    type Sieve = Sieve;

    fn sieve(&self) -> &Sieve {
        &self.sieve
    }

    /// Exact but for crowded buckets.
    ///
    /// In steps, each of which reads from one place for all keys: nothing in a step waits
    /// for anything else in it, so a processor has many of those reads under way at once.
    fn may_have(&self, keys: &[u32]) -> u64 {
        let keys = &keys[..keys.len().min(64)];
        let shard = |hash: u32| &self.shards[shard_of(hash, self.shard_shift)];
        let (mut buckets, mut tags) = ([Bucket::default(); 64], [0; 64]);
        for (&key, bucket) in keys.iter().zip(&mut buckets) {
            *bucket = shard(hash(key)).bucket(hash(key));
        }
        for ((&key, &bucket), tags) in keys.iter().zip(&buckets).zip(&mut tags) {
            *tags = shard(hash(key)).tags(bucket);
        }
        // Few are left, mostly with one entry.
        let (mut mask, mut ones, mut count) = (0, [(0, 0); 64], 0);
        for (bit, ((&key, &bucket), &tags)) in keys.iter().zip(&buckets).zip(&tags).enumerate() {
            let Some(tagged) = bucket.tagged(tags, hash(key)) else { continue };
            mask |= 1 << bit;
            if let Tagged::One(entry) = tagged {
                ones[count] = (bit, entry);
                count += 1;
            }
        }
        let mut blocks = [BlockId(0); 64];
        for (&(bit, entry), block) in ones[..count].iter().zip(&mut blocks) {
            *block = shard(hash(keys[bit])).blocks()[entry as usize];
        }
        ones[..count]
            .iter()
            .zip(&blocks)
            .fold(mask, |mask, (&(bit, _), block)| mask & !(u64::from(self.keys[block.index()] != keys[bit]) << bit))
    }

    fn with_key(&self, key: u32) -> impl Iterator<Item = BlockId> {
        let keys = &self.keys;
        let hash = hash(key);
        let shard = &self.shards[shard_of(hash, self.shard_shift)];
        shard.candidates(hash).filter(move |block| keys[block.index()] == key)
    }

    fn equal_blocks(&self) -> &EqualBlocks {
        &self.equal
    }
}

/// In 64 bits, because an index of one shard shifts by all 32.
fn shard_of(hash: u32, shift: u32) -> usize {
    (u64::from(hash) >> shift) as usize
}

/// Some consecutive blocks, sorted by shard.
struct Batch {
    blocks: Vec<BlockId>,
    /// Where the blocks of each shard end.
    ends: Vec<u32>,
}

impl Batch {
    /// A counting sort of the blocks from `first` on that are wanted; within a shard they
    /// keep their order.
    fn new(keys: &[u32], first: u32, wanted: impl Fn(BlockId) -> bool, shard_shift: u32, shards: usize) -> Self {
        let keys = &keys[first as usize..];
        let keys = &keys[..keys.len().min(BATCH_BLOCKS as usize)];
        let shard = |key| shard_of(hash(key), shard_shift);

        let mut ends = vec![0u32; shards];
        let blocks = || keys.iter().zip((first..).map(BlockId)).filter(|&(_, block)| wanted(block));
        blocks().for_each(|(&key, _)| ends[shard(key)] += 1);
        let mut sum = 0;
        for end in &mut ends {
            let start = sum;
            sum += *end;
            *end = start;
        }
        let mut sorted = vec![BlockId(0); sum as usize];
        for (&key, block) in blocks() {
            let end = &mut ends[shard(key)];
            sorted[*end as usize] = block;
            *end += 1;
        }
        Self { blocks: sorted, ends }
    }

    fn shard(&self, shard: usize) -> &[BlockId] {
        let start = shard.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.blocks[start as usize..self.ends[shard] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::MAX_CHAIN;
    use gosync_chunks::{BlockLayout, StrongHasher, StrongSum};
    use gosync_sums::Md5;
    use proptest::prelude::*;
    use std::sync::Arc;

    const SUM_LEN: usize = 8;

    fn hasher() -> Md5 {
        Md5::truncated(SUM_LEN).unwrap()
    }

    fn strong(content: u32) -> StrongSum {
        hasher().sum(&content.to_le_bytes())
    }

    /// A signature of blocks of which only the key and the number of their content matter.
    fn signature(blocks: &[(u32, u32)]) -> Signature {
        let keys = blocks.iter().map(|&(key, _)| key).collect();
        let strong = blocks.iter().flat_map(|&(_, content)| strong(content).as_bytes().to_vec()).collect();
        let layout = BlockLayout::new(blocks.len() as u64 * 4, 4).unwrap();
        Signature::new(layout, keys, strong, Arc::new(hasher())).unwrap()
    }

    /// The block with this key and content, as a comparison finds it.
    fn find(signature: &Signature, index: &BlockIndex<'_>, key: u32, content: u32) -> Option<BlockId> {
        index.with_key(key).find(|&block| signature.has_strong(block, &strong(content)))
    }

    #[test]
    fn other_keys_and_some_blocks() {
        let signature = signature(&(0..1000).map(|at| (at, at % 400)).collect::<Vec<_>>());
        let keys: Vec<u32> = (0..999).map(|at: u32| at % 400 + 5000).collect();
        let index = BlockIndex::with_keys(&signature, keys, |block| block.0 % 2 == 1);
        let found = |key| index.with_key(key).map(|block| block.0).collect::<Vec<_>>();
        assert_eq!((found(5000), found(5001), found(7)), (vec![], vec![1], vec![]));
        assert_eq!((index.equal_blocks().first(BlockId(801)), index.equal_blocks().len()), (BlockId(1), 299));
    }

    fn check(blocks: &[(u32, u32)]) {
        let signature = signature(blocks);
        let index = BlockIndex::build(&signature);
        assert!(index.dropped_blocks().is_empty());
        for (at, &(key, content)) in blocks.iter().enumerate() {
            let first = BlockId(blocks.iter().position(|&block| block == (key, content)).unwrap() as u32);
            assert!(index.sieve().may_contain(key));
            assert_eq!(find(&signature, &index, key, content), Some(first));
            assert_eq!(index.equal_blocks().first(BlockId(at as u32)), first);
            assert_eq!(find(&signature, &index, key, content + 1_000_000), None);
        }
        for key in blocks.iter().map(|&(key, _)| key).chain((0..1000).map(|i: u32| i.wrapping_mul(77_777) ^ 0x5555)) {
            let mut found: Vec<_> = index.with_key(key).collect();
            found.sort_unstable();
            assert!(found.is_empty() || index.may_have(&[key]) == 1, "{key}");
            let firsts = (0..blocks.len()).filter(|&at| blocks[at].0 == key && !blocks[..at].contains(&blocks[at]));
            assert_eq!(found, firsts.map(|at| BlockId(at as u32)).collect::<Vec<_>>(), "{key}");
        }
    }

    #[test]
    fn finds_the_first_of_equal_blocks_in_many_shards() {
        let blocks: Vec<_> =
            (0..70_000u32).map(|i| (i % 40_000).wrapping_mul(0x9e37_79b9)).map(|k| (k, k % 99)).collect();
        let signature = signature(&blocks);
        let index = BlockIndex::build(&signature);
        assert!(index.shards.len() > 1);
        for (at, &(key, content)) in blocks.iter().enumerate() {
            assert_eq!(find(&signature, &index, key, content), Some(BlockId(at as u32 % 40_000)));
        }
        assert_eq!(index.equal_blocks().len(), 30_000);
    }

    #[test]
    fn little_of_what_passes_the_sieve_by_chance_may_be_there() {
        // Murmur3's finalizer.
        let key = |at: u32| {
            let mixed = (at ^ at >> 16).wrapping_mul(0x85eb_ca6b);
            (mixed ^ mixed >> 13).wrapping_mul(0xc2b2_ae35)
        };
        let blocks: Vec<_> = (0..1 << 15).map(|at| (key(at), at)).collect();
        let signature = signature(&blocks);
        let index = BlockIndex::build(&signature);
        let absent = (1 << 15..1 << 22).map(key).filter(|&key| index.with_key(key).next().is_none());
        let passed: Vec<u32> = absent.filter(|&key| index.sieve().may_contain(key)).collect();
        let falsely: u32 = passed.chunks(64).map(|keys| index.may_have(keys).count_ones()).sum();
        assert!(passed.len() > 10_000 && falsely * 20 < passed.len() as u32, "{falsely} of {}", passed.len());

        let present: Vec<u32> = blocks.iter().map(|&(key, _)| key).collect();
        assert!(present.chunks(64).all(|keys| index.may_have(keys).count_ones() as usize == keys.len()));
        let mixed = [passed[0], present[0], passed[1], present[1]];
        assert_eq!(index.may_have(&mixed), 0b1010);
    }

    #[test]
    fn a_short_last_block_has_no_entry() {
        let layout = BlockLayout::new(6, 4).unwrap();
        let signature = Signature::new(layout, vec![1, 2], vec![0; 2 * SUM_LEN], Arc::new(hasher())).unwrap();
        let index = BlockIndex::build(&signature);
        assert!(index.with_key(1).next().is_some() && index.with_key(2).next().is_none());
    }

    #[test]
    fn an_empty_signature() {
        let signature = signature(&[]);
        let index = BlockIndex::build(&signature);
        assert!(index.with_key(0).next().is_none());
        assert!(index.equal_blocks().is_empty());
    }

    #[test]
    fn a_long_run_of_equal_blocks_is_one_entry() {
        let signature = signature(&vec![(0, 0); 200_000]);
        let index = BlockIndex::build(&signature);
        assert_eq!(index.shards.iter().map(Shard::len).sum::<usize>(), 1);
        assert_eq!(index.equal_blocks().first(BlockId(199_999)), BlockId(0));
    }

    #[test]
    fn a_chain_of_different_blocks_is_capped() {
        let blocks: Vec<_> = (0..10_000).map(|content| (42, content)).chain([(43, 0)]).collect();
        let signature = signature(&blocks);
        let index = BlockIndex::build(&signature);
        assert!(index.dropped_blocks().iter().copied().eq((MAX_CHAIN as u32..10_000).map(BlockId)));
        let found = (0..10_000).filter(|&content| find(&signature, &index, 42, content).is_some());
        assert_eq!(found.collect::<Vec<_>>(), (0..MAX_CHAIN as u32).collect::<Vec<_>>(), "the first ones are kept");
        assert!(index.with_key(43).next().is_some());
    }

    #[test]
    fn with_its_signature_stays_under_one_and_a_half_times_the_file() {
        for blocks in [1 << 16, (1 << 17) - 1, 1 << 17, 150_000] {
            for distinct in [blocks, blocks / 2, 1] {
                let contents: Vec<_> =
                    (0..blocks).map(|i| i % distinct).map(|i: u32| (i.wrapping_mul(0x85eb_ca6b), i)).collect();
                let keys = contents.iter().map(|&(key, _)| key).collect();
                let mut strong = Vec::with_capacity(blocks as usize * Md5::FULL_LEN);
                contents.iter().for_each(|(_, i)| strong.extend(Md5::full().sum(&i.to_le_bytes()).as_bytes()));
                let layout = BlockLayout::new(u64::from(blocks) * 4, 4).unwrap();
                let signature = Signature::new(layout, keys, strong, Arc::new(Md5::full())).unwrap();
                let on_disk = blocks as usize * 20;
                let memory = signature.memory() + BlockIndex::build(&signature).memory();
                assert!(memory * 2 <= on_disk * 3, "{memory} for {on_disk}, {distinct} of {blocks} distinct");
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_linear_search(
            blocks in prop::collection::vec((0u32..20, 0u32..6), 0..200),
            spread in any::<u32>(),
        ) {
            let blocks: Vec<_> = blocks.iter().map(|&(key, content)| (key.wrapping_mul(spread | 1), content)).collect();
            check(&blocks);
        }
    }
}
