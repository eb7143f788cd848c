//! A polynomial of a window that moves.

#[cfg(target_arch = "x86_64")]
use fearless_simd::x86::Avx512;

#[cfg(target_arch = "x86_64")]
use crate::avx512::polynomial::PolynomialGroups;
use crate::lanes::{self, Vectors};
use crate::polynomial::{MULTIPLIER, SEED, power};
use crate::sieve::HASH_MULTIPLIER;
#[cfg(target_arch = "x86_64")]
use crate::sieve::key_of;

use super::window::Rolling;

/// The sum of a window that moves.
#[derive(Clone, Copy)]
pub(crate) struct RabinKarp {
    /// The polynomial without the seed, which stays where it is while the bytes move.
    sum: u32,
    /// The power that the seed has, and a byte as it leaves the window.
    leaving: u32,
}

impl Rolling for RabinKarp {
    fn new(key: u32, window: usize, _: u32) -> Self {
        let leaving = power(MULTIPLIER, window);
        Self { sum: key.wrapping_sub(leaving.wrapping_mul(SEED)), leaving }
    }

    #[inline(always)]
    fn key(&self) -> u32 {
        self.sum.wrapping_add(self.leaving)
    }

    /// First what each step adds to the sum, for which no step waits for another, and then
    /// two steps at a time, because each waits for a multiplication.
    #[inline(always)]
    fn roll_bytes(&mut self, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]) {
        for ((hash, &outgoing), &incoming) in hashes.iter_mut().zip(outgoing).zip(incoming) {
            *hash = u32::from(incoming).wrapping_sub(self.leaving.wrapping_mul(outgoing.into()));
        }
        let Self { mut sum, leaving } = *self;
        let step = |sum: u32, added: u32| sum.wrapping_mul(MULTIPLIER).wrapping_add(added);
        let hash = |sum: u32| sum.wrapping_add(leaving).wrapping_mul(HASH_MULTIPLIER);
        let (pairs, rest) = hashes.as_chunks_mut::<2>();
        for [first, second] in pairs {
            let one = step(sum, *first);
            sum = sum.wrapping_mul(const { power(MULTIPLIER, 2) }).wrapping_add(step(*first, *second));
            (*first, *second) = (hash(one), hash(sum));
        }
        for last in rest {
            sum = step(sum, *last);
            *last = hash(sum);
        }
        self.sum = sum;
    }

    #[inline(always)]
    fn roll_lanes<V: Vectors>(&mut self, vectors: V, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]) {
        lanes::roll_polynomial(vectors, &mut self.sum, self.leaving, (outgoing, incoming), hashes);
    }

    #[cfg(target_arch = "x86_64")]
    type Groups = PolynomialGroups;

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn groups(&self, avx512: Avx512) -> PolynomialGroups {
        PolynomialGroups::new(avx512, self.key().wrapping_mul(HASH_MULTIPLIER), self.leaving)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn take_groups(&mut self, groups: PolynomialGroups) {
        self.sum = key_of(groups.hash()).wrapping_sub(self.leaving);
    }
}
