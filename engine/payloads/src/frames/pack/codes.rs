//! How lengths and offsets are cut into codes and extra bits (RFC 8878, 3.1.1.3.2.1).

/// A code, and the bits that say which of its values is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) symbol: u8,
    pub(super) extra: u32,
    pub(super) bits: u32,
}

/// The number of codes of literals' lengths, of matches' lengths and of offsets. There are
/// more offsets, but none reaches further back than a prefix does.
pub(super) const LITERAL_LENGTHS: usize = 36;
pub(super) const MATCH_LENGTHS: usize = 53;
pub(super) const OFFSETS: usize = 24;

/// The first values of the codes from 16 on, of literals' lengths.
const LITERAL_BASES: [u32; 20] =
    [16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

/// The first values of the codes from 32 on, of matches' lengths.
const MATCH_BASES: [u32; 21] =
    [35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16_387, 32_771, 65_539];

/// The extra bits of the same codes.
const LITERAL_BITS: [u8; 20] = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_BITS: [u8; 21] = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// The shortest match that there is a code for.
pub(super) const SHORTEST_MATCH: u32 = 3;

/// The code of so many literals.
pub(super) fn literal_length(length: u32) -> Code {
    if length < 16 { direct(length) } else { banded(length, 16, &LITERAL_BASES, &LITERAL_BITS) }
}

/// The code of a match of `length` bytes, which is 3 at least.
pub(super) fn match_length(length: u32) -> Code {
    if length < 35 { direct(length - SHORTEST_MATCH) } else { banded(length, 32, &MATCH_BASES, &MATCH_BITS) }
}

/// The code of an offset's value, which is 1 at least: 1 to 3 are recent ones.
pub(super) fn offset(value: u32) -> Code {
    let bits = value.ilog2();
    Code { symbol: bits as u8, extra: value - (1 << bits), bits }
}

fn direct(symbol: u32) -> Code {
    Code { symbol: symbol as u8, extra: 0, bits: 0 }
}

fn banded(value: u32, first: u8, bases: &[u32], bits: &[u8]) -> Code {
    let band = bases.partition_point(|base| *base <= value) - 1;
    Code { symbol: first + band as u8, extra: value - bases[band], bits: bits[band].into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_have_no_gaps() {
        for (bases, bits) in [(&LITERAL_BASES[..], &LITERAL_BITS[..]), (&MATCH_BASES, &MATCH_BITS)] {
            assert_eq!(bases.len(), bits.len());
            for (pair, bits) in bases.windows(2).zip(bits) {
                assert_eq!(pair[1] - pair[0], 1 << bits);
            }
        }
        assert_eq!(literal_length(15), Code { symbol: 15, extra: 0, bits: 0 });
        assert_eq!(literal_length(63), Code { symbol: 24, extra: 15, bits: 4 });
        assert_eq!(usize::from(literal_length(131_071).symbol), LITERAL_LENGTHS - 1);
        assert_eq!(match_length(3), Code { symbol: 0, extra: 0, bits: 0 });
        assert_eq!(match_length(36), Code { symbol: 32, extra: 1, bits: 1 });
        assert_eq!(usize::from(match_length(131_074).symbol), MATCH_LENGTHS - 1);
        assert_eq!(offset(1), Code { symbol: 0, extra: 0, bits: 0 });
        assert_eq!(offset(1027), Code { symbol: 10, extra: 3, bits: 10 });
    }
}
