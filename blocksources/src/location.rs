//! Where indexes and sources are: paths and URLs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// All in a name that may mean something else in a URL. Some stores take a plus sign for a space.
const OF_A_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path or URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file on this machine.
    Path(PathBuf),
    /// Something behind a URL: `http`, `https`, `ssh`, `s3`, `gs` or `az`.
    Url(Url),
}

/// Text that names no place that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// A URL with a scheme that is not known here.
    #[error("{text}: {scheme} URLs are not supported, only http, https, ssh, s3, gs, az and file")]
    Scheme {
        /// What was given, without what may be secret.
        text: String,
        /// Its scheme.
        scheme: String,
    },
    /// A `file` URL that names no path, or a URL that cannot be parsed.
    #[error("{text} is not a valid URL")]
    Invalid {
        /// What was given, without what may be secret.
        text: String,
    },
}

impl FromStr for Location {
    type Err = LocationError;

    /// Takes anything without `://` for a path.
    fn from_str(text: &str) -> Result<Self, LocationError> {
        if !text.contains("://") {
            return Ok(Self::Path(text.into()));
        }
        let invalid = || LocationError::Invalid { text: redact(text) };
        let url = Url::parse(text).map_err(|_| invalid())?;
        match url.scheme() {
            "http" | "https" => Ok(Self::Url(url)),
            // Without the other slashes nothing could be beside it.
            "ssh" | "s3" | "gs" | "az" if url.has_host() => Ok(Self::Url(url)),
            "ssh" | "s3" | "gs" | "az" => Err(invalid()),
            "file" => url.to_file_path().map(Self::Path).map_err(|()| invalid()),
            scheme => Err(LocationError::Scheme { text: redact(text), scheme: scheme.into() }),
        }
    }
}

impl Location {
    /// The file called `name` beside this one.
    pub fn beside(&self, name: &str) -> Self {
        match self {
            Self::Path(path) => Self::Path(path.with_file_name(name)),
            Self::Url(url) => {
                let mut url = url.clone();
                url.set_fragment(None);
                // The query may be a signature of the other file's path, or a token for
                // both; it goes along, since without it there is no hope at all.
                let directory = url.path().rfind('/').map_or("/", |slash| &url.path()[..=slash]);
                let path = format!("{directory}{}", utf8_percent_encode(name, OF_A_NAME));
                url.set_path(&path);
                Self::Url(url)
            }
        }
    }

    /// The file beside this one whose name has `suffix` added.
    pub fn with_suffix(&self, suffix: &str) -> Self {
        match self {
            Self::Path(path) => {
                let mut name = path.clone().into_os_string();
                name.push(suffix);
                Self::Path(name.into())
            }
            Self::Url(url) => {
                let mut url = url.clone();
                url.set_fragment(None);
                url.set_path(&format!("{}{suffix}", url.path()));
                Self::Url(url)
            }
        }
    }

    /// The path, if it is a file on this machine.
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Url(_) => None,
        }
    }

    /// The last part of the path, if there is one.
    pub fn file_name(&self) -> Option<String> {
        match self {
            Self::Path(path) => Some(path.file_name()?.to_string_lossy().into_owned()),
            Self::Url(url) => {
                // A path is what the decoding of a URL's last part is for.
                let last = url.path_segments()?.next_back().filter(|name| !name.is_empty())?;
                Some(percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned())
            }
        }
    }
}

// Not for everything that is `Into<PathBuf>`: text may be a URL, and is to be parsed.
impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl fmt::Display for Location {
    /// Without credentials and query, which may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(formatter),
            Self::Url(url) => {
                let mut url = url.clone();
                // These fail only for URLs that can have no credentials.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.set_query(None);
                url.set_fragment(None);
                url.fmt(formatter)
            }
        }
    }
}

