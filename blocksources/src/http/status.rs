//! What a status means that is no success (RFC 9110, section 15). Nothing else judges them.

use std::time::Duration;

use gosync_chunks::SourceError;
use ureq::http::StatusCode;

use super::cost::RangeSupport;

/// The error that an answer with `status` is to a request for what is at `location`.
pub(crate) fn error(location: &str, status: StatusCode, retry_after: Option<Duration>) -> SourceError {
    let (location, reason) = (location.to_owned(), reason(status));
    match status {
        status if is_missing(status) => SourceError::NotFound { location, reason },
        status if is_denied(status) => SourceError::Denied { location, reason },
        status if is_busy(status) => SourceError::Busy { location, reason, retry_after },
        _ => SourceError::Refused { location, reason },
    }
}

/// What to say of it.
pub(super) fn reason(status: StatusCode) -> String {
    let name = status.canonical_reason().map_or_else(String::new, |name| format!(" {name}"));
    // S3 says so where the asker may not list the bucket.
    let note = if status == StatusCode::FORBIDDEN { ", which some servers also say of what is not there" } else { "" };
    format!("status {}{name}{note}", status.as_u16())
}

/// Whether nothing is there.
pub(super) fn is_missing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 410)
}

/// Whether it is not for this client to have. 407 is of a proxy.
pub(super) fn is_denied(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403 | 407)
}

/// Whether the server may do better a little later. 509 and 520 to 530 are what hosts and CDNs
/// say while the server behind them is over its quota or out of reach, 598 and 599 what proxies
/// say of it.
pub(crate) fn is_busy(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502..=504 | 509 | 520..=530 | 598 | 599)
}

/// Whether it may be about the ranges that were asked for, so that another way of asking
/// for them may do better.
pub(super) fn means_ranges(status: StatusCode, asked: RangeSupport) -> bool {
    match status.as_u16() {
        400 | 413 | 416 | 431 | 501 => true,
        // Firewalls and broken scripts; a single range tells whether it was meant.
        403 | 405 | 406 | 414 | 500 => asked == RangeSupport::Several,
        _ => false,
    }
}

/// Whether it may be about how many ranges were asked for, so that fewer may do.
pub(super) fn means_many_ranges(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 403 | 413 | 414 | 416 | 431)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_no() {
        let said = |status: u16| error("x", StatusCode::from_u16(status).unwrap(), None).to_string();
        for (status, expected) in [
            (404, "cannot find x: status 404 Not Found"),
            (410, "cannot find x: status 410 Gone"),
            (401, "access to x is denied: status 401 Unauthorized"),
            (403, "access to x is denied: status 403 Forbidden, which some servers also say of what is not there"),
            (407, "access to x is denied: status 407 Proxy Authentication Required"),
            (429, "x has no time: status 429 Too Many Requests"),
            (425, "x has no time: status 425 Too Early"),
            (500, "x has no time: status 500 Internal Server Error"),
            (509, "x has no time: status 509"),
            (522, "x has no time: status 522"),
            (598, "x has no time: status 598"),
            (451, "x does not deliver: status 451 Unavailable For Legal Reasons"),
            (501, "x does not deliver: status 501 Not Implemented"),
            (799, "x does not deliver: status 799"),
        ] {
            assert_eq!(said(status), expected);
        }
        let pause = Some(Duration::from_secs(7));
        let busy = error("x", StatusCode::SERVICE_UNAVAILABLE, pause);
        assert!(matches!(busy, SourceError::Busy { retry_after, .. } if retry_after == pause));
    }
}
