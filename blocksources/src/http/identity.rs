//! Whether two answers are of the same state of a file (RFC 9110, sections 8.8 and 13.1.5).

use std::time::{Duration, SystemTime};

use ureq::Body;
use ureq::http::header::{DATE, ETAG, LAST_MODIFIED};
use ureq::http::{HeaderValue, Response};

use super::answer::header;

/// What an answer tells of the state that it is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// A strong one, with its quotation marks. Weak ones say too little: files that
    /// mean the same may differ in bytes.
    etag: Option<String>,
    modified: Option<String>,
    /// Whether the file could not have changed again in the second that `modified` names.
    is_modified_strong: bool,
    /// Length of the whole file in bytes.
    pub(super) size: Option<u64>,
}

impl Identity {
    pub(super) fn of(response: &Response<Body>, size: Option<u64>) -> Self {
        let date = |value: Option<&str>| httpdate::parse_http_date(value?).ok();
        let modified = header(response, LAST_MODIFIED);
        let second_before: Option<SystemTime> =
            date(header(response, DATE)).and_then(|sent| sent.checked_sub(Duration::from_secs(1)));
        Self {
            etag: header(response, ETAG).filter(|tag| tag.starts_with('"')).map(str::to_owned),
            is_modified_strong: date(modified).zip(second_before).is_some_and(|(modified, before)| modified <= before),
            modified: modified.map(str::to_owned),
            size,
        }
    }

    /// The value of an `If-Range` header, where there is one that can be relied on.
    pub(super) fn if_range(&self) -> Option<HeaderValue> {
        let modified = self.modified.as_deref().filter(|_| self.is_modified_strong);
        HeaderValue::from_str(self.etag.as_deref().or(modified)?).ok()
    }

    /// Learns from another answer.
    ///
    /// # Errors
    ///
    /// How it differs, if it is of another state.
    pub(super) fn agree(&mut self, other: Self) -> Result<(), String> {
        match (&self.etag, &other.etag) {
            (Some(known), Some(new)) if known == new => {}
            (Some(known), Some(new)) => return Err(format!("its tag was {known} and is {new}")),
            _ => {
                if let (Some(known), Some(new)) = (&self.modified, &other.modified)
                    && known != new
                {
                    return Err(format!("it was modified on {known}, and then on {new}"));
                }
            }
        }
        if let (Some(known), Some(new)) = (self.size, other.size)
            && known != new
        {
            return Err(format!("it had {known} bytes and has {new}"));
        }
        self.etag = self.etag.take().or(other.etag);
        if self.modified.is_none() {
            (self.modified, self.is_modified_strong) = (other.modified, other.is_modified_strong);
        }
        self.size = self.size.or(other.size);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(headers: &[(&str, &str)], size: Option<u64>) -> Identity {
        let response =
            headers.iter().fold(Response::builder(), |response, (name, value)| response.header(*name, *value));
        Identity::of(&response.body(Body::builder().data("")).unwrap(), size)
    }

    const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 12:00:01 GMT";

    #[test]
    fn what_can_be_relied_on() {
        for (headers, expected) in [
            (&[][..], None),
            (&[("etag", "\"a\""), ("last-modified", NOON)], Some("\"a\"")),
            (&[("etag", "W/\"a\"")], None),
            (&[("etag", "W/\"a\""), ("last-modified", NOON), ("date", LATER)], Some(NOON)),
            (&[("last-modified", NOON), ("date", LATER)], Some(NOON)),
            // It may be written once more in that second.
            (&[("last-modified", NOON), ("date", NOON)], None),
            (&[("last-modified", NOON)], None),
            (&[("last-modified", "yesterday"), ("date", LATER)], None),
        ] {
            let value = identity(headers, None).if_range();
            assert_eq!(value.as_ref().map(|value| value.to_str().unwrap()), expected, "{headers:?}");
        }
    }

    #[test]
    fn states() {
        let tag = |tag, size| identity(&[("etag", tag), ("last-modified", NOON)], size);
        for (one, other, agrees) in [
            (tag("\"a\"", Some(1)), tag("\"a\"", Some(1)), true),
            (tag("\"a\"", Some(1)), tag("\"a\"", None), true),
            (tag("\"a\"", Some(1)), tag("\"b\"", Some(1)), false),
            (tag("\"a\"", Some(1)), tag("\"a\"", Some(2)), false),
            (tag("\"a\"", Some(1)), tag("W/\"b\"", Some(1)), true),
            (tag("\"a\"", None), identity(&[("last-modified", LATER)], None), false),
            // Machines that serve the same file need not have the same times of it.
            (tag("\"a\"", None), identity(&[("etag", "\"a\""), ("last-modified", LATER)], None), true),
            (tag("\"a\"", None), identity(&[], None), true),
            (identity(&[], None), tag("\"a\"", Some(5)), true),
        ] {
            assert_eq!(one.clone().agree(other.clone()).is_ok(), agrees, "{one:?} {other:?}");
        }
        let mut learned = identity(&[], None);
        learned.agree(tag("\"a\"", Some(5))).unwrap();
        assert_eq!(learned, tag("\"a\"", Some(5)));
    }
}
