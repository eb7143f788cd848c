//! Whether an answer is what was asked for.

use gosync_chunks::ByteRange;
use ureq::Body;
use ureq::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HeaderName};
use ureq::http::{Response, StatusCode};

/// A `Content-Range` header (RFC 9110, section 14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentRange {
    /// These bytes of a file whose length may be left open.
    Satisfied { range: ByteRange, total: Option<u64> },
    /// None of the bytes asked for: the file is only this long.
    Unsatisfied { total: u64 },
}

impl ContentRange {
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (unit, rest) = value.trim().split_once(' ')?;
        let (range, total) = rest.trim_start().split_once('/')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        if range == "*" {
            return Some(Self::Unsatisfied { total: number(total)? });
        }
        let (first, last) = range.split_once('-')?;
        let range = ByteRange { start: number(first)?, end: number(last)?.checked_add(1)? };
        let total = if total == "*" { None } else { Some(number(total)?) };
        let fits = !range.is_empty() && total.is_none_or(|total| range.end <= total);
        fits.then_some(Self::Satisfied { range, total })
    }
}

pub(super) fn content_range(response: &Response<Body>) -> Option<ContentRange> {
    ContentRange::parse(header(response, CONTENT_RANGE)?)
}

pub(super) fn content_length(response: &Response<Body>) -> Option<u64> {
    number(header(response, CONTENT_LENGTH)?)
}

/// Whether the body is a compressed form of the file, of another length.
pub(super) fn is_encoded(response: &Response<Body>) -> bool {
    let encodings = response.headers().get_all(CONTENT_ENCODING);
    encodings.iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// What to say of a status that is an error.
pub(super) fn status_reason(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("status {} {reason}", status.as_u16()),
        None => format!("status {}", status.as_u16()),
    }
}

/// Why an answer cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The file ends before the range does.
    TooShort { actual: u64 },
    /// Anything else.
    Refused(String),
}

/// Checks that `response` is the answer to a request for `asked`, and returns the
/// length of the whole file if it says so.
pub(super) fn check_partial(response: &Response<Body>, asked: ByteRange) -> Result<Option<u64>, Unfit> {
    let refused = |reason: String| Err(Unfit::Refused(reason));
    let found = content_range(response);
    match (response.status(), found) {
        (StatusCode::PARTIAL_CONTENT, Some(ContentRange::Satisfied { total: Some(actual), .. }))
        | (StatusCode::RANGE_NOT_SATISFIABLE, Some(ContentRange::Unsatisfied { total: actual }))
            if actual < asked.end =>
        {
            Err(Unfit::TooShort { actual })
        }
        (StatusCode::PARTIAL_CONTENT, Some(ContentRange::Satisfied { range, total })) => {
            if range != asked {
                return refused(format!("bytes {asked} were asked for, and {range} sent"));
            }
            if is_encoded(response) {
                return refused("it sends a range of a compressed form of the file".into());
            }
            match content_length(response) {
                Some(length) if length != asked.len() => {
                    refused(format!("{} bytes were asked for, and {length} announced", asked.len()))
                }
                _ => Ok(total),
            }
        }
        (StatusCode::PARTIAL_CONTENT, _) => refused("its answer does not tell which range it is".into()),
        (StatusCode::OK, _) => refused(
            "the server ignores ranges and sends the whole file; \
             use one that supports them, such as nginx or `gosync serve`"
                .into(),
        ),
        (status, _) => refused(status_reason(status)),
    }
}

/// Checks that `response` is the whole file.
pub(super) fn check_whole(response: &Response<Body>) -> Result<(), String> {
    match response.status() {
        StatusCode::OK if is_encoded(response) => Err("it sends a compressed form of the file".into()),
        StatusCode::OK => Ok(()),
        status => Err(status_reason(status)),
    }
}

fn header(response: &Response<Body>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// Digits only: `parse` would take a sign too.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_content_ranges() {
        let satisfied = |start, end, total| Some(ContentRange::Satisfied { range: ByteRange { start, end }, total });
        assert_eq!(ContentRange::parse("bytes 0-0/1"), satisfied(0, 1, Some(1)));
        assert_eq!(ContentRange::parse(" Bytes  5-9/* "), satisfied(5, 10, None));
        assert_eq!(ContentRange::parse("bytes */0"), Some(ContentRange::Unsatisfied { total: 0 }));
        for wrong in [
            "",
            "bytes",
            "bytes 0-0",
            "items 0-0/1",
            "bytes 1-0/9",
            "bytes 0-9/9",
            "bytes -9/9",
            "bytes 0-/9",
            "bytes +0-1/9",
            "bytes 0-1/+9",
            "bytes */*",
            "bytes 0-18446744073709551615/*",
            "bytes=0-1/2",
            "bytes 0-1/2, bytes 3-4/5",
        ] {
            assert_eq!(ContentRange::parse(wrong), None, "{wrong:?}");
        }
    }

    fn partial(headers: &[(&str, &str)]) -> Response<Body> {
        let response = Response::builder().status(206);
        let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
        response.body(Body::builder().data("")).unwrap()
    }

    #[test]
    fn only_the_range_that_was_asked_for() {
        let asked = ByteRange::at(10, 10);
        let check = |headers: &[(&str, &str)]| check_partial(&partial(headers), asked);
        assert_eq!(check(&[("content-range", "bytes 10-19/100")]), Ok(Some(100)));
        assert_eq!(check(&[("content-range", "bytes 10-19/*"), ("content-length", "10")]), Ok(None));
        assert_eq!(check(&[("content-range", "bytes 10-14/15")]), Err(Unfit::TooShort { actual: 15 }));
        for wrong in [
            &[][..],
            &[("content-type", "multipart/byteranges; boundary=x")],
            &[("content-range", "bytes 10-18/100")],
            &[("content-range", "bytes 9-19/100")],
            &[("content-range", "bytes 10-19/100"), ("content-length", "11")],
            &[("content-range", "bytes 10-19/100"), ("content-encoding", "gzip")],
        ] {
            assert!(matches!(check(wrong), Err(Unfit::Refused(_))), "{wrong:?}");
        }
    }
}
