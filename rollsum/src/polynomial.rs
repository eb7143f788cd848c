//! Polynomials of the bytes modulo 2^32.

#[cfg(target_arch = "x86_64")]
use fearless_simd::x86::Avx512;

#[cfg(target_arch = "x86_64")]
use crate::avx512::PolynomialGroups;
use crate::lanes::{self, Vectors};
use crate::machine::Rolling;
use crate::sieve::HASH_MULTIPLIER;

/// librsync's multiplier.
pub(crate) const MULTIPLIER: u32 = 0x0810_4225;

/// The sum before any byte, so that leading zeros count.
pub(crate) const SEED: u32 = 1;

/// The sum of `block`, which goes on from `sum`.
#[inline(always)]
pub(crate) fn sum(block: &[u8], mut sum: u32) -> u32 {
    // In strides, because a chain of one multiplication for every byte is slow.
    const STRIDE: usize = 16;
    let powers: [u32; STRIDE] = const {
        let mut powers = [1u32; STRIDE];
        let mut at = STRIDE - 1;
        while at > 0 {
            powers[at - 1] = powers[at].wrapping_mul(MULTIPLIER);
            at -= 1;
        }
        powers
    };
    let stride_power = powers[0].wrapping_mul(MULTIPLIER);
    let mut strides = block.chunks_exact(STRIDE);
    for stride in &mut strides {
        let terms = stride.iter().zip(powers).map(|(&byte, power)| u32::from(byte).wrapping_mul(power));
        sum = sum.wrapping_mul(stride_power).wrapping_add(terms.fold(0, u32::wrapping_add));
    }
    for &byte in strides.remainder() {
        sum = sum.wrapping_mul(MULTIPLIER).wrapping_add(byte.into());
    }
    sum
}

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
        self.sum = crate::sieve::key_of(groups.hash()).wrapping_sub(self.leaving);
    }
}

/// The number whose product with the odd `number` is 1 modulo 2^32.
pub(crate) const fn inverse(number: u32) -> u32 {
    // The 2^30th power of every odd number is 1.
    power(number, (1 << 30) - 1)
}

/// `base` to the power of `exponent`, modulo 2^32.
pub(crate) const fn power(base: u32, exponent: usize) -> u32 {
    let (mut result, mut square, mut rest) = (1u32, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result = result.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        rest >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_definition(block: &[u8]) -> u32 {
        block.iter().fold(SEED, |sum, &byte| sum.wrapping_mul(MULTIPLIER).wrapping_add(byte.into()))
    }

    #[test]
    fn equals_its_definition_at_every_length() {
        let data: Vec<u8> = (0..2049u32).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect();
        // Miri takes minutes for more.
        let (most, long): (_, &[usize]) = if cfg!(miri) { (30, &[]) } else { (100, &[2047, 2048, 2049]) };
        for length in (0..most).chain(long.iter().copied()) {
            let block = &data[..length];
            assert_eq!(sum(block, SEED), by_definition(block), "{length}");
        }
    }

    #[test]
    fn inverses() {
        for number in [1, 3, MULTIPLIER, HASH_MULTIPLIER, u32::MAX] {
            assert_eq!(inverse(number).wrapping_mul(number), 1);
        }
    }

    #[test]
    fn powers() {
        assert_eq!(power(3, 0), 1);
        assert_eq!(power(3, 20), 3u32.pow(20));
    }
}
