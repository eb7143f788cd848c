//! For how long caches may keep the files of a publication, by what these are called: FORMAT.md,
//! chapter 6.

/// The value of `Cache-Control` for a file of that name, if it is one of a publication.
pub(crate) fn cache_control(name: &str) -> Option<&'static str> {
    match name {
        _ if name.ends_with(".gosync-latest") || name.ends_with(".gosync-versions") => Some("no-cache"),
        _ if is_of_a_version(name) => Some("public, max-age=31536000, immutable"),
        _ => None,
    }
}

/// Whether it is `NAME-SERIAL-HASH` with what follows that in an index, its signature or what clients
/// fetch. Such a file is never replaced.
fn is_of_a_version(name: &str) -> bool {
    let ends = [".gosync", ".gosync.minisig", ".gosync-content", ".gosync-payload"];
    ends.iter().filter_map(|end| name.strip_suffix(end)).any(|stem| {
        let mut parts = stem.rsplitn(3, '-');
        let (hash, serial, name) = (parts.next(), parts.next(), parts.next());
        let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_serial = |serial: &str| !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_digit());
        hash.is_some_and(is_hash) && serial.is_some_and(is_serial) && name.is_some_and(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_never_replaced_is_kept_for_ever() {
        for end in ["", ".minisig", "-content", "-payload"] {
            let name = format!("app-2.img-12-0123456789abcdef.gosync{end}");
            assert!(cache_control(&name).unwrap().contains("immutable"), "{name}");
        }
        assert_eq!(cache_control("app.img.gosync-latest"), Some("no-cache"));
        assert_eq!(cache_control("app.img.gosync-versions"), Some("no-cache"));
        for name in [
            "app.img",
            "app.img.gosync",
            "app.img-12-0123456789abcdef",
            "app.img-12-0123456789abcde.gosync",
            "app.img-12-0123456789abcdeF.gosync",
            "app.img-x-0123456789abcdef.gosync",
            "app.img--0123456789abcdef.gosync",
            "-12-0123456789abcdef.gosync",
            "12-0123456789abcdef.gosync",
        ] {
            assert_eq!(cache_control(name), None, "{name}");
        }
    }
}
