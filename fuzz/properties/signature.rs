//! What holds for any bytes that are read as keys and signatures of minisign. The fuzz
//! target and the test that replays its corpus both come here.

use gosync::signing::{PublicKey, SigningError};

const KEY: &str = include_str!("../../schemes/gosync/tests/vectors/minisign.pub");
const SIGNED: &[u8] = b"the quick brown fox jumps over the lazy dog";
/// The signatures of [`SIGNED`] that were ever made.
const GENUINE: [&str; 2] = [
    include_str!("../../schemes/gosync/tests/vectors/minisign.prehashed.minisig"),
    include_str!("../../schemes/gosync/tests/vectors/minisign.legacy.minisig"),
];

/// No signature is taken but those that were made, and a key comes out as it went in.
pub(crate) fn signature(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let key: PublicKey = KEY.parse().expect("minisign made it");
    match key.verify(SIGNED, text, "there") {
        Ok(_) => assert!(GENUINE.iter().any(|genuine| signed_part(genuine) == signed_part(text))),
        Err(SigningError::OtherKey { expected, actual, .. }) => assert_ne!(expected, actual),
        Err(_) => {}
    }
    if let Ok(other) = text.parse::<PublicKey>() {
        assert_eq!(other.to_string().parse::<PublicKey>().expect("it was one"), other);
        for genuine in GENUINE {
            assert_eq!(other.verify(SIGNED, genuine, "there").is_ok(), other == key);
        }
    }
}

/// All lines but the first, which anyone may change.
fn signed_part(text: &str) -> Vec<&str> {
    text.lines().skip(1).take(3).collect()
}
