//! The text of key and signature files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the first line of keys and signatures begins with.
pub(super) const UNTRUSTED: &str = "untrusted comment:";
/// Ed25519 over the bytes themselves; in a key, over either.
pub(super) const LEGACY: [u8; 2] = *b"Ed";
/// Ed25519 over the bytes' BLAKE2b.
pub(super) const PREHASHED: [u8; 2] = *b"ED";

/// The `N` bytes that `line` is the base64 of.
pub(super) fn decode<const N: usize>(line: &str) -> Option<[u8; N]> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

/// The second of two lines, of which the first is a comment, or the only one.
pub(super) fn key_line(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    let first = lines.next()?;
    let key = if first.starts_with(UNTRUSTED) { lines.next()? } else { first };
    lines.all(|line| line.trim_ascii().is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

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
