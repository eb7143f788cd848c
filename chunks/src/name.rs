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
