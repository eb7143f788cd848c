//! The names in the path of a URL (RFC 3986, sections 2.1 and 3.3), and which of them are served.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path};

use hyper::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::platform;

/// All but the unreserved characters, slashes included.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The names that make up the path, none of which leads upwards or elsewhere.
///
/// # Errors
///
/// The status to answer with.
pub(crate) fn parse(url_path: &str) -> Result<Vec<OsString>, StatusCode> {
    let path = decode(url_path).ok_or(StatusCode::BAD_REQUEST)?;
    path.split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| {
            let name = platform::os_string(name).ok_or(StatusCode::NOT_FOUND)?;
            // On Windows a name may hold more separators, a drive or a device.
            let mut components = Path::new(&name).components();
            let is_plain = matches!(components.next(), Some(Component::Normal(plain)) if plain == name)
                && components.next().is_none()
                && !name.as_encoded_bytes().contains(&0);
            if is_plain && !is_hidden(&name) { Ok(name) } else { Err(StatusCode::NOT_FOUND) }
        })
        .collect()
}

/// The name as it stands in a URL.
pub(crate) fn encode(name: &OsStr) -> String {
    percent_encode(name.as_encoded_bytes(), RESERVED).to_string()
}

const HIDDEN: [&[u8]; 4] = [b".gosync-part", b".gosync-journal", b".gosync-seen", b".gosync-lock"];

/// Whether a file is one that a patch is being written to, `.name.gosync-part`, or tells
/// for which target it is, `.name.gosync-journal`, or which version was made last,
/// `.name.gosync-seen`, or is a publisher's, `.name.gosync-lock`.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && HIDDEN.iter().any(|end| name.ends_with(end))
}

/// Decodes `%XX`; `None` where two digits do not follow the sign, which others leave as it is.
fn decode(text: &str) -> Option<Vec<u8>> {
    let is_byte = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let is_valid = text.split('%').skip(1).all(|rest| rest.as_bytes().get(..2).is_some_and(is_byte));
    is_valid.then(|| percent_decode_str(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    #[test]
    fn names_stay_beneath_the_root() {
        let plain = |path| parse(path).map(|names| names.iter().collect::<PathBuf>());
        assert_eq!(plain("/"), Ok(PathBuf::new()));
        assert_eq!(plain("//a/./b//%2e/c%20d/"), Ok("a/b/c d".into()));
        assert_eq!(plain("/...//.a/..b"), Ok(".../.a/..b".into()));
        for refused in [
            "/..",
            "/a/../b",
            "/%2e%2E/a",
            "/a%2f..%2fb",
            "/a%00",
            "/.x.gosync-part",
            "/.x.gosync-part/y",
            "/.x.gosync-journal",
            "/.x.gosync-seen",
            "/.x.gosync-lock",
        ] {
            assert_eq!(plain(refused), Err(StatusCode::NOT_FOUND), "{refused}");
        }
        assert_eq!(plain("/%"), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn decodes() {
        assert_eq!(decode("/a%20b%2fc%C3%A4+").as_deref(), Some("/a b/cä+".as_bytes()));
        for broken in ["%", "%a", "a%g0", "%0x1", "%+1", "%%41", "%ä"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(name: String) {
            let encoded = encode(name.as_ref());
            prop_assert!(!encoded.contains(['/', '<', '"', ':', '?', '&']));
            prop_assert_eq!(decode(&encoded), Some(name.into_bytes()));
        }
    }
}
