//! Detached signatures of indexes, as minisign makes and checks them.
//!
//! What is signed is an index's header, the bytes that
//! [`Index::header_bytes`](crate::Index::header_bytes) gives: they hold the hash of the
//! target. FORMAT.md specifies the signature and the keys.

mod check;
mod error;
mod public;
#[cfg(feature = "sign")]
mod secret;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use check::{Signed, check_signature};
pub use error::{KeyError, SignatureError};
pub use public::PublicKey;
#[cfg(feature = "sign")]
pub use secret::SecretKey;

/// What is added to the name of an index to make that of its signature.
pub const SIGNATURE_SUFFIX: &str = ".minisig";

/// What the first line of keys and signatures begins with.
const UNTRUSTED: &str = "untrusted comment:";
/// Ed25519 over the bytes themselves; in a key, over either.
const LEGACY: [u8; 2] = *b"Ed";
/// Ed25519 over the bytes' BLAKE2b.
const PREHASHED: [u8; 2] = *b"ED";

/// The number that minisign gives a pair of keys. It tells keys apart and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    /// As minisign writes it into the comment of a public key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:X}", u64::from_le_bytes(self.0))
    }
}

/// A comment that was signed too, one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedComment(String);

impl TrustedComment {
    /// The comment as it was signed. It may hold control characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrustedComment {
    /// Without what a terminal could take for a command.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&one_line(&self.0))
    }
}

/// `text` with spaces for control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The `N` bytes that `line` is the base64 of.
fn decode<const N: usize>(line: &str) -> Option<[u8; N]> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

/// The second of two lines, of which the first is a comment, or the only one.
fn key_line(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    let first = lines.next()?;
    let key = if first.starts_with(UNTRUSTED) { lines.next()? } else { first };
    lines.all(|line| line.trim_ascii().is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_cannot_command_a_terminal() {
        let comment = TrustedComment("\x1b[2Jfile:x\ttime\u{9b}1m".into());
        assert_eq!(comment.to_string(), " [2Jfile:x time 1m");
        assert_eq!(comment.as_str().len(), 19);
    }

    #[test]
    fn keys_with_a_comment_or_without() {
        for text in ["untrusted comment: a\nKEY\n", "untrusted comment: a\r\nKEY\r\n\r\n", "KEY", "KEY\n"] {
            assert_eq!(key_line(text), Some("KEY"), "{text:?}");
        }
        for text in ["", "untrusted comment: a", "KEY\nmore", "untrusted comment: a\nKEY\nmore"] {
            assert_eq!(key_line(text), None, "{text:?}");
        }
    }
}
