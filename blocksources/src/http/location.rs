//! What of a URL may be shown.

use ureq::http::Uri;

/// Parses an http or https URL that has a host.
pub(super) fn parse(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// `url` without user name and password, and with dots for the query, which is where
/// signed URLs carry their signature. Works on what is no URL too.
pub(super) fn redact(url: &str) -> String {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let (before, query) = url.split_once('?').map_or((url, ""), |(before, _)| (before, "?..."));
    let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let colon = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{colon}{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (url, shown) in [
            ("https://example.org/a/b@c", "https://example.org/a/b@c"),
            ("http://user:pass@example.org:81/a", "http://example.org:81/a"),
            ("http://user:p@ss@example.org/a?sig=secret&x=/@", "http://example.org/a?..."),
            ("http://user@[::1]", "http://[::1]"),
            ("http://example.org?sig=secret", "http://example.org?..."),
            ("http://example.org/a#user:pass", "http://example.org/a"),
            ("user:secret@example.org/a b", "example.org/a b"),
            ("", ""),
        ] {
            assert_eq!(redact(url), shown);
        }
    }

    #[test]
    fn only_http() {
        for url in ["http://a", "https://user:pass@a:1/b?c#d", "HTTP://a/", "http://[::1]:80/"] {
            assert!(parse(url).is_some(), "{url}");
        }
        for url in ["", "a", "/a", "file:///a", "ftp://a/b", "http://", "http:///a", "http://a/b c", "//a/b"] {
            assert!(parse(url).is_none(), "{url}");
        }
    }
}
