//! What the head of an answer says.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use ureq::Body;
use ureq::http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER,
};
use ureq::http::{Response, StatusCode};

use super::content_range::{ContentRange, number};
use super::multipart;

pub(super) fn header(response: &Response<Body>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

pub(super) fn content_range(response: &Response<Body>) -> Option<ContentRange> {
    ContentRange::parse(header(response, CONTENT_RANGE)?)
}

pub(super) fn content_length(response: &Response<Body>) -> Option<u64> {
    number(header(response, CONTENT_LENGTH)?)
}

/// What keeps the parts apart, if there are several.
pub(super) fn boundary(response: &Response<Body>) -> Option<String> {
    multipart::boundary(header(response, CONTENT_TYPE)?)
}

/// Length of the whole file in bytes, if the answer tells it.
pub(super) fn total(response: &Response<Body>) -> Option<u64> {
    match content_range(response) {
        Some(ContentRange::Satisfied { total, .. }) => total,
        Some(ContentRange::Unsatisfied { total }) => Some(total),
        None if response.status() == StatusCode::OK => content_length(response),
        None => None,
    }
}

/// What the answer says of ranges: that there are some, that there are none, or nothing.
pub(super) fn accepts_ranges(response: &Response<Body>) -> Option<bool> {
    Some(!header(response, ACCEPT_RANGES)?.trim().eq_ignore_ascii_case("none"))
}

/// Where a redirect leads. Bytes that are not ASCII, which some servers send as they are in the
/// names of their files, are written as URLs have them.
pub(super) fn redirect(response: &Response<Body>) -> Option<String> {
    let mut location = String::new();
    for &byte in response.headers().get(LOCATION)?.as_bytes() {
        if byte.is_ascii() {
            location.push(byte.into());
        } else {
            let _ = write!(location, "%{byte:02X}");
        }
    }
    Some(location)
}

/// Whether the answer says that its body is a compressed form of the file. That may be a label
/// only: servers give one to what is compressed already, and to anything else. Words that are no
/// codings say nothing.
pub(super) fn is_encoded(response: &Response<Body>) -> bool {
    encoding(response).is_some()
}

/// What a body begins with that is compressed as the answer says; nothing where that cannot be
/// told.
pub(super) fn encoding(response: &Response<Body>) -> Option<&'static [u8]> {
    let encodings = response.headers().get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let words = encodings.flat_map(|value| value.split(',')).map(|word| word.trim().to_ascii_lowercase());
    words.rev().find_map(|word| match word.as_str() {
        "gzip" | "x-gzip" => Some(&b"\x1f\x8b"[..]),
        "compress" | "x-compress" => Some(b"\x1f\x9d"),
        "zstd" => Some(b"\x28\xb5\x2f\xfd"),
        "br" | "dcb" | "dcz" | "deflate" => Some(b""),
        _ => None,
    })
}

/// How long the server wants not to be asked: seconds, or until a date.
pub(crate) fn retry_after(response: &Response<Body>, now: SystemTime) -> Option<Duration> {
    let value = header(response, RETRY_AFTER)?.trim();
    match number(value) {
        Some(seconds) if !value.is_empty() => Some(Duration::from_secs(seconds)),
        _ => Some(httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::HeaderValue;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response<Body> {
        let response = Response::builder().status(status);
        let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
        response.body(Body::builder().data("")).unwrap()
    }

    #[test]
    fn lengths_of_files() {
        for (status, headers, expected) in [
            (206, &[("content-range", "bytes 0-4/10"), ("content-length", "5")][..], Some(10)),
            (206, &[("content-range", "bytes 0-4/*"), ("content-length", "5")], None),
            (206, &[("content-length", "5")], None),
            (416, &[("content-range", "bytes */7"), ("content-length", "5")], Some(7)),
            (200, &[("content-length", "5")], Some(5)),
            (200, &[], None),
        ] {
            assert_eq!(total(&answer(status, headers)), expected, "{headers:?}");
        }
    }

    #[test]
    fn labels() {
        for (value, expected) in [
            ("gzip", true),
            ("X-GZIP", true),
            ("identity, br", true),
            ("aws-chunked", false),
            ("", false),
            ("none", false),
            ("binary", false),
            ("utf-8", false),
            ("identity,identity", false),
        ] {
            assert_eq!(is_encoded(&answer(200, &[("content-encoding", value)])), expected, "{value:?}");
        }
        assert!(!is_encoded(&answer(200, &[])));
    }

    #[test]
    fn redirects_need_not_be_ascii() {
        for (value, expected) in
            [(&b"/a b/%20?x"[..], "/a b/%20?x"), ("/\u{dc}bung".as_bytes(), "/%C3%9Cbung"), (b"/\xdcbung", "/%DCbung")]
        {
            let location = HeaderValue::from_bytes(value).unwrap();
            let response = Response::builder().header("location", location).body(Body::builder().data("")).unwrap();
            assert_eq!(redirect(&response).as_deref(), Some(expected));
        }
        assert_eq!(redirect(&answer(302, &[])), None);
    }

    #[test]
    fn pauses() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let pause = retry_after(&answer(503, &[("retry-after", value)]), now);
            assert_eq!(pause, expected.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(retry_after(&answer(503, &[]), now), None);
    }
}
