//! Polynomials of the bytes modulo 2^32.

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
    use crate::sieve::HASH_MULTIPLIER;

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
