//! The target's file name, as an index may carry it.

use std::fmt;

/// A file name without any path: it names nothing outside the directory that it is
/// appended to, on any system.
///
/// It is a name and not part of a URL: encode it as one path segment before
/// you ask a server for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TargetName(String);

/// Why a text cannot be a [`TargetName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing but dots and spaces, such as `..`; Windows drops both from a name's end.
    #[error("{0:?} names no file")]
    NoName(String),
    /// More than [`TargetName::MAX_LEN`] bytes.
    #[error("a file name of {0} bytes is longer than {max}", max = TargetName::MAX_LEN)]
    TooLong(usize),
    /// A separator, a control character, or a drive letter and its colon.
    #[error("{0:?} is not a plain file name: it has a separator, a drive letter or a control character")]
    NotPlain(String),
}

impl TargetName {
    /// The most bytes of UTF-8 that a name can have.
    pub const MAX_LEN: usize = 1024;

    /// Checks that `name` is a plain file name.
    ///
    /// # Errors
    ///
    /// When it is too long, has a `/`, `\`, control character (NUL is one) or drive
    /// letter, or nothing but dots and spaces.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        if name.len() > Self::MAX_LEN {
            return Err(NameError::TooLong(name.len()));
        }
        if name.trim_matches(['.', ' ']).is_empty() {
            return Err(NameError::NoName(name));
        }
        let has_drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
        // Control characters could also steer the terminal that the name is shown on.
        if has_drive || name.contains(|c: char| c == '/' || c == '\\' || c.is_control()) {
            return Err(NameError::NotPlain(name));
        }
        Ok(Self(name))
    }

    /// What Windows takes it for, where that is no file of this name: a device (`CON`, `nul.txt`), a
    /// stream of a file (`a:b`), or a file of another name (`a.`, whose dot is dropped).
    pub fn on_windows(&self) -> Option<&'static str> {
        const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
        let name = self.0.as_str();
        // Devices keep their meaning with anything behind a dot, and spaces before that.
        let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
        let is_numbered = ["COM", "LPT"].iter().any(|port| {
            let number = stem.strip_prefix(port).map(|number| number.chars().collect::<Vec<_>>());
            matches!(number.as_deref(), Some(['0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}']))
        });
        match name {
            _ if name.contains(':') => Some("the name of a stream"),
            _ if is_numbered || DEVICES.contains(&stem.as_str()) => Some("the name of a device"),
            _ if name.ends_with(['.', ' ']) => Some("another name, without its end"),
            _ if name.contains(['<', '>', '"', '|', '?', '*']) => Some("no name of a file"),
            _ => None,
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        for name in ["a", "a.tar", ".profile", "a..b", "ein Käse.img", "12:30.log", "trailing.", "名前"] {
            assert_eq!(TargetName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_mean_something_else_on_windows() {
        let meaning = |name: &str| TargetName::new(name).unwrap().on_windows();
        for name in ["CON", "nul.txt", "Aux .tar.gz", "com1", "LPT9.x", "COM\u{b2}", "conin$"] {
            assert_eq!(meaning(name), Some("the name of a device"), "{name:?}");
        }
        for name in ["ab:stream", "12:30.log"] {
            assert_eq!(meaning(name), Some("the name of a stream"), "{name:?}");
        }
        assert!(["x.", "x ", "a?", "a|b"].iter().all(|name| meaning(name).is_some()));
        for name in ["a.tar", ".profile", "console", "com", "com10", "com1x", "名前", "a..b", "nullable.txt"] {
            assert_eq!(meaning(name), None, "{name:?}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere() {
        for name in ["", ".", "..", "...", ".. ", " "] {
            assert_eq!(TargetName::new(name), Err(NameError::NoName(name.into())), "{name:?}");
        }
        for name in ["/a", "a/b", "../a", "..\\a", "a\\b", "C:", "c:a", "a\0b", "a\nb", "\x1b[2J", "a\u{85}"] {
            assert_eq!(TargetName::new(name), Err(NameError::NotPlain(name.into())), "{name:?}");
        }
    }

    #[test]
    fn the_longest_name() {
        assert!(TargetName::new("n".repeat(TargetName::MAX_LEN)).is_ok());
        assert_eq!(TargetName::new("n".repeat(1025)), Err(NameError::TooLong(1025)));
    }
}
