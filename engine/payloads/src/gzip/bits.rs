//! Bits one after another, whatever bit of a byte they begin at.

use std::ops::Range;

/// A row of bits, each byte filled from its lowest bit on, as deflate has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// What is behind the last bit is zero.
    bytes: Vec<u8>,
    len: usize,
}

impl Bits {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The bytes that are full.
    pub(super) fn full(&self) -> &[u8] {
        &self.bytes[..self.len / 8]
    }

    /// All bytes, the last one filled up with zeros.
    pub(super) fn padded(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes out the bytes that are full.
    pub(super) fn drop_full(&mut self) {
        self.bytes.drain(..self.len / 8);
        self.len %= 8;
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.push(&other.bytes, 0..other.len);
    }

    /// Adds those at `range` in `data`, which are there.
    pub(super) fn push(&mut self, data: &[u8], range: Range<usize>) {
        let len = range.len();
        if len == 0 {
            return;
        }
        let (from, to) = (range.start % 8, self.len % 8);
        let source = &data[range.start / 8..range.end.div_ceil(8)];
        if from == to {
            // The bits of the first byte that are not meant are those that are here already.
            let first = source[0] >> from << from;
            match self.bytes.last_mut().filter(|_| to > 0) {
                Some(last) => *last |= first,
                None => self.bytes.push(first),
            }
            self.bytes.extend_from_slice(&source[1..]);
        } else {
            self.bytes.reserve(source.len() + 1);
            let mut at = to;
            let mut carried = if to > 0 { u32::from(self.bytes.pop().unwrap_or(0)) } else { 0 };
            let mut rest = len;
            let mut skipped = from;
            for &byte in source {
                let count = rest.min(8 - skipped);
                carried |= (u32::from(byte) >> skipped & ((1 << count) - 1)) << at;
                (at, rest, skipped) = (at + count, rest - count, 0);
                if at >= 8 {
                    self.bytes.push(carried as u8);
                    carried >>= 8;
                    at -= 8;
                }
            }
            if at > 0 {
                self.bytes.push(carried as u8);
            }
        }
        self.len += len;
        self.clear_tail();
    }

    fn clear_tail(&mut self) {
        self.bytes.truncate(self.len.div_ceil(8));
        if let Some(last) = self.bytes.last_mut().filter(|_| !self.len.is_multiple_of(8)) {
            *last &= (1 << (self.len % 8)) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::{Random, corpus};

    #[test]
    fn as_bit_by_bit() {
        let data = corpus::random(1, 100);
        let bit = |data: &[u8], at: usize| data[at / 8] >> (at % 8) & 1;
        let mut random = Random::new(2);
        for _ in 0..200 {
            let mut bits = Bits::default();
            let mut expected = Vec::new();
            for _ in 0..random.range(1..6) {
                let start = random.below(700);
                let end = start + random.below(100).min(800 - start);
                bits.push(&data, start..end);
                expected.extend((start..end).map(|at| bit(&data, at)));
                if random.one_in(4) {
                    expected.drain(..bits.full().len() * 8);
                    bits.drop_full();
                }
            }
            let mut twice = Bits::default();
            twice.append(&bits);
            assert_eq!(twice, bits);
            assert_eq!(bits.len(), expected.len());
            let found: Vec<u8> = (0..bits.len()).map(|at| bit(bits.padded(), at)).collect();
            assert_eq!(found, expected);
            let tail = (bits.len()..bits.padded().len() * 8).map(|at| bit(bits.padded(), at)).sum::<u8>();
            assert_eq!((tail, bits.full().len()), (0, bits.len() / 8));
        }
    }
}
