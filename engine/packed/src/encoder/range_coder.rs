//! Bits coded by their odds, which are learned from the bits before: the range coder of LZMA.

use std::sync::Arc;

/// The odds of a zero, out of 2^16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Odds(u16);

impl Odds {
    pub(crate) const EVEN: Self = Self(1 << 15);

    /// The part of `range` that stands for a zero.
    fn bound(self, range: u32) -> u32 {
        (range >> 16) * u32::from(self.0)
    }

    fn learn(&mut self, bit: bool) {
        // It comes no nearer to an end than 31, where a shift leaves nothing.
        if bit {
            self.0 -= self.0 >> 5;
        } else {
            self.0 += (u16::MAX - self.0) >> 5;
        }
    }
}

/// Codes bits, or finds them again: what is done with them is written once for both.
pub(crate) trait Coder {
    /// Codes `bit` and returns it, or returns the one that was coded.
    fn bit(&mut self, odds: &mut Odds, bit: bool) -> bool;

    /// The same with the low `count` bits of a number, the highest first; `odds` has 2^`count`.
    fn number(&mut self, odds: &mut [Odds], count: u32, number: usize) -> usize {
        let coded = (0..count).rev().fold(1, |node, at| {
            let bit = self.bit(&mut odds[node], number >> at & 1 == 1);
            2 * node + usize::from(bit)
        });
        coded - (1 << count)
    }

    /// The same where nothing is known of the bits.
    fn even(&mut self, count: u32, number: usize) -> usize {
        (0..count).rev().fold(0, |coded, at| {
            let bit = self.bit(&mut { Odds::EVEN }, number >> at & 1 == 1);
            2 * coded + usize::from(bit)
        })
    }
}

/// Codes bits into bytes.
#[derive(Debug)]
pub(crate) struct RangeEncoder {
    low: u64,
    range: u32,
    /// A byte that a carry may still change, and how many of 255 are behind it, and it.
    cache: u8,
    held: u64,
    out: Vec<u8>,
}

impl Default for RangeEncoder {
    fn default() -> Self {
        Self { low: 0, range: u32::MAX, cache: 0, held: 1, out: Vec::new() }
    }
}

impl RangeEncoder {
    /// How many bytes there are so far, roughly.
    pub(crate) fn len(&self) -> usize {
        self.out.len() + self.held as usize
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        (0..5).for_each(|_| self.shift());
        // What is behind the end is read as zeros.
        while self.out.last() == Some(&0) {
            self.out.pop();
        }
        self.out
    }

    fn shift(&mut self) {
        let carry = (self.low >> 32) as u8;
        if carry > 0 || self.low < 0xff00_0000 {
            self.out.push(self.cache.wrapping_add(carry));
            (1..self.held).for_each(|_| self.out.push(0xff_u8.wrapping_add(carry)));
            self.held = 0;
            self.cache = (self.low >> 24) as u8;
        }
        self.held += 1;
        self.low = (self.low & 0x00ff_ffff) << 8;
    }
}

impl Coder for RangeEncoder {
    fn bit(&mut self, odds: &mut Odds, bit: bool) -> bool {
        let bound = odds.bound(self.range);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        odds.learn(bit);
        while self.range < 1 << 24 {
            self.range <<= 8;
            self.shift();
        }
        bit
    }
}

/// Finds bits again.
#[derive(Debug)]
pub(crate) struct RangeDecoder {
    code: u32,
    range: u32,
    bytes: Arc<[u8]>,
    at: usize,
}

impl RangeDecoder {
    /// Of the bytes from `at` on.
    pub(crate) fn new(bytes: Arc<[u8]>, at: usize) -> Self {
        let mut decoder = Self { code: 0, range: u32::MAX, bytes, at };
        (0..5).for_each(|_| decoder.shift());
        decoder
    }

    fn shift(&mut self) {
        self.code = self.code << 8 | u32::from(self.bytes.get(self.at).copied().unwrap_or(0));
        self.at += 1;
    }
}

impl Coder for RangeDecoder {
    fn bit(&mut self, odds: &mut Odds, _: bool) -> bool {
        let bound = odds.bound(self.range);
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        odds.learn(bit);
        while self.range < 1 << 24 {
            self.range <<= 8;
            self.shift();
        }
        bit
    }
}

#[cfg(test)]
mod tests {
    use gosync_testkit::Random;

    use super::*;

    #[test]
    fn what_was_coded_is_found_again() {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            // From bits that are nearly always the same to those that are not.
            let bits: Vec<bool> = (0..20_000).map(|_| random.one_in(1 << (seed % 12))).collect();
            let numbers: Vec<usize> = (0..500).map(|_| random.below(256)).collect();
            let (mut encoder, mut odds, mut tree) = (RangeEncoder::default(), Odds::EVEN, [Odds::EVEN; 256]);
            bits.iter().for_each(|bit| assert_eq!(encoder.bit(&mut odds, *bit), *bit));
            for number in &numbers {
                assert_eq!(encoder.number(&mut tree, 8, *number), *number);
                assert_eq!(encoder.even(5, *number % 32), *number % 32);
            }
            let bytes = encoder.finish();
            let (mut decoder, mut odds, mut tree) = (RangeDecoder::new(bytes.into(), 0), Odds::EVEN, [Odds::EVEN; 256]);
            bits.iter().for_each(|bit| assert_eq!(decoder.bit(&mut odds, false), *bit));
            for number in &numbers {
                assert_eq!(decoder.number(&mut tree, 8, 0), *number);
                assert_eq!(decoder.even(5, 0), *number % 32);
            }
        }
    }

    #[test]
    fn what_is_foreseen_costs_next_to_nothing() {
        let (mut encoder, mut odds) = (RangeEncoder::default(), Odds::EVEN);
        for at in 0..1_000_000 {
            encoder.bit(&mut odds, at % 50_000 == 0);
        }
        assert!(encoder.finish().len() < 300);
    }
}
