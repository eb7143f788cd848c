//! Percent-encoding of paths (RFC 3986, section 2.1).

use std::fmt::Write;

/// Decodes `%XX`; `None` where two digits do not follow the sign.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            other => other,
        });
    }
    Some(decoded)
}

/// Encodes all but the unreserved characters, slashes included.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("strings take all that is written");
        }
    }
    encoded
}

fn digit(byte: u8) -> Option<u8> {
    // At most 15, so it fits.
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decodes() {
        assert_eq!(decode("/a%20b%2fc%C3%A4+").as_deref(), Some("/a b/cä+".as_bytes()));
        for broken in ["%", "%a", "a%g0", "%0x1", "%+1"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes: Vec<u8>) {
            let encoded = encode(&bytes);
            prop_assert!(!encoded.contains(['/', '<', '"', ':', '?', '&']));
            prop_assert_eq!(decode(&encoded), Some(bytes));
        }
    }
}