/// `url` without user name, password and query, which is where signed URLs carry their signature.
/// Works on what is no URL too.
pub fn redact(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + "://".len()));
    // Where it cannot be parsed, anything up to the last @ may be a password.
    let authority = match Url::parse(url) {
        Ok(_) => rest.find(['/', '?', '#']).unwrap_or(rest.len()),
        Err(_) => rest.len(),
    };
    let rest = rest[..authority].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (before, query) = match rest.split_once('?') {
        Some((before, "")) => (before, "?"),
        Some((before, _)) => (before, "?..."),
        None => (rest, ""),
    };
    format!("{scheme}{before}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(text: &str) -> Location {
        text.parse().unwrap()
    }

    #[test]
    fn paths_and_urls_are_told_apart() {
        assert_eq!(location("a/b.gosync"), Location::Path("a/b.gosync".into()));
        assert_eq!(location(r"C:\b.gosync"), Location::Path(r"C:\b.gosync".into()));
        assert!(matches!(location("https://host/x"), Location::Url(_)));
        #[cfg(unix)]
        assert_eq!(location("file:///tmp/a%20b"), Location::Path("/tmp/a b".into()));
        for text in ["ssh://me@host:2222/~/x", "s3://bucket/dir/x", "gs://bucket/x", "az://container/x"] {
            assert_eq!(location(text).file_name().as_deref(), Some("x"), "{text}");
        }
        assert!(matches!("s3:///x".parse::<Location>(), Err(LocationError::Invalid { .. })));
        assert!(matches!("ftp://host/x".parse::<Location>(), Err(LocationError::Scheme { .. })));
        assert!(matches!("http://".parse::<Location>(), Err(LocationError::Invalid { .. })));
    }

    #[test]
    fn neighbours() {
        assert_eq!(location("dir/x.gosync").beside("y z"), location("dir/y z"));
        assert_eq!(location("x.gosync").beside("y"), location("y"));
        let url = location("http://host/dir/x.gosync?token=1#top").beside("y z");
        assert_eq!(url, location("http://host/dir/y%20z?token=1"));
        assert_eq!(url.file_name().as_deref(), Some("y z"));
        let plus = location("http://host/a+b.gosync").beside("a+b?#%20/c.img");
        assert_eq!(plus.to_string(), "http://host/a%2Bb%3F%23%2520%2Fc.img");
        assert_eq!(location("http://host/a+b").file_name().as_deref(), Some("a+b"));
        assert_eq!(location("http://host/").beside("y").to_string(), "http://host/y");
        assert_eq!(location("ssh://me@host:22/dir/x").beside("y"), location("ssh://me@host:22/dir/y"));
        assert_eq!(location("s3://bucket/x").beside("y z"), location("s3://bucket/y%20z"));
        assert_eq!(location("http://host/").file_name(), None);
        let signature = location("http://host/a%20b.gosync?token=1#top").with_suffix(".minisig");
        assert_eq!(signature, location("http://host/a%20b.gosync.minisig?token=1"));
        assert_eq!(location("dir/x.gosync").with_suffix(".minisig"), location("dir/x.gosync.minisig"));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(location("http://me:secret@host/x?key=1").to_string(), "http://host/x");
        for (url, shown) in [
            ("https://example.org/a/b@c", "https://example.org/a/b@c"),
            ("http://user:pass@example.org:81/a", "http://example.org:81/a"),
            ("http://user:p@ss@example.org/a?sig=secret&x=/@", "http://example.org/a?..."),
            ("http://user@[::1]", "http://[::1]"),
            ("http://example.org?sig=secret", "http://example.org?..."),
            ("http://example.org/a?", "http://example.org/a?"),
            ("http://example.org/a#user:pass", "http://example.org/a"),
            ("user:secret@example.org/a b", "example.org/a b"),
            ("https://me:secret@example.org:99999/x?token=secret", "https://example.org:99999/x?..."),
            ("https://me:sec/ret@example.org/x", "https://example.org/x"),
            ("https://me:sec?ret@example.org/x", "https://example.org/x"),
            ("ftp://me:secret@example.org/x", "ftp://example.org/x"),
            ("", ""),
        ] {
            assert_eq!(redact(url), shown);
        }
        for text in ["https://me:secret@host:99999/x?secret", "ftp://me:secret@host/x?secret"] {
            let error = text.parse::<Location>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}
