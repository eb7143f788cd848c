//! Lists of byte ranges: joining them, and taking some away.

use crate::ByteRange;

/// The same bytes in ranges that ascend, of which no two touch and none is empty.
pub fn merged(mut ranges: Vec<ByteRange>) -> Vec<ByteRange> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    ranges
}

/// The bytes of `ranges` that are not in those `left_out`. Both ascend, and none of a list
/// overlap.
pub fn without(ranges: &[ByteRange], left_out: impl IntoIterator<Item = ByteRange>) -> Vec<ByteRange> {
    let mut left = Vec::with_capacity(ranges.len());
    let mut ranges = ranges.iter().copied();
    let mut range = ranges.next();
    for out in left_out.into_iter().filter(|out| !out.is_empty()) {
        while let Some(current) = range.filter(|range| range.start < out.end) {
            if current.start < out.start {
                left.push(ByteRange { end: current.end.min(out.start), ..current });
            }
            let rest = ByteRange { start: current.start.max(out.end), ..current };
            range = if rest.is_empty() { ranges.next() } else { Some(rest) };
        }
    }
    left.extend(range.into_iter().chain(ranges));
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Some ranges, and the set of their bytes.
    fn some_ranges() -> impl Strategy<Value = (Vec<ByteRange>, u128)> {
        prop::collection::vec((0u64..100, 0u64..12), 0..12).prop_map(|ranges| {
            let bytes = ranges.iter().fold(0, |bytes, &(start, len)| bytes | ((1u128 << len) - 1) << start);
            (ranges.iter().map(|&(start, len)| ByteRange::at(start, len)).collect(), bytes)
        })
    }

    fn bytes_of(ranges: &[ByteRange]) -> u128 {
        ranges.iter().fold(0, |bytes, range| bytes | ((1u128 << range.len()) - 1) << range.start)
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_left((one, one_bytes) in some_ranges(), (other, other_bytes) in some_ranges()) {
            let (one, other) = (merged(one), merged(other));
            for (ranges, bytes) in [(&one, one_bytes), (&other, other_bytes)] {
                prop_assert_eq!(bytes_of(ranges), bytes);
                prop_assert!(ranges.iter().all(|range| !range.is_empty()));
                prop_assert!(ranges.is_sorted_by(|range, next| range.end < next.start));
            }
            let left = without(&one, other.iter().copied());
            prop_assert_eq!(bytes_of(&left), one_bytes & !other_bytes);
            prop_assert!(left.is_sorted_by(|range, next| range.end < next.start));
            prop_assert!(left.iter().all(|range| !range.is_empty()));
        }
    }
}
