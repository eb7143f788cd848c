//! Telling whether a basis is the right one.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

/// The length of a basis and its BLAKE3 hash, to be kept beside a signature or delta.
///
/// Neither of them says which basis it is of, and a delta applied to another makes
/// something without complaint. Hand this on with them, and the wrong basis is refused, with
/// [`PatchOptions::expected_basis`](crate::PatchOptions::expected_basis). As text it is
/// `LENGTH:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BasisCheck {
    /// Bytes in the basis.
    pub len: u64,
    /// BLAKE3 of the basis.
    pub blake3: [u8; 32],
}

impl BasisCheck {
    /// Reads a basis to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of(basis: impl Read) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(basis)?;
        Ok(Self { len: hasher.count(), blake3: *hasher.finalize().as_bytes() })
    }
}

impl fmt::Display for BasisCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.len, blake3::Hash::from_bytes(self.blake3).to_hex())
    }
}

/// A text that is no [`BasisCheck`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a basis is described by its length, a colon and 64 hexadecimal digits")]
pub struct NoBasisCheck;

impl FromStr for BasisCheck {
    type Err = NoBasisCheck;

    fn from_str(text: &str) -> Result<Self, NoBasisCheck> {
        let (len, hash) = text.split_once(':').ok_or(NoBasisCheck)?;
        let hash = blake3::Hash::from_hex(hash).map_err(|_| NoBasisCheck)?;
        Ok(Self { len: len.parse().map_err(|_| NoBasisCheck)?, blake3: *hash.as_bytes() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let check = BasisCheck::of(b"abc".as_slice()).unwrap();
        let text = "3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        assert_eq!((check.to_string().as_str(), text.parse()), (text, Ok(check)));
        assert!(
            ["", "3", "3:", ":00", "-1:00", &text[1..], &text[..60]]
                .iter()
                .all(|text| text.parse::<BasisCheck>().is_err())
        );
    }
}
