//! Bits in deflate's order: the lowest of a byte come first.

use std::io::{self, Read};

/// How many bytes are read at a time.
const BUFFER: usize = 1 << 15;

/// Reads bits out of a reader.
pub(crate) struct BitReader<R> {
    reader: R,
    buffer: Box<[u8]>,
    at: usize,
    filled: usize,
    bits: u64,
    count: u32,
    /// How many bytes went into `bits` so far.
    taken: u64,
}

impl<R: Read> BitReader<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; BUFFER].into(), at: 0, filled: 0, bits: 0, count: 0, taken: 0 }
    }

    /// Has 56 bits or more at hand, or all there are.
    #[inline]
    pub(crate) fn refill(&mut self) -> io::Result<()> {
        if let Some(word) = self.buffer[self.at..self.filled].first_chunk::<8>() {
            // As many whole bytes as there is room for; what is above them is read again.
            self.bits |= u64::from_le_bytes(*word) << self.count;
            let bytes = (63 - self.count) / 8;
            self.at += bytes as usize;
            self.taken += u64::from(bytes);
            self.count += bytes * 8;
            return Ok(());
        }
        self.refill_slowly()
    }

    #[cold]
    fn refill_slowly(&mut self) -> io::Result<()> {
        // Above `count` there may be bits of the last refill.
        self.bits &= (1 << self.count) - 1;
        while self.count < 56 {
            if self.at == self.filled {
                (self.at, self.filled) = (0, self.reader.read(&mut self.buffer)?);
                if self.filled == 0 {
                    break;
                }
            }
            self.bits |= u64::from(self.buffer[self.at]) << self.count;
            (self.at, self.taken, self.count) = (self.at + 1, self.taken + 1, self.count + 8);
        }
        Ok(())
    }

    /// The next bits, of which only as many count as [`consume`](Self::consume) grants.
    #[inline]
    pub(crate) fn peek(&self) -> u64 {
        self.bits
    }

    /// Goes on by `count` bits, of those that a refill brought; `None` where there are too few.
    #[inline]
    pub(crate) fn consume(&mut self, count: u32) -> Option<()> {
        self.count = self.count.checked_sub(count)?;
        self.bits >>= count;
        Some(())
    }

    /// The next `count` bits, 32 at most.
    pub(crate) fn bits(&mut self, count: u32) -> io::Result<Option<u32>> {
        self.refill()?;
        let bits = (self.bits & ((1 << count) - 1)) as u32;
        Ok(self.consume(count).map(|()| bits))
    }

    /// How many bits are left of the byte that was begun.
    pub(crate) fn left_of_byte(&self) -> u32 {
        self.count % 8
    }

    /// How many bytes were begun.
    pub(crate) fn position(&self) -> u64 {
        self.taken - u64::from(self.count / 8)
    }
}

/// Puts bits into bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    bits: u64,
    count: u32,
}

impl BitWriter {
    /// Adds the low `count` bits of `bits`, 32 at most; the others are zeros.
    #[inline]
    pub(crate) fn put(&mut self, bits: u32, count: u32) {
        debug_assert!(count <= 32 && u64::from(bits) >> count == 0);
        self.bits |= u64::from(bits) << self.count;
        self.count += count;
        if self.count >= 32 {
            self.bytes.extend_from_slice(&(self.bits as u32).to_le_bytes());
            self.bits >>= 32;
            self.count -= 32;
        }
    }

    /// Fills up the last byte with zeros.
    pub(crate) fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        while self.count > 0 {
            self.bytes.push(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }

    /// Adds whole bytes, behind whole bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0);
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes of all bits, those that fill up the last being zeros; and how many bits there were.
    pub(crate) fn into_bytes(mut self) -> (Vec<u8>, u64) {
        let bits = self.bytes.len() as u64 * 8 + u64::from(self.count);
        self.align();
        (self.bytes, bits)
    }

    /// The bytes that are whole; they are taken out.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use gosync_testkit::Random;

    use super::*;

    #[test]
    fn bits_come_out_as_they_went_in() {
        let mut random = Random::new(1);
        let numbers: Vec<(u32, u32)> = (0..50_000)
            .map(|_| {
                let count = random.below(33) as u32;
                ((random.next_u64() & ((1 << count) - 1)) as u32, count)
            })
            .collect();
        let mut writer = BitWriter::default();
        numbers.iter().for_each(|(bits, count)| writer.put(*bits, *count));
        writer.align();
        let bytes = writer.take();
        let mut reader = BitReader::new(&bytes[..]);
        let mut read = 0;
        for (bits, count) in numbers {
            assert_eq!(reader.bits(count).unwrap(), Some(bits));
            read += count as usize;
            assert_eq!(reader.position(), read.div_ceil(8) as u64);
        }
        assert_eq!(reader.left_of_byte() as usize, bytes.len() * 8 - read);
        assert_eq!(reader.bits(reader.left_of_byte()).unwrap(), Some(0));
        assert_eq!(reader.bits(1).unwrap(), None);
    }
}
