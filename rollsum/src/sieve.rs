//! A sieve of keys: says at once, and from little memory, that a key is not there.
//!
//! A blocked Bloom filter (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient
//! Bloom Filters", 2007) whose blocks are single words, so that a probe is one load:
//!
//! ```text
//! h = key * 0x9E3779B1      odd, so no two keys have the same h
//!
//!  31         31-w      26-w                    4        0
//! ┌─────────────┬─────────┬─────────────────────┬────────┐
//! │ which word  │ a bit   │                     │ a bit  │      2^w words of 32 bits
//! └─────────────┴─────────┴─────────────────────┴────────┘
//! ```
//!
//! With 16 to 32 bits for each key, one absent key in 50 to one in 140 passes. Few keys
//! have more bits.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::tile::GROUP;

/// More words than this would leave no five bits of the hash for the bit.
const MAX_WORD_BITS: u32 = 27;

/// Fewer words than these 4 KiB save nothing, and then a key that is asked for again and
/// again, as in a run of one byte, passes by chance too often.
const MIN_WORD_BITS: u32 = 10;

/// Takes keys from any number of threads and makes a sieve of them.
#[derive(Debug)]
pub struct SieveBuilder {
    words: Vec<AtomicU32>,
}

impl SieveBuilder {
    /// An empty sieve for about `keys` keys: two to four bytes for each, 4 KiB at least.
    pub fn new(keys: usize) -> Self {
        let bits = keys.max(1).ilog2().clamp(MIN_WORD_BITS, MAX_WORD_BITS);
        Self { words: (0..1usize << bits).map(|_| AtomicU32::new(0)).collect() }
    }

    /// Adds `key`.
    pub fn insert(&self, key: u32) {
        let probe = Probe::new(key, shift(self.words.len()));
        self.words[probe.word].fetch_or(probe.bits, Ordering::Relaxed);
    }

    /// The sieve of all keys that were added.
    pub fn finish(self) -> Sieve {
        Sieve { words: self.words.into_iter().map(AtomicU32::into_inner).collect() }
    }
}

/// Which keys may be there: a scan asks it at every position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sieve {
    words: Vec<u32>,
}

impl Sieve {
    /// Whether `key` may have been added; never `false` for one that was.
    pub fn may_contain(&self, key: u32) -> bool {
        self.view().may_contain(key)
    }

    /// Bytes of memory in use.
    pub fn memory(&self) -> usize {
        size_of_val(self.words.as_slice())
    }

    /// Its words, to be laid down elsewhere.
    #[cfg(test)]
    pub(crate) fn words(&self) -> &[u32] {
        &self.words
    }

    /// The sieve, ready to be probed.
    pub(crate) fn view(&self) -> View<'_> {
        View::new(&self.words)
    }
}

/// The words of a sieve, ready to be probed.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    words: &'a [u32],
    shift: u32,
}

/// What a key is multiplied with to get its hash.
pub(crate) const HASH_MULTIPLIER: u32 = 0x9e37_79b1;

/// The key whose hash this is.
#[inline(always)]
pub(crate) fn key_of(hash: u32) -> u32 {
    const INVERSE: u32 = 0x0e8b_2f51;
    hash.wrapping_mul(INVERSE)
}

impl<'a> View<'a> {
    /// # Panics
    ///
    /// When the number of words is not a power of two, or more than any builder makes.
    pub(crate) fn new(words: &'a [u32]) -> Self {
        assert!(words.len().is_power_of_two(), "a sieve has a power of two of words");
        assert!(words.len() <= 1 << MAX_WORD_BITS, "no sieve has more than 2^27 words");
        Self { words, shift: shift(words.len()) }
    }

    #[inline(always)]
    pub(crate) fn may_contain(&self, key: u32) -> bool {
        let hash = key.wrapping_mul(HASH_MULTIPLIER);
        let mut word = [0];
        self.load(&[hash], &mut word);
        self.test(hash, word[0]) == 1
    }

