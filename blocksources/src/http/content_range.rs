//! The `Content-Range` header (RFC 9110, section 14.4).

use gosync_chunks::ByteRange;

/// What a `Content-Range` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentRange {
    /// These bytes, of which there is one at least, of a file whose length may be left open.
    Satisfied {
        /// The bytes that follow.
        range: ByteRange,
        /// Length of the whole file in bytes, unless it is given as `*`.
        total: Option<u64>,
    },
    /// None of the bytes asked for.
    Unsatisfied {
        /// Length of the whole file in bytes.
        total: u64,
    },
}

impl ContentRange {
    /// Reads the value of the header, if it makes sense.
    pub fn parse(value: &str) -> Option<Self> {
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

/// Digits only: `parse` would take a sign too.
pub(super) fn number(digits: &str) -> Option<u64> {
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
}
