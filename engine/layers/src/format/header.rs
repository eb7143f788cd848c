//! The header of our own format, and its encoding: the one place that knows bincode.

use bincode::{DefaultOptions, Options};
use serde::{Deserialize, Serialize};

use super::error::FormatError;

/// The most bytes that an encoded header can have.
pub(super) const MAX_HEADER_LEN: u32 = 64 << 10;

/// What the header holds, in this order. The values are not checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// File name of the target, or empty.
    pub(super) target_name: String,
    /// Length of the target in bytes.
    pub(super) length: u64,
    /// BLAKE3 of the target.
    pub(super) file_hash: [u8; 32],
    /// Which weak sums there are.
    pub(super) weak_kind: u8,
    /// Which strong sums there are.
    pub(super) strong_kind: u8,
    /// Bytes in a strong sum.
    pub(super) strong_len: u8,
    /// The odds of a wrong match anywhere are one in two to the power of this, where
    /// seeds are no longer than twice the target.
    pub(super) odds: u8,
    /// What the strong sums are salted with.
    pub(super) salt: u64,
    /// From the coarsest to the finest.
    pub(super) layers: Vec<LayerHeader>,
    /// The payload, where it is not the target itself.
    pub(super) payload: Option<PayloadHeader>,
    /// BLAKE3 of the nodes of the target's tree.
    pub(super) tree_hash: [u8; 32],
    /// What follows the tree.
    pub(super) sections: Vec<SectionHeader>,
}

/// A layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LayerHeader {
    /// Size of a block in bytes.
    pub(super) block_size: u32,
    /// Bytes in which a record says how long its block is in a compressed payload; 0 where
    /// there is none.
    pub(super) compressed_len: u8,
    /// BLAKE3 of all records.
    pub(super) hash: [u8; 32],
}

/// How the payload is compressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PayloadHeader {
    /// File name of the payload.
    pub(super) name: String,
    /// Which compression.
    pub(super) kind: u8,
    /// Bytes of the target in a fine frame.
    pub(super) fine: u32,
    /// Bytes of the target in a coarse frame.
    pub(super) coarse: u32,
    /// Bytes of the target before a fine frame that it is compressed with.
    pub(super) fine_prefix: u32,
    /// Bytes of the target before a coarse frame that it is compressed with.
    pub(super) coarse_prefix: u32,
    /// Bytes further back that a fine frame may refer to.
    pub(super) fine_region: u32,
    /// Bytes further back that a coarse frame may refer to.
    pub(super) coarse_region: u32,
    /// What all frames are decoded with.
    pub(super) preamble: Vec<u8>,
    /// Length of the payload in bytes.
    pub(super) length: u64,
}

/// A section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SectionHeader {
    /// What it is.
    pub(super) id: u32,
    /// Its length in bytes.
    pub(super) length: u64,
    /// BLAKE3 of its bytes.
    pub(super) hash: [u8; 32],
}

/// What the header of a part of an index holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartHeader {
    /// As in the index's, as far as is known: the hash of the target is not, and hashes and
    /// the payload's length are those of the part.
    pub(super) index: Header,
    /// Where the part begins in the target.
    pub(super) start: u64,
    /// Where it ends.
    pub(super) end: u64,
    /// BLAKE3 of the part's payload, which has a file of its own.
    pub(super) payload_hash: [u8; 32],
}

impl Header {
    /// The header as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        encoding().serialize(self).expect("checked names and few layers stay far below the limit")
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

impl PartHeader {
    /// The header as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        encoding().serialize(self).expect("hardly longer than that of an index")
    }

    /// The header that `bytes` are.
    ///
    /// # Errors
    ///
    /// As [`Header::decode`].
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
            file_hash: [0x5a; 32],
            weak_kind: 1,
            strong_kind: 2,
            strong_len: 6,
            odds: 32,
            salt: 0x1112_1314_1516_1718,
            layers: vec![LayerHeader { block_size: 0x0a0b_0c0d, compressed_len: 3, hash: [0x6b; 32] }],
            payload: Some(PayloadHeader {
                name: "c".into(),
                kind: 1,
                fine: 0x2122_2324,
                coarse: 0x2526_2728,
                fine_prefix: 0x3132_3334,
                coarse_prefix: 0x3536_3738,
                fine_region: 0x6162_6364,
                coarse_region: 0x6566_6768,
                preamble: vec![0x51, 0x52],
                length: 0x4142_4344_4546_4748,
            }),
            tree_hash: [0x7c; 32],
            sections: vec![SectionHeader { id: 0x8000_0003, length: 7, hash: [0x8d; 32] }],
        }
    }

    #[test]
    fn every_byte_is_where_it_is_specified() {
        let mut expected = vec![2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b'];
        expected.extend([8, 7, 6, 5, 4, 3, 2, 1]);
        expected.extend([0x5a; 32]);
        expected.extend([1, 2, 6, 32, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]);
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 0x0d, 0x0c, 0x0b, 0x0a, 3]);
        expected.extend([0x6b; 32]);
        expected.extend([1, 1, 0, 0, 0, 0, 0, 0, 0, b'c', 1, 0x24, 0x23, 0x22, 0x21, 0x28, 0x27, 0x26, 0x25]);
        expected.extend([0x34, 0x33, 0x32, 0x31, 0x38, 0x37, 0x36, 0x35]);
        expected.extend([0x64, 0x63, 0x62, 0x61, 0x68, 0x67, 0x66, 0x65]);
        expected.extend([2, 0, 0, 0, 0, 0, 0, 0, 0x51, 0x52]);
        expected.extend([0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41]);
        expected.extend([0x7c; 32]);
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0x80, 7, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([0x8d; 32]);
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
        for (at, what) in [(0, "name"), (62, "layers"), (bytes.len() - 52, "sections")] {
            for count in [u64::MAX, 1 << 60, 1 << 32, 1 << 16] {
                let mut bytes = bytes.clone();
                bytes[at..at + 8].copy_from_slice(&count.to_le_bytes());
                assert!(Header::decode(&bytes).is_err(), "{count} {what}");
            }
        }
    }
}
