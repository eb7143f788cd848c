//! What every piece is searched for, and the sums that decide.

use std::sync::OnceLock;

use gosync_chunks::{BlockId, Lookup, Signature, StrongSum, is_zeros};
use gosync_rollsum::{RollingSum, Scanner, Sieve, SieveBuilder, pair_key};

use crate::options::CompareOptions;
use crate::statistics::Statistics;

/// Windows whose strong sums are computed at once: three vectors of 16 lanes, or twice
/// three of eight, are what hides the latency of MD4 and MD5 best.
pub(crate) const BATCH: usize = 48;

/// A signature, its index, and how to compare with them.
pub(crate) struct Search<'a, Index> {
    pub(crate) signature: &'a Signature,
    pub(crate) lookup: &'a Index,
    pub(crate) scanner: Scanner,
    pub(crate) block_size: usize,
    /// Bytes that a key is of: a block, or a pair of them.
    pub(crate) reach: usize,
    /// What may be done about weak hits for each byte searched, where that is limited.
    pub(crate) strong_budget: Option<u32>,
    /// Whether keys are of pairs.
    pub(crate) in_pairs: bool,
    /// Whether the last block was summed with zeros behind it.
    pub(crate) padded: bool,
    /// Whether matches may begin within others.
    pub(crate) overlapping: bool,
    sum: RollingSum,
    key_mask: u32,
    /// The sums of a block of zeros, which sparse files are full of.
    zeros: (u32, StrongSum),
    /// The keys of all pairs of blocks; made where single ones fit too often.
    pairs: OnceLock<Sieve>,
}

impl<'a, Index: Lookup<Sieve = Sieve>> Search<'a, Index> {
    pub(crate) fn new(signature: &'a Signature, lookup: &'a Index, options: &CompareOptions) -> Self {
        let CompareOptions { sum, strong_budget, key_mask, in_pairs, padded, overlapping } = *options;
        let block_size = signature.layout().block_size() as usize;
        let zeros = vec![0; block_size];
        let scanner = Scanner::new(sum, block_size).masked(key_mask);
        Self {
            signature,
            lookup,
            scanner: if in_pairs { scanner.in_pairs() } else { scanner },
            block_size,
            reach: if in_pairs { 2 * block_size } else { block_size },
            strong_budget,
            in_pairs,
            padded,
            overlapping,
            sum,
            key_mask,
            zeros: (sum.key(&zeros) & key_mask, signature.hasher().sum(&zeros)),
            pairs: OnceLock::new(),
        }
    }

    /// How many blocks have the full size, or are looked for as if they had.
    fn full_blocks(&self) -> usize {
        let layout = self.signature.layout();
        match layout.short_block() {
            Some(short) if !self.padded => short.index(),
            _ => layout.block_count() as usize,
        }
    }

    /// A scanner for pairs of blocks, and the sieve of their keys.
    pub(crate) fn pairs(&self) -> (Scanner, &Sieve) {
        let sieve = self.pairs.get_or_init(|| {
            let keys = &self.signature.weak_column()[..self.full_blocks()];
            let sieve = SieveBuilder::new(keys.len());
            keys.windows(2).for_each(|keys| sieve.insert(pair_key(keys[0], keys[1])));
            sieve.finish()
        });
        (self.scanner.in_pairs(), sieve)
    }

    /// The key of a window of a block's length.
    pub(crate) fn key(&self, window: &[u8]) -> u32 {
        self.sum.key(window) & self.key_mask
    }

    /// Whether a block with this key has one behind it whose key is `next`; and how many blocks
    /// that was asked of.
    pub(crate) fn pair_fits(&self, key: u32, next: u32) -> (bool, u64) {
        let mut asked = 0;
        let fits = self.lookup.with_key(key).any(|block| {
            asked += 1;
            block.next().index() < self.full_blocks() && self.signature.weak(block.next()) == next
        });
        (fits, asked)
    }

    /// Whether the key of `block` fits `data`, a window of its length.
    pub(crate) fn key_fits(&self, block: BlockId, data: &[u8]) -> bool {
        let key = if self.is_block_of_zeros(data) {
            self.zeros.0
        } else {
            let zeros = if self.padded { self.block_size - data.len() } else { 0 };
            self.sum.with_zeros(self.sum.key(data), zeros) & self.key_mask
        };
        self.signature.weak(block) == key
    }

    /// The block with this key and strong sum.
    pub(crate) fn find(&self, key: u32, strong: &StrongSum) -> Option<BlockId> {
        self.lookup.with_sums(self.signature, key, strong)
    }

    /// The strong sums of windows of the full size, [`BATCH`] of them at most.
    pub(crate) fn strong_sums(&self, windows: &[&[u8]], statistics: &mut Statistics) -> [StrongSum; BATCH] {
        let mut sums = [self.zeros.1; BATCH];
        let mut summed = [0; BATCH];
        let mut data: [&[u8]; BATCH] = [&[]; BATCH];
        let mut count = 0;
        for (at, window) in windows.iter().enumerate() {
            if !self.is_block_of_zeros(window) {
                (summed[count], data[count]) = (at, window);
                count += 1;
            }
        }
        let len = self.signature.hasher().sum_len();
        let mut bytes = [0; BATCH * StrongSum::MAX_LEN];
        let bytes = &mut bytes[..count * len];
        self.signature.hasher().sum_many(&data[..count], bytes);
        for (&at, sum) in summed.iter().zip(bytes.chunks_exact(len)) {
            sums[at] = StrongSum::truncate(sum, len);
        }
        statistics.strong_sums += count as u64;
        sums
    }

    /// Whether `data` is `block`, which may be short.
    pub(crate) fn is_block(&self, block: BlockId, data: &[u8], statistics: &mut Statistics) -> bool {
        statistics.comparisons += 1;
        if !self.key_fits(block, data) {
            return false;
        }
        statistics.weak_hits += 1;
        statistics.strong_sums += 1;
        let equal = self.signature.has_strong(block, &self.signature.hasher().sum(data));
        statistics.false_weak_hits += u64::from(!equal);
        equal
    }

    fn is_block_of_zeros(&self, data: &[u8]) -> bool {
        data.len() == self.block_size && is_zeros(data)
    }
}
