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
//! With 16 to 32 bits for each key, one absent key in 70 to one in 270 passes.

use std::sync::atomic::{AtomicU32, Ordering};

/// More words than this would leave no five bits of the hash for the bit.
const MAX_WORD_BITS: u32 = 27;

/// Takes keys from any number of threads and makes a sieve of them.
#[derive(Debug)]
pub struct SieveBuilder {
    words: Vec<AtomicU32>,
}

impl SieveBuilder {
    /// An empty sieve for about `keys` keys: two to four bytes for each.
    pub fn new(keys: usize) -> Self {
        let bits = keys.max(1).ilog2().min(MAX_WORD_BITS);
        Self { words: (0..1usize << bits).map(|_| AtomicU32::new(0)).collect() }
    }

    /// Adds `key`.
    pub fn insert(&self, key: u32) {
        let probe = Probe::new(key, shift(self.words.len()));
        self.words[probe.word].fetch_or(probe.bits, Ordering::Relaxed);
    }

    /// The words of the sieve, a power of two of them, for [`crate::Scanner::scan`].
    pub fn finish(self) -> Vec<u32> {
        self.words.into_iter().map(AtomicU32::into_inner).collect()
    }
}

/// Whether `key` may be in the sieve made of `words`; never `false` for one that is.
pub fn may_contain(words: &[u32], key: u32) -> bool {
    View::new(words).may_contain(key)
}

/// A sieve, ready to be probed.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    words: &'a [u32],
    shift: u32,
}

impl<'a> View<'a> {
    /// # Panics
    ///
    /// When the number of words is not a power of two.
    pub(crate) fn new(words: &'a [u32]) -> Self {
        assert!(words.len().is_power_of_two(), "a sieve has a power of two of words");
        Self { words, shift: shift(words.len()) }
    }

    #[inline(always)]
    pub(crate) fn may_contain(&self, key: u32) -> bool {
        let probe = Probe::new(key, self.shift);
        // The mask changes nothing, and lets the compiler see that the word is there.
        self.words[probe.word & (self.words.len() - 1)] & probe.bits == probe.bits
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
        let hash = key.wrapping_mul(0x9e37_79b1);
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
    fn holds_all_and_little_else() {
        for count in [0, 1, 2, 3, 1000, 1024, 40_000] {
            let builder = SieveBuilder::new(count as usize);
            keys(count).for_each(|key| builder.insert(key));
            let words = builder.finish();
            assert!(keys(count).all(|key| may_contain(&words, key)), "{count}");
            let absent = 100_000;
            let passed = keys(count + absent).skip(count as usize).filter(|&key| may_contain(&words, key)).count();
            assert!(passed < absent as usize / 40, "{passed} of {absent} pass at {count}");
        }
    }
}
