//! How many bytes of each sum a control file keeps, and how its maker chooses.

/// The `Hash-Lengths` of a control file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLengths {
    /// How many blocks in a row a client has to find before it believes the first, 1 or 2.
    pub sequence: u8,
    /// Bytes of a weak sum, 1 to 4.
    pub weak: u8,
    /// Bytes of a strong sum, 1 to 32.
    pub strong: u8,
}

impl Default for HashLengths {
    /// What holds where a control file does not say.
    fn default() -> Self {
        Self { sequence: 1, weak: 4, strong: 16 }
    }
}

impl HashLengths {
    /// As zsyncmake 0.6.2 chooses for a target of `length` bytes, at least one: two blocks
    /// in a row, so that fewer bytes will do.
    pub fn of_0_6_2(length: u64, block_size: u32) -> Self {
        let sequence = if length > block_size.into() { 2 } else { 1 };
        let bits = Bits::new(length, block_size);
        let per_block = f64::from(sequence) * 8.0;
        let weak = ((bits.length + bits.block_size - 8.6) / per_block).ceil();
        let strong = ((20.0 + bits.length + bits.blocks) / per_block).ceil();
        // Enough for a single block at a place that is expected; the maker cuts this one off.
        let expected = ((7.9 + (20.0 + bits.blocks)) / 8.0).floor();
        Self { sequence, weak: weak.clamp(2.0, 4.0) as u8, strong: strong.max(expected).clamp(1.0, 16.0) as u8 }
    }

    /// As zsyncmake 0.6.3 and 0.6.4 choose: one block at a time as long as four bytes of
    /// the weak sum are enough for that, so that a client finds blocks that stand alone.
    pub fn of_0_6_3(length: u64, block_size: u32) -> Self {
        let bits = Bits::new(length, block_size);
        let weak = ((bits.length + bits.block_size - 8.6) / 8.0).ceil();
        let (sequence, weak) = if weak > 4.0 { (2, 4.0) } else { (1, weak.max(2.0)) };
        let strong = ((20.0 + bits.length + bits.blocks) / f64::from(sequence) / 8.0).ceil();
        let expected = ((20.0 + bits.blocks) / 8.0).ceil();
        Self { sequence, weak: weak as u8, strong: strong.max(expected).clamp(4.0, 16.0) as u8 }
    }

    /// Bytes in the record of a block.
    pub(crate) fn record_len(self) -> usize {
        usize::from(self.weak) + usize::from(self.strong)
    }

    pub(crate) fn is_valid(self) -> bool {
        (1..=2).contains(&self.sequence) && (1..=4).contains(&self.weak) && (1..=32).contains(&self.strong)
    }
}

/// Logarithms to the base 2, by way of natural ones as in the originals, or the last bit
/// may round to another byte.
struct Bits {
    length: f64,
    block_size: f64,
    /// Of one more than the number of whole blocks.
    blocks: f64,
}

impl Bits {
    fn new(length: u64, block_size: u32) -> Self {
        let log2 = |number: f64| number.ln() / std::f64::consts::LN_2;
        let blocks = (length.max(1) / u64::from(block_size)).saturating_add(1);
        Self {
            length: log2(length.max(1) as f64),
            block_size: log2(f64::from(block_size)),
            blocks: log2(blocks as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_choices() {
        let lengths = |lengths: HashLengths| (lengths.sequence, lengths.weak, lengths.strong);
        assert_eq!(lengths(HashLengths::of_0_6_2(19_914, 2048)), (2, 2, 3), "made by zsyncmake 0.6.2");
        assert_eq!(lengths(HashLengths::of_0_6_2(2048, 2048)).0, 1);
        assert_eq!(lengths(HashLengths::of_0_6_2(2049, 2048)).0, 2);
        assert_eq!(lengths(HashLengths::of_0_6_3(100_000_000, 2048)), (1, 4, 8));
        assert_eq!(lengths(HashLengths::of_0_6_3(4 << 40, 4096)), (2, 4, 7));
        for length in [0, 1, u64::MAX] {
            for block_size in [1, 2048, 1 << 24] {
                assert!(HashLengths::of_0_6_2(length, block_size).is_valid());
                assert!(HashLengths::of_0_6_3(length, block_size).is_valid());
            }
        }
    }
}
