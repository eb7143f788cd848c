//! Block and strong lengths, given or as librsync recommends them.

use crate::error::Error;
use crate::kind::{MAX_BLOCK_LEN, SignatureKind};

/// How to make a signature. The default is that of rdiff 2.2 and later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignatureOptions {
    /// Which sums.
    pub kind: SignatureKind,
    /// Bytes in a block, [`MAX_BLOCK_LEN`] at most; `None` for what is recommended for the basis's
    /// length.
    pub block_len: Option<u32>,
    /// Bytes of each block's strong sum.
    pub strong_len: StrongLen,
    /// The basis's length, where it is known: the recommendations depend on it.
    pub basis_len: Option<u64>,
}

/// How many bytes of strong sums to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StrongLen {
    /// All: 16 for MD4, 32 for BLAKE2b.
    #[default]
    Maximum,
    /// As few as librsync thinks safe for a file of the basis's length that nobody tampered
    /// with.
    Minimum,
    /// So many.
    Bytes(u32),
}

/// What a signature's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureHeader {
    /// Which sums.
    pub kind: SignatureKind,
    /// Bytes in a block.
    pub block_len: u32,
    /// Bytes of each block's strong sum.
    pub strong_len: u32,
}

/// Bytes of a block where the basis's length is not known.
const DEFAULT_BLOCK_LEN: u32 = 2048;

/// Bytes of a safe strong sum where the basis's length is not known.
const DEFAULT_MIN_STRONG_LEN: u32 = 12;

impl SignatureOptions {
    /// The lengths that a signature gets.
    ///
    /// # Errors
    ///
    /// When there are no blocks or strong sums of the length asked for.
    pub fn header(&self) -> Result<SignatureHeader, Error> {
        let Self { kind, basis_len, .. } = *self;
        let block_len = self.block_len.unwrap_or_else(|| basis_len.map_or(DEFAULT_BLOCK_LEN, recommended_block_len));
        let strong_len = match self.strong_len {
            StrongLen::Maximum => kind.max_strong_len(),
            StrongLen::Minimum => self.min_strong_len(),
            StrongLen::Bytes(len) => len,
        };
        SignatureHeader { kind, block_len, strong_len }.checked()
    }

    /// Bytes of strong sums below which librsync warns of collisions.
    pub fn min_strong_len(&self) -> u32 {
        let Some(len) = self.basis_len else { return DEFAULT_MIN_STRONG_LEN };
        let block_len = u64::from(self.block_len.unwrap_or_else(|| recommended_block_len(len)).max(1));
        let log2 = |number: u64| number.ilog2();
        let bits = log2(len.saturating_add(1 << 24)) + log2((len / block_len).saturating_add(1));
        (2 + bits.div_ceil(8)).min(self.kind.max_strong_len())
    }
}

impl SignatureHeader {
    /// Itself, if there can be such a signature.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let Self { kind, block_len, strong_len } = self;
        if block_len == 0 || block_len > MAX_BLOCK_LEN {
            return Err(Error::BlockLen(block_len));
        }
        if strong_len == 0 || strong_len > kind.max_strong_len() {
            return Err(Error::StrongLen { strong_len, most: kind.max_strong_len() });
        }
        Ok(self)
    }
}

/// The square root of the basis's length, in steps of 128, so that neither many blocks nor
/// large ones make a delta large.
fn recommended_block_len(basis_len: u64) -> u32 {
    if basis_len <= 1 << 16 { 256 } else { (basis_len.isqrt() & !127).min(MAX_BLOCK_LEN.into()) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(basis_len: Option<u64>, block_len: Option<u32>, strong_len: StrongLen) -> (u32, u32) {
        let header = SignatureOptions { basis_len, block_len, strong_len, ..Default::default() }.header().unwrap();
        (header.block_len, header.strong_len)
    }

    /// What rdiff 2.3.2 wrote for files of these lengths.
    #[test]
    fn recommended_as_by_librsync() {
        for (len, block_len, strong_len) in
            [(20_000, 256, 6), (65_536, 256, 6), (66_000, 256, 6), (1 << 20, 1024, 7), (100_000_000, 9984, 7)]
        {
            assert_eq!(lens(Some(len), None, StrongLen::Minimum), (block_len, strong_len), "{len}");
            assert_eq!(lens(Some(len), None, StrongLen::Maximum), (block_len, 32), "{len}");
        }
        assert_eq!(lens(None, None, StrongLen::Minimum), (2048, 12));
        assert_eq!(lens(Some(0), Some(7), StrongLen::Bytes(1)), (7, 1));
        assert_eq!(recommended_block_len(u64::MAX), MAX_BLOCK_LEN);
    }

    #[test]
    fn absurd_lengths_are_refused() {
        let header = |block_len, strong_len| {
            let options = SignatureOptions { block_len, strong_len, kind: SignatureKind::Md4Rollsum, basis_len: None };
            options.header()
        };
        assert!(matches!(header(Some(0), StrongLen::Maximum), Err(Error::BlockLen(0))));
        assert!(matches!(header(Some(MAX_BLOCK_LEN + 1), StrongLen::Maximum), Err(Error::BlockLen(_))));
        for len in [0, 17, u32::MAX] {
            assert!(matches!(header(None, StrongLen::Bytes(len)), Err(Error::StrongLen { most: 16, .. })));
        }
    }
}
