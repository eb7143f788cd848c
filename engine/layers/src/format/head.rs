//! The beginning of an index of our own, or of a part of one: prefix, header, checksum.

use super::error::FormatError;
use super::header::{Header, MAX_HEADER_LEN};

/// What an index begins with: nothing that text begins with, and a line feed, which
/// is what goes wrong where a transfer takes it for text all the same.
pub(super) const MAGIC: [u8; 8] = *b"\x89GOSYNC\n";

/// What the format is called.
pub const FORMAT: &str = "gosync";

/// The version of the format.
pub const VERSION: u16 = 2;

/// Bytes of the prefix: magic, version, flags, length of the header.
pub(super) const PREFIX_LEN: usize = 16;

const CHECKSUM_LEN: usize = 32;

/// The layers begin at a multiple of this.
const ALIGNMENT: usize = 8;

/// The header of an index, with all that is around it.
pub(super) fn encode(header: &Header) -> Vec<u8> {
    framed(MAGIC, VERSION, &header.encode())
}

/// A header, with all that is around it.
pub(super) fn framed(magic: [u8; 8], version: u16, encoded: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(PREFIX_LEN + encoded.len() + ALIGNMENT + CHECKSUM_LEN);
    head.extend(magic);
    head.extend(version.to_le_bytes());
    head.extend(0u16.to_le_bytes());
    head.extend((encoded.len() as u32).to_le_bytes());
    head.extend(encoded);
    head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
    head.extend(blake3::hash(&head).as_bytes());
    head
}

/// How many bytes the head of an index has that begins with `prefix`, checksum included.
///
/// # Errors
///
/// When it is of another version, or too long.
pub(super) fn len(prefix: &[u8; PREFIX_LEN]) -> Result<usize, FormatError> {
    framed_len(MAGIC, VERSION, prefix)
}

/// The same, of what begins with `expected`.
pub(super) fn framed_len(
    expected: [u8; 8],
    expected_version: u16,
    prefix: &[u8; PREFIX_LEN],
) -> Result<usize, FormatError> {
    let [magic @ .., v0, v1, f0, f1, l0, l1, l2, l3] = *prefix;
    if magic != expected {
        return Err(FormatError::NotAnIndex);
    }
    let version = u16::from_le_bytes([v0, v1]);
    if version != expected_version {
        return Err(FormatError::Version { format: FORMAT, version: version.to_string() });
    }
    match u16::from_le_bytes([f0, f1]) {
        0 => {}
        flags => return Err(FormatError::Unsupported { what: "flags", value: flags.into() }),
    }
    let len = u32::from_le_bytes([l0, l1, l2, l3]);
    if len > MAX_HEADER_LEN {
        return Err(FormatError::Corrupt { what: "the header is too long" });
    }
    Ok((PREFIX_LEN + len as usize).next_multiple_of(ALIGNMENT) + CHECKSUM_LEN)
}

/// The header in `head`, which has the length that its prefix gives.
///
/// # Errors
///
/// When the checksum does not hold, or it is no header.
pub(super) fn decode(head: &[u8]) -> Result<Header, FormatError> {
    Header::decode(unframed(head)?)
}

/// The bytes of the header in `head`.
///
/// # Errors
///
/// When the checksum does not hold.
pub(super) fn unframed(head: &[u8]) -> Result<&[u8], FormatError> {
    let (bytes, checksum) = head.split_at(head.len() - CHECKSUM_LEN);
    if blake3::hash(bytes).as_bytes() != checksum {
        return Err(FormatError::Corrupt { what: "the checksum of the header does not hold" });
    }
    let len = u32::from_le_bytes([head[12], head[13], head[14], head[15]]) as usize;
    let (encoded, padding) = bytes[PREFIX_LEN..].split_at(len);
    if padding.iter().any(|&byte| byte != 0) {
        return Err(FormatError::Corrupt { what: "the header is not padded with zeros" });
    }
    Ok(encoded)
}