    /// Sets bit `i` of each mask for hash `i` of its 64, where it may be in the sieve.
    #[inline(always)]
    pub(crate) fn probe(&self, hashes: &[[u32; GROUP]], masks: &mut [u64]) {
        let mut words = [0; GROUP];
        for (hashes, mask) in hashes.iter().zip(masks) {
            self.load(hashes, &mut words);
            *mask = 0;
            // By eight, so that the compiler unrolls the inner loop.
            for (at, (hashes, words)) in hashes.chunks_exact(8).zip(words.chunks_exact(8)).enumerate() {
                let mut hits = 0;
                for (lane, (&hash, &word)) in hashes.iter().zip(words).enumerate() {
                    hits |= self.test(hash, word) << lane;
                }
                *mask |= u64::from(hits) << (at * 8);
            }
        }
    }

    /// The word of the sieve that each hash picks.
    ///
    /// In a loop of its own, so that a processor has many of these loads under way at
    /// once. A gather would be no faster, where there is one.
    #[inline(always)]
    pub(crate) fn load(&self, hashes: &[u32], loaded: &mut [u32]) {
        loaded.iter_mut().zip(hashes).for_each(|(loaded, &hash)| *loaded = self.word(hash));
    }

    /// The word that a hash picks.
    #[inline(always)]
    pub(crate) fn word(&self, hash: u32) -> u32 {
        self.masked_word(hash, (self.words.len() - 1) as u32)
    }

    /// As [`Self::word`], so that the compiler sees that the number of the word is not
    /// negative, as gathers take it.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn word_to_gather(&self, hash: u32) -> u32 {
        self.masked_word(hash, (self.words.len() - 1) as u32 & ((1 << MAX_WORD_BITS) - 1))
    }

    /// The word that a hash picks; `mask` has the bits of the last word's number.
    #[inline(always)]
    fn masked_word(&self, hash: u32, mask: u32) -> u32 {
        let (word_shift, _) = self.shifts();
        // Cut to its own length, in 32 bits, so that the compiler sees that the word is there.
        let words = &self.words[..=mask as usize];
        words[(hash >> word_shift & mask) as usize]
    }

    /// Whether the word that `hash` picks has both of its bits: 0 or 1.
    #[inline(always)]
    pub(crate) fn test(&self, hash: u32, word: u32) -> u32 {
        let (_, bit_shift) = self.shifts();
        let has = |bit: u32| u32::from(word & 1 << (bit & 31) != 0);
        has(hash) & has(hash >> bit_shift)
    }

    /// How far to shift a hash so that the bits that pick the word remain, and so that
    /// the next five bits are its low ones. The word's number is still to be masked: a
    /// sieve of one word would shift by all 32 bits, which is not done everywhere.
    #[inline(always)]
    pub(crate) fn shifts(&self) -> (u32, u32) {
        (self.shift.min(31), self.shift - 5)
    }
}

/// How far to shift a hash so that the bits that pick the word remain.
fn shift(words: usize) -> u32 {
    u32::BITS - words.ilog2()
}

struct Probe {
    word: usize,
    bits: u32,
}

impl Probe {
    #[inline(always)]
    fn new(key: u32, shift: u32) -> Self {
        let hash = key.wrapping_mul(HASH_MULTIPLIER);
        // In 64 bits, because a sieve of one word shifts by all 32.
        let word = (u64::from(hash) >> shift) as usize;
        let bits = 1u32 << (hash >> (shift - 5) & 31) | 1u32 << (hash & 31);
        Self { word, bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u32) -> impl Iterator<Item = u32> {
        (1..=count).map(|i| i.wrapping_mul(0x85eb_ca6b).rotate_left(13).wrapping_mul(0xc2b2_ae35))
    }

    #[test]
    fn hashes_lead_back_to_their_keys() {
        for key in keys(1000).chain([0, 1, u32::MAX]) {
            assert_eq!(key_of(key.wrapping_mul(HASH_MULTIPLIER)), key);
        }
    }

    #[test]
    fn holds_all_and_little_else() {
        // Miri takes minutes for more.
        let (many, absent) = if cfg!(miri) { (1500, 1000) } else { (40_000, 100_000) };
        for count in [0, 1, 2, 3, 1000, 1024, many] {
            let builder = SieveBuilder::new(count as usize);
            keys(count).for_each(|key| builder.insert(key));
            let sieve = builder.finish();
            assert!(keys(count).all(|key| sieve.may_contain(key)), "{count}");
            let passed = keys(count + absent).skip(count as usize).filter(|&key| sieve.may_contain(key)).count();
            assert!(passed < absent as usize / 40, "{passed} of {absent} pass at {count}");
        }
    }
}
