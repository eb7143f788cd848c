//! Where requests go.

use ureq::http::Uri;
use url::Url;

/// Parses an http or https URL that has a host.
pub(super) fn parse(url: &str) -> Option<Url> {
    // Stricter than browsers, which mend broken URLs.
    let uri: Uri = url.split_once('#').map_or(url, |(before, _)| before).parse().ok()?;
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let url = Url::parse(url).ok()?;
    (has_host && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// A URL that requests can be sent to, without user name, password and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    url: Url,
    pub(super) uri: Uri,
    /// Scheme, host and port: whom credentials and experience are with.
    pub(super) origin: String,
}

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadRedirect {
    /// It leads to no http or https URL.
    NoUrl,
    /// It leads from https to http.
    Downgrade,
}

impl Target {
    pub(super) fn new(mut url: Url) -> Option<Self> {
        url.set_fragment(None);
        // URLs with a host can do without these.
        let (Ok(()), Ok(())) = (url.set_username(""), url.set_password(None)) else { return None };
        let uri = url.as_str().parse().ok()?;
        Some(Self { uri, origin: url.origin().ascii_serialization(), url })
    }

    /// The URL itself.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The host without its port, as netrc files name it.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Where a `Location` header of an answer from here leads.
    pub(super) fn join(&self, location: &str) -> Result<Self, BadRedirect> {
        let url = self.url.join(location).map_err(|_| BadRedirect::NoUrl)?;
        match (self.url.scheme(), url.scheme()) {
            ("https", "http") => Err(BadRedirect::Downgrade),
            (_, "http" | "https") => Self::new(url).ok_or(BadRedirect::NoUrl),
            _ => Err(BadRedirect::NoUrl),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http() {
        for url in ["http://a", "https://user:pass@a:1/b?c#d", "HTTP://a/", "http://[::1]:80/"] {
            assert!(parse(url).is_some(), "{url}");
        }
        for url in ["", "a", "/a", "file:///a", "ftp://a/b", "http://", "http:///a", "http://a/b c", "//a/b"] {
            assert!(parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn redirects() {
        let base = Target::new(parse("https://user:pass@a.org/b/c?d#e").unwrap()).unwrap();
        assert_eq!((base.uri.to_string().as_str(), base.origin.as_str()), ("https://a.org/b/c?d", "https://a.org"));
        for (location, expected) in [
            ("/x", Ok(("https://a.org/x", true))),
            ("x?y=%2F", Ok(("https://a.org/b/x?y=%2F", true))),
            ("//b.org:81/x", Ok(("https://b.org:81/x", false))),
            ("https://me:too@A.org:443/x#y", Ok(("https://a.org/x", true))),
            ("https://a.org:444/", Ok(("https://a.org:444/", false))),
            ("http://a.org/", Err(BadRedirect::Downgrade)),
            ("ftp://a.org/", Err(BadRedirect::NoUrl)),
            ("file:///etc/passwd", Err(BadRedirect::NoUrl)),
            ("https://", Err(BadRedirect::NoUrl)),
        ] {
            let found = base.join(location).map(|target| (target.uri.to_string(), target.origin == base.origin));
            assert_eq!(found, expected.map(|(url, same)| (url.to_owned(), same)), "{location}");
        }
        let plain = Target::new(parse("http://a.org").unwrap()).unwrap();
        assert_eq!(plain.join("https://a.org/").map(|target| target.origin), Ok("https://a.org".into()));
    }
}
