//! Validators and conditional requests (RFC 9110, sections 8.8 and 13).

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE};

/// HTTP dates have years of four digits.
const END_OF_DATES: Duration = Duration::from_secs(253_402_300_800);

/// What tells one state of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validators {
    /// With its quotation marks.
    pub(crate) etag: String,
    /// Where the file has a time that HTTP can tell.
    pub(crate) modified: Option<String>,
}

impl Validators {
    pub(crate) fn new(metadata: &Metadata) -> Self {
        Self::of(metadata.len(), metadata.modified().unwrap_or(UNIX_EPOCH))
    }

    fn of(length: u64, modified: SystemTime) -> Self {
        let since_epoch = modified.duration_since(UNIX_EPOCH);
        let (sign, nanoseconds) = match &since_epoch {
            Ok(after) => ("", after.as_nanos()),
            Err(before) => ("-", before.duration().as_nanos()),
        };
        Self {
            etag: format!("\"{length:x}-{sign}{nanoseconds:x}\""),
            modified: since_epoch.is_ok_and(|after| after < END_OF_DATES).then(|| httpdate::fmt_http_date(modified)),
        }
    }

    /// Whether the client has this state already.
    pub(crate) fn is_not_modified(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            // Weak comparison; and the header may be there several times.
            let mut tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
            return tags.any(|tags| {
                let mut tags = tags.split(',').map(str::trim);
                tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
            });
        }
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        match (header(headers, IF_MODIFIED_SINCE).and_then(date), self.modified.as_deref().and_then(date)) {
            (Some(since), Some(modified)) => modified <= since,
            _ => false,
        }
    }

    /// Whether ranges may be sent: not where they are to complete another state.
    pub(crate) fn allow_ranges(&self, headers: &HeaderMap) -> bool {
        match headers.get(IF_RANGE).map(|value| value.to_str().unwrap_or_default()) {
            None => true,
            Some(tag) if tag.contains('"') => tag == self.etag,
            Some(date) => self.modified.as_deref() == Some(date),
        }
    }
}

/// The value of a header, where it is text.
pub(crate) fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validators() -> Validators {
        Validators::of(0x20, UNIX_EPOCH + Duration::new(784_111_777, 5))
    }

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn tags_tell_states_apart() {
        assert_eq!(validators().modified.as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        let tag = |length, time| Validators::of(length, time).etag;
        let second = Duration::from_secs(1);
        let tags = [
            tag(1, UNIX_EPOCH),
            tag(2, UNIX_EPOCH),
            // As fine as Windows tells times.
            tag(1, UNIX_EPOCH + Duration::from_nanos(100)),
            tag(1, UNIX_EPOCH + second),
            tag(1, UNIX_EPOCH - second),
        ];
        for (at, one) in tags.iter().enumerate() {
            assert!(one.starts_with('"') && one.ends_with('"'));
            assert!(!tags[at + 1..].contains(one), "{one}");
        }
        assert_eq!(Validators::of(1, UNIX_EPOCH - second).modified, None);
        assert_eq!(Validators::of(1, UNIX_EPOCH + END_OF_DATES).modified, None);
    }

    #[test]
    fn not_modified() {
        let validators = validators();
        let tag = validators.etag.as_str();
        let weak = format!("\"other\", W/{tag}");
        for (list, expected) in [
            (&[][..], false),
            (&[(IF_NONE_MATCH, tag)], true),
            (&[(IF_NONE_MATCH, weak.as_str())], true),
            (&[(IF_NONE_MATCH, "*")], true),
            (&[(IF_NONE_MATCH, "\"other\"")], false),
            (&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT")], true),
            (&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:38 GMT")], true),
            (&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT")], false),
            (&[(IF_MODIFIED_SINCE, "yesterday")], false),
            (&[(IF_NONE_MATCH, "\"other\""), (IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:38 GMT")], false),
        ] {
            assert_eq!(validators.is_not_modified(&headers(list)), expected, "{list:?}");
        }
    }

    #[test]
    fn ranges_of_the_same_state_only() {
        let validators = validators();
        let weak = format!("W/{}", validators.etag);
        for (value, expected) in [
            (validators.etag.as_str(), true),
            (weak.as_str(), false),
            ("\"other\"", false),
            ("Sun, 06 Nov 1994 08:49:37 GMT", true),
            ("Sun, 06 Nov 1994 08:49:38 GMT", false),
            ("", false),
        ] {
            assert_eq!(validators.allow_ranges(&headers(&[(IF_RANGE, value)])), expected, "{value}");
        }
        assert!(validators.allow_ranges(&HeaderMap::new()));
    }
}
