//! Lists of byte ranges: joining them, taking some away, and delivering what lies in some.

use crate::block::ByteRange;
use crate::source::Sink;
use crate::source_error::SinkError;

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

/// The same ranges, joined with what is between them where that is less than `gap` bytes. They
/// ascend and do not overlap.
pub fn joined(ranges: &[ByteRange], gap: u64) -> Vec<ByteRange> {
    let mut joined: Vec<ByteRange> = Vec::with_capacity(ranges.len());
    for &range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end.saturating_add(gap) => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
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

/// The parts of `ranges` that lie in `window`, ascending. `ranges` ascend and do not overlap.
pub fn within(ranges: &[ByteRange], window: ByteRange) -> impl Iterator<Item = ByteRange> {
    let first = ranges.partition_point(|range| range.end <= window.start);
    ranges[first..]
        .iter()
        .take_while(move |range| range.start < window.end)
        .map(move |range| ByteRange { start: range.start.max(window.start), end: range.end.min(window.end) })
        .filter(|range| !range.is_empty())
}

/// Hands to `sink` what is `wanted` of `data`, which begins at `offset` in the target, and
/// tells how many bytes that was. Ranges that are `wanted` ascend and do not overlap.
///
/// # Errors
///
/// When the sink can take no more.
pub fn deliver_wanted(wanted: &[ByteRange], offset: u64, data: &[u8], sink: &dyn Sink) -> Result<u64, SinkError> {
    let mut delivered = 0;
    for part in within(wanted, ByteRange::at(offset, data.len() as u64)) {
        sink.deliver(part.start, &data[(part.start - offset) as usize..(part.end - offset) as usize])?;
        delivered += part.len();
    }
    Ok(delivered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Mutex;

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

    #[test]
    fn what_is_near_is_joined() {
        let range = |(start, end)| ByteRange { start, end };
        let ranges = [(0, 5), (5, 7), (9, 10), (13, 20), (u64::MAX - 1, u64::MAX)].map(range);
        assert_eq!(joined(&ranges, 0), ranges);
        assert_eq!(joined(&ranges, 3), [(0, 10), (13, 20), (u64::MAX - 1, u64::MAX)].map(range));
        assert_eq!(joined(&ranges, u64::MAX), [range((0, u64::MAX))]);
        assert_eq!(joined(&[], 3), []);
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

        #[test]
        fn what_is_wanted_is_delivered_and_nothing_else(
            (wanted, wanted_bytes) in some_ranges(), offset in 0u64..100, len in 0usize..30,
        ) {
            // Wherever in a large file.
            for base in [0, (1 << 40) - 50] {
                let moved: Vec<_> =
                    merged(wanted.clone()).iter().map(|range| ByteRange::at(range.start + base, range.len())).collect();
                let data: Vec<u8> = (offset..).take(len).map(|byte| byte as u8).collect();
                let sink = Pieces::default();
                let delivered = deliver_wanted(&moved, base + offset, &data, &sink).unwrap();
                let pieces = sink.0.into_inner().unwrap();
                let parts: Vec<_> =
                    pieces.iter().map(|(start, data)| ByteRange::at(start - base, data.len() as u64)).collect();
                prop_assert_eq!(bytes_of(&parts), wanted_bytes & bytes_of(&[ByteRange::at(offset, len as u64)]));
                prop_assert_eq!(delivered, parts.iter().map(|part| part.len()).sum::<u64>());
                prop_assert!(parts.is_sorted_by(|part, next| part.end < next.start));
                for (part, (_, data)) in parts.iter().zip(&pieces) {
                    prop_assert!(!part.is_empty());
                    prop_assert!((part.start..part.end).map(|byte| byte as u8).eq(data.iter().copied()));
                }
            }
        }
    }

    /// What was delivered, and where it begins.
    #[derive(Default)]
    struct Pieces(Mutex<Vec<(u64, Vec<u8>)>>);

    impl Sink for Pieces {
        fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
            let mut pieces = self.0.lock().unwrap();
            if pieces.len() == 12 {
                return Err("full".into());
            }
            pieces.push((offset, data.to_vec()));
            Ok(())
        }
    }

    #[test]
    fn ranges_that_touch_stay_apart_and_a_full_sink_ends_it() {
        let wanted: Vec<_> = (0..20).map(|at| ByteRange::at(at, 1)).collect();
        let sink = Pieces::default();
        assert_eq!(deliver_wanted(&wanted, 5, b"abc", &sink).unwrap(), 3);
        assert_eq!(*sink.0.lock().unwrap(), [(5, b"a".to_vec()), (6, b"b".to_vec()), (7, b"c".to_vec())]);
        assert_eq!(deliver_wanted(&wanted, 0, &[0; 20], &sink).unwrap_err().to_string(), "full");
        assert_eq!(sink.0.lock().unwrap().len(), 12);
    }

    #[test]
    fn what_lies_in_a_window() {
        let ranges =
            |list: &[(u64, u64)]| list.iter().map(|&(start, end)| ByteRange { start, end }).collect::<Vec<_>>();
        let all = ranges(&[(0, 4), (4, 4), (6, 8), (10, 20)]);
        let found = |start, end| within(&all, ByteRange { start, end }).collect::<Vec<_>>();
        assert_eq!(found(0, 20), ranges(&[(0, 4), (6, 8), (10, 20)]));
        assert_eq!(found(3, 11), ranges(&[(3, 4), (6, 8), (10, 11)]));
        assert_eq!(found(4, 6), []);
        assert_eq!(found(12, 13), ranges(&[(12, 13)]));
        assert_eq!(found(20, 99), []);
    }
}
