//! The `Range` header of a request (RFC 9110, section 14.2).

use gosync_chunks::ByteRange;

/// More ranges than this in one request are refused.
const MOST_RANGES: usize = 1024;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Everything: there is no such header, or none that makes sense.
    Whole,
    /// These ranges, in the order asked for; there is one at least and none is empty.
    Ranges(Vec<ByteRange>),
    /// Nothing that the file has.
    Unsatisfiable,
}

/// What `header` selects of a file of `length` bytes.
pub(crate) fn select(header: Option<&str>, length: u64) -> Selection {
    let Some(specs) = header.and_then(parse) else { return Selection::Whole };
    if specs.len() > MOST_RANGES {
        return Selection::Unsatisfiable;
    }
    let ranges: Vec<_> = specs.iter().filter_map(|spec| spec.resolve(length)).collect();
    let bytes = ranges.iter().try_fold(0u64, |sum, range| sum.checked_add(range.len()));
    if ranges.is_empty() {
        Selection::Unsatisfiable
    } else if bytes.is_none_or(|bytes| bytes > length) {
        // They overlap. Sending bytes again and again is how small requests are made to
        // cost a server dear (RFC 9110, section 14.2, allows to ignore them).
        Selection::Whole
    } else {
        Selection::Ranges(ranges)
    }
}

enum Spec {
    /// `first-` or `first-last`.
    From { first: u64, last: u64 },
    /// `-count`.
    Last { count: u64 },
}

impl Spec {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        match (first, last) {
            ("", count) => Some(Self::Last { count: number(count)? }),
            (first, "") => Some(Self::From { first: number(first)?, last: u64::MAX }),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From { first, last })
            }
        }
    }

    fn resolve(&self, length: u64) -> Option<ByteRange> {
        let range = match *self {
            Self::From { first, last } => ByteRange { start: first, end: last.saturating_add(1).min(length) },
            Self::Last { count } => ByteRange { start: length.saturating_sub(count), end: length },
        };
        (!range.is_empty()).then_some(range)
    }
}

/// One wrong range makes the whole header meaningless.
fn parse(header: &str) -> Option<Vec<Spec>> {
    let (unit, list) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let specs: Option<Vec<_>> = list
        .split(',')
        .map(|text| text.trim_matches([' ', '\t']))
        .filter(|text| !text.is_empty())
        .map(Spec::parse)
        .collect();
    specs.filter(|specs| !specs.is_empty())
}

/// Numbers that are too large mean "beyond the end" as any large one does.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(list: &[(u64, u64)]) -> Selection {
        Selection::Ranges(list.iter().map(|&(start, end)| ByteRange { start, end }).collect())
    }

    #[test]
    fn single_ranges() {
        let select = |header| select(Some(header), 100);
        assert_eq!(select("bytes=0-0"), ranges(&[(0, 1)]));
        assert_eq!(select("Bytes = 10-19"), ranges(&[(10, 20)]));
        assert_eq!(select("bytes=99-"), ranges(&[(99, 100)]));
        assert_eq!(select("bytes=0-100"), ranges(&[(0, 100)]));
        assert_eq!(select("bytes=50-99999999999999999999999"), ranges(&[(50, 100)]));
        assert_eq!(select("bytes=-1"), ranges(&[(99, 100)]));
        assert_eq!(select("bytes=-100"), ranges(&[(0, 100)]));
        assert_eq!(select("bytes=-101"), ranges(&[(0, 100)]));
        for beyond in ["bytes=100-", "bytes=100-200", "bytes=18446744073709551615-", "bytes=-0"] {
            assert_eq!(select(beyond), Selection::Unsatisfiable, "{beyond}");
        }
        for wrong in ["", "bytes", "bytes=", "bytes=,", "bytes=5", "bytes=2-1", "bytes=a-b", "bytes=--1", "items=0-1"] {
            assert_eq!(select(wrong), Selection::Whole, "{wrong}");
        }
        assert_eq!(super::select(None, 100), Selection::Whole);
        assert_eq!(super::select(Some("bytes=0-"), 0), Selection::Unsatisfiable);
        assert_eq!(super::select(Some("bytes=-5"), 0), Selection::Unsatisfiable);
    }

    #[test]
    fn several_ranges() {
        let select = |header: &str| select(Some(header), 100);
        assert_eq!(select("bytes=0-0,,\t5-6 , -1"), ranges(&[(0, 1), (5, 7), (99, 100)]));
        assert_eq!(select("bytes=9-9,0-0"), ranges(&[(9, 10), (0, 1)]), "in the order asked for");
        assert_eq!(select("bytes=200-,0-0"), ranges(&[(0, 1)]), "what is beyond the end is left out");
        assert_eq!(select("bytes=0-0,x"), Selection::Whole);
        assert_eq!(select("bytes=0-99,0-0"), Selection::Whole, "more bytes than the file has");
        let many = |count| format!("bytes={}", vec!["200-"; count - 1].join(",") + ",1-1");
        assert_eq!(select(&many(MOST_RANGES)), ranges(&[(1, 2)]));
        assert_eq!(select(&many(MOST_RANGES + 1)), Selection::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn nothing_outside_the_file(header in "bytes=[0-9,-]{0,30}", length in 0u64..50) {
            if let Selection::Ranges(ranges) = select(Some(&header), length) {
                prop_assert!(!ranges.is_empty());
                prop_assert!(ranges.iter().all(|range| range.start < range.end && range.end <= length));
                prop_assert!(ranges.iter().map(|range| range.len()).sum::<u64>() <= length);
            }
        }
    }
}
