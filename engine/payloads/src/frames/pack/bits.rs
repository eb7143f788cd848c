//! Bits that are read backwards.

/// Writes bits that zstd reads from the last one on.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    word: u64,
    count: u32,
}

impl BitWriter {
    /// Adds the low `bits` of `value`, 32 at most; the others are ignored.
    pub(super) fn add(&mut self, value: u32, bits: u32) {
        self.word |= (u64::from(value) & ((1 << bits) - 1)) << self.count;
        self.count += bits;
        if self.count >= 32 {
            self.bytes.extend((self.word as u32).to_le_bytes());
            self.word >>= 32;
            self.count -= 32;
        }
    }

    /// Appends what was added to `out`, as whole bytes, and forgets it.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        let rest = self.count.div_ceil(8) as usize;
        out.extend_from_slice(&self.bytes);
        out.extend_from_slice(&self.word.to_le_bytes()[..rest]);
        self.bytes.clear();
        (self.word, self.count) = (0, 0);
    }

    /// As [`Self::flush`], with a mark by which the reader finds the last bit.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        self.add(1, 1);
        self.flush(out);
    }
}
