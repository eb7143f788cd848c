//! The number that tells one pair of keys from another.

use std::fmt;

/// The number that minisign gives a pair of keys. It tells keys apart and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    /// As minisign writes it into the comment of a public key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:X}", u64::from_le_bytes(self.0))
    }
}
