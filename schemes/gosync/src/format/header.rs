//! The header of our own format, and its encoding: the one place that knows bincode.

use bincode::{DefaultOptions, Options};
use serde::{Deserialize, Serialize};

use super::FormatError;

/// The most bytes that an encoded header can have.
pub(super) const MAX_HEADER_LEN: u32 = 64 << 10;

/// What the header holds, in this order. The values are not checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// File name of the target, or empty.
    pub(super) target_name: String,
    /// Length of the target in bytes.
    pub(super) length: u64,
    /// Size of a block in bytes.
    pub(super) block_size: u32,
    /// Which weak sums there are.
    pub(super) weak_kind: u8,
    /// Bytes in a weak sum.
    pub(super) weak_len: u8,
    /// Which strong sums there are.
    pub(super) strong_kind: u8,
    /// Bytes in a strong sum.
    pub(super) strong_len: u8,
    /// BLAKE3 of the target.
    pub(super) file_hash: [u8; 32],
    /// What follows the columns of sums.
    pub(super) sections: Vec<Section>,
}

/// Bytes after the columns that this version gives no meaning to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    /// What it is.
    pub(super) id: u32,
    /// Its length in bytes.
    pub(super) length: u64,
}

impl Section {
    /// The bit of [`Self::id`] that says: who does not know this section must not
    /// use the index.
    pub(super) const CRITICAL: u32 = 1 << 31;

    /// Whether a reader has to know this section.
    pub(super) fn is_critical(self) -> bool {
        self.id & Self::CRITICAL != 0
    }
}

impl Header {
    /// The header as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        encoding().serialize(self).expect("a checked name and no sections stay far below the limit")
    }

    /// The header that `bytes` are.
    ///
    /// # Errors
    ///
    /// When they are not one header, whole and with nothing after it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        encoding().deserialize(bytes).map_err(|_| FormatError::Corrupt { what: "the header cannot be decoded" })
    }
}

/// Integers of fixed width, little-endian; lengths are 64 bits.
fn encoding() -> impl Options {
    DefaultOptions::new()
        .with_fixint_encoding()
        .with_little_endian()
        .with_limit(MAX_HEADER_LEN.into())
        .reject_trailing_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            target_name: "ab".into(),
            length: 0x0102_0304_0506_0708,
            block_size: 0x0a0b_0c0d,
            weak_kind: 1,
            weak_len: 8,
            strong_kind: 2,
            strong_len: 16,
            file_hash: [0x5a; 32],
            sections: vec![Section { id: 0x8000_0003, length: 7 }],
        }
    }

    #[test]
    fn every_byte_is_where_it_is_specified() {
        let mut expected = vec![2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b'];
        expected.extend([8, 7, 6, 5, 4, 3, 2, 1, 0x0d, 0x0c, 0x0b, 0x0a, 1, 8, 2, 16]);
        expected.extend([0x5a; 32]);
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0x80, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(header().encode(), expected);
        assert_eq!(Header::decode(&expected).unwrap(), header());
    }

    #[test]
    fn neither_less_nor_more() {
        let mut bytes = header().encode();
        for len in 0..bytes.len() {
            assert!(Header::decode(&bytes[..len]).is_err(), "{len}");
        }
        bytes.push(0);
        assert!(Header::decode(&bytes).is_err());
    }

    #[test]
    fn absurd_lengths_inside() {
        let bytes = header().encode();
        for (at, what) in [(0, "name"), (bytes.len() - 20, "sections")] {
            for count in [u64::MAX, 1 << 60, 1 << 32, 1 << 16] {
                let mut bytes = bytes.clone();
                bytes[at..at + 8].copy_from_slice(&count.to_le_bytes());
                assert!(Header::decode(&bytes).is_err(), "{count} {what}");
            }
        }
    }
}
