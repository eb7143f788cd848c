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
    /// Reads the value of the header, if it makes sense. Small servers write it in ways of their
    /// own, which all clients take: `bytes=0-1/2`, `bytes: 0-1/2`, `0-1/2`, or without a length.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let numbers = value.find(|c: char| c.is_ascii_digit() || c == '*').unwrap_or(value.len());
        let (unit, rest) = value.split_at(numbers);
        let unit = unit.trim_end_matches([' ', '\t', '=', ':']);
        if !unit.is_empty() && !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = rest.split_once('/').map_or((rest, "*"), |(range, total)| (range.trim(), total.trim()));
        if range == "*" {
            return Some(Self::Unsatisfied { total: number(total)? });
        }
        let (first, last) = range.split_once('-')?;
        let range = ByteRange { start: number(first.trim())?, end: number(last.trim())?.checked_add(1)? };
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
        for value in ["bytes */0", "BYTES=*/0", "*/0"] {
            assert_eq!(ContentRange::parse(value), Some(ContentRange::Unsatisfied { total: 0 }), "{value:?}");
        }
        for value in ["bytes=3-4/9", "bytes: 3-4/9", "bytes\t3 - 4 / 9", "Bytes:3-4/9", "3-4/9", "bytes = 3-4/9"] {
            assert_eq!(ContentRange::parse(value), satisfied(3, 5, Some(9)), "{value:?}");
        }
        for value in ["bytes 3-4", "bytes=3-4", "3-4/*"] {
            assert_eq!(ContentRange::parse(value), satisfied(3, 5, None), "{value:?}");
        }
        for wrong in [
            "",
            "bytes",
            "bytes 0",
            "bytes 0-0/",
            "items 0-0/1",
            "byte s 0-0/1",
            "bytes 1-0/9",
            "bytes 0-9/9",
            "bytes -9/9",
            "bytes 0-/9",
            "bytes +0-1/9",
            "bytes 0-1/+9",
            "bytes */*",
            "bytes 0-18446744073709551615/*",
            "bytes 0-1/2/3",
            "bytes 0-1/2, bytes 3-4/5",
        ] {
            assert_eq!(ContentRange::parse(wrong), None, "{wrong:?}");
        }
    }
}
