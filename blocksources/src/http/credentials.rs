//! Who asks, and what nobody else should read.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::HeaderValue;

/// Text that is not shown: a password, a token, a header that may hold one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// For a header, where it can stand in one.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl<Text: Into<String>> From<Text> for Secret {
    fn from(text: Text) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"...\"")
    }
}

/// What the `Authorization` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password (RFC 7617).
    Basic {
        /// Without colons.
        user: String,
        /// Anything.
        password: Secret,
    },
    /// A token (RFC 6750).
    Bearer(Secret),
}

impl Credentials {
    /// The header's value, where there can be one.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::Basic { user, .. } if user.contains(':') => return None,
            Self::Basic { user, password } => format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.0))),
            Self::Bearer(token) => format!("Bearer {}", token.0),
        };
        Secret(text).header()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let basic = |user: &str, password: &str| Credentials::Basic { user: user.into(), password: password.into() };
        for (credentials, expected) in [
            (basic("Aladdin", "open sesame"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
            (basic("", "a:b"), Some("Basic OmE6Yg==")),
            (basic("a:b", ""), None),
            (Credentials::Bearer("abc.def".into()), Some("Bearer abc.def")),
            (Credentials::Bearer("abc\r\nX: y".into()), None),
        ] {
            let header = credentials.header();
            assert_eq!(header.as_ref().map(|value| value.to_str().unwrap()), expected);
            assert!(header.is_none_or(|value| value.is_sensitive()));
            assert!(!format!("{credentials:?}").contains("sesame"));
        }
    }
}
