//! Paths in a tree: bytes, with `/` between the names.

/// Bytes of a path, at most.
pub(crate) const LONGEST_PATH: usize = 4096;

/// Bytes of a name, at most: what file systems have.
const LONGEST_NAME: usize = 255;

/// The folder in a tree that is this program's own, and never part of a listing.
pub const WORK: &str = ".gosync";

/// Why `path` cannot be one, of anything but the root.
pub(crate) fn fault_of(path: &[u8]) -> Option<&'static str> {
    if path.len() > LONGEST_PATH {
        return Some("it is too long");
    }
    if names(path).next().is_some_and(|first| first.eq_ignore_ascii_case(WORK.as_bytes())) {
        return Some("it is in the folder that gosync works in");
    }
    names(path).find_map(|name| match name {
        b"" => Some("it has an empty name"),
        b"." | b".." => Some("it has a name of dots"),
        name if name.len() > LONGEST_NAME => Some("it has a name that is too long"),
        name if name.contains(&0) => Some("it has a zero byte"),
        _ => None,
    })
}

/// The names in `path`.
pub(crate) fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
}

/// The directory that `path` is in, and its name there.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

/// The path of `name` in `directory`.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

/// `path` as a person may see it: nothing in it steers a terminal.
pub fn shown(path: &[u8]) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let text = String::from_utf8_lossy(path);
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_nowhere_else() {
        for good in ["a", "a/b", "...", "a b/c\n", "A/.gosync", "gosync", "a/..b", "\u{e4}/\\"] {
            assert_eq!(fault_of(good.as_bytes()), None, "{good}");
        }
        let long = "x/".repeat(2100) + "x";
        let bad =
            ["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0", ".gosync", ".GoSync/a", &long];
        for bad in bad {
            assert!(fault_of(bad.as_bytes()).is_some(), "{bad}");
        }
        assert!(fault_of(&[b'x'; 256]).is_some() && fault_of(&[0xff; 255]).is_none());
    }

    #[test]
    fn paths_are_taken_apart_and_shown() {
        assert_eq!(split(b"a/b/c"), (&b"a/b"[..], &b"c"[..]));
        assert_eq!(split(b"a"), (&b""[..], &b"a"[..]));
        assert_eq!((join(b"", b"a"), join(b"a/b", b"c")), (b"a".to_vec(), b"a/b/c".to_vec()));
        assert_eq!(shown(b"a\x1b[31m\n\xff"), "a\\u{1b}[31m\\n\u{fffd}");
        assert_eq!(shown(b""), ".");
    }
}
