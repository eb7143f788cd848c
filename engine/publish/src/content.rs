//! What the files of a version are called by.

use gosync_chunks::{FileHash, TargetName};

use crate::merge::PAYLOAD_SUFFIX;

/// The end of the name of a target that is published as it is.
pub const CONTENT_SUFFIX: &str = ".gosync-content";

/// Digits of a hash in a name.
pub const HASH_LEN: usize = 16;

/// What the packed file with this hash is called beside a `payload` of what is in it, which is called by
/// its own hash; `None` where that is called otherwise.
pub fn beside_payload(payload: &TargetName, packed: FileHash) -> Option<TargetName> {
    let named = payload.as_str().strip_suffix(PAYLOAD_SUFFIX)?;
    let (version, hash) = named.split_at_checked(named.len().checked_sub(HASH_LEN)?)?;
    let is_hash = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let packed = &packed.to_string()[..HASH_LEN];
    TargetName::new(format!("{version}{packed}{CONTENT_SUFFIX}")).ok().filter(|_| is_hash && version.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_payload_that_is_called_by_its_hash_has_one() {
        let beside = |name: &str| beside_payload(&TargetName::new(name).unwrap(), FileHash([0xab; 32]));
        let expected = TargetName::new("app-1.whl-7-abababababababab.gosync-content").unwrap();
        assert_eq!(beside("app-1.whl-7-0123456789abcdef.gosync-payload"), Some(expected));
        for name in [
            "app.whl.gosync-payload",
            "app-1.whl-7-0123456789abcdeg.gosync-payload",
            "app-1.whl-7-0123456789abcdef.gosync-content",
            "0123456789abcdef.gosync-payload",
            "app.gosync-payload",
        ] {
            assert_eq!(beside(name), None, "{name}");
        }
    }
}
