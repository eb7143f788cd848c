//! Joining ranges that are near each other, cutting up long ones, and keeping count of
//! what is still wanted. What lies in a piece tells [`gosync_chunks::ranges`].
//!
//! Where several ranges are taken, they ascend and do not overlap. Empty ones are
//! passed over.

use std::collections::BTreeMap;

use gosync_chunks::ByteRange;

/// Joins ranges that touch, or that have at most `gap` bytes between them.
pub fn coalesce(ranges: &[ByteRange], gap: u64) -> Vec<ByteRange> {
    coalesced(ranges, gap).collect()
}

/// As [`coalesce`], one after another, for callers that need no list of them.
pub fn coalesced(ranges: &[ByteRange], gap: u64) -> impl Iterator<Item = ByteRange> {
    debug_assert!(ranges.is_sorted_by(|a, b| a.end <= b.start), "ranges ascend and do not overlap");
    let mut left = ranges.iter().copied().filter(|range| !range.is_empty()).peekable();
    std::iter::from_fn(move || {
        let mut joined = left.next()?;
        while let Some(near) = left.next_if(|next| next.start <= joined.end.saturating_add(gap)) {
            joined.end = near.end;
        }
        Some(joined)
    })
}

/// Cuts `range` into as few pieces of at most `size` bytes as will do, all equally
/// long but for a byte. A `size` of 0 is taken for 1.
pub fn split(range: ByteRange, size: u64) -> impl Iterator<Item = ByteRange> {
    let len = if range.is_empty() { 0 } else { range.len() };
    let count = len.div_ceil(size.max(1));
    let (short, longer) = (len.checked_div(count).unwrap_or(0), len.checked_rem(count).unwrap_or(0));
    let offset = move |piece: u64| range.start + piece * short + piece.min(longer);
    (0..count).map(move |piece| ByteRange { start: offset(piece), end: offset(piece + 1) })
}

/// A set of bytes, as ranges that neither overlap nor touch. What is delivered is taken
/// out of the set of what is wanted, so that no byte is delivered twice, whatever a
/// server sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeSet {
    /// Where each range starts, and where it ends.
    ends: BTreeMap<u64, u64>,
}

impl RangeSet {
    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many ranges there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes there are.
    pub fn bytes(&self) -> u64 {
        self.iter().map(ByteRange::len).sum()
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = ByteRange> {
        self.ends.iter().map(|(&start, &end)| ByteRange { start, end })
    }

    /// The byte after the last; 0 where there is none.
    pub fn end(&self) -> u64 {
        self.ends.last_key_value().map_or(0, |(_, &end)| end)
    }

    /// Whether all of `range` is there.
    pub fn contains(&self, range: ByteRange) -> bool {
        range.is_empty() || self.within(range).next() == Some(range)
    }

    /// Takes the first range out.
    pub fn pop_first(&mut self) -> Option<ByteRange> {
        self.ends.pop_first().map(|(start, end)| ByteRange { start, end })
    }

    /// Adds `range`, joining it with what it touches.
    pub fn insert(&mut self, mut range: ByteRange) {
        if range.is_empty() {
            return;
        }
        while let Some((&start, &end)) =
            self.ends.range(..=range.end).next_back().filter(|(_, end)| **end >= range.start)
        {
            self.ends.remove(&start);
            range = ByteRange { start: range.start.min(start), end: range.end.max(end) };
        }
        self.ends.insert(range.start, range.end);
    }

    /// The parts that lie in `window`, ascending.
    pub fn within(&self, window: ByteRange) -> impl Iterator<Item = ByteRange> {
        let before = self.ends.range(..window.start).next_back().filter(|(_, end)| **end > window.start);
        let first = before.map_or(window.start, |(&start, _)| start);
        // A range that is the wrong way round would panic.
        let ranges = self.ends.range(first..window.end.max(first));
        ranges
            .map(move |(&start, &end)| ByteRange { start: start.max(window.start), end: end.min(window.end) })
            .filter(|range| !range.is_empty())
    }

    /// Takes out what lies in `window`, and returns it, ascending.
    pub fn remove(&mut self, window: ByteRange) -> Vec<ByteRange> {
        let removed: Vec<_> = self.within(window).collect();
        let (Some(first), Some(last)) = (removed.first(), removed.last()) else { return removed };
        let (start, end) = (first.start, last.end);
        let rest = self.ends.range(..end).next_back().map(|(_, &rest)| rest).filter(|&rest| rest > end);
        for part in &removed {
            self.ends.remove(&part.start);
        }
        if let Some((_, cut)) = self.ends.range_mut(..start).next_back() {
            *cut = start.min(*cut);
        }
        if let Some(rest) = rest {
            self.ends.insert(end, rest);
        }
        removed
    }
}

impl Extend<ByteRange> for RangeSet {
    fn extend<Ranges: IntoIterator<Item = ByteRange>>(&mut self, ranges: Ranges) {
        ranges.into_iter().for_each(|range| self.insert(range));
    }
}

impl FromIterator<ByteRange> for RangeSet {
    fn from_iter<Ranges: IntoIterator<Item = ByteRange>>(ranges: Ranges) -> Self {
        let mut set = Self::default();
        set.extend(ranges);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::ranges::within;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn ranges(list: &[(u64, u64)]) -> Vec<ByteRange> {
        list.iter().map(|&(start, end)| ByteRange { start, end }).collect()
    }

    #[test]
    fn joins_up_to_the_gap() {
        let apart = ranges(&[(0, 10), (10, 20), (24, 30), (35, 40), (40, 40), (u64::MAX - 1, u64::MAX)]);
        assert_eq!(coalesce(&apart, 0), ranges(&[(0, 20), (24, 30), (35, 40), (u64::MAX - 1, u64::MAX)]));
        assert_eq!(coalesce(&apart, 3), coalesce(&apart, 0));
        assert_eq!(coalesce(&apart, 4), ranges(&[(0, 30), (35, 40), (u64::MAX - 1, u64::MAX)]));
        assert_eq!(coalesce(&apart, 5), ranges(&[(0, 40), (u64::MAX - 1, u64::MAX)]));
        assert_eq!(coalesce(&apart, u64::MAX), ranges(&[(0, u64::MAX)]));
        assert_eq!(coalesce(&[], 9), []);
        assert_eq!(coalesce(&ranges(&[(5, 5), (7, 7)]), 9), []);
    }

    #[test]
    fn splits_evenly() {
        let pieces = |start, len, size| split(ByteRange::at(start, len), size).collect::<Vec<_>>();
        assert_eq!(pieces(5, 0, 8), []);
        assert_eq!(pieces(5, 7, 8), ranges(&[(5, 12)]));
        assert_eq!(pieces(5, 8, 8), ranges(&[(5, 13)]));
        assert_eq!(pieces(5, 9, 8), ranges(&[(5, 10), (10, 14)]));
        assert_eq!(pieces(0, 3, 0), ranges(&[(0, 1), (1, 2), (2, 3)]));
        assert_eq!(pieces(0, u64::MAX, u64::MAX), ranges(&[(0, u64::MAX)]));
        let halves = pieces(0, u64::MAX, u64::MAX / 2);
        assert_eq!((halves.len(), halves[2].end), (3, u64::MAX));
    }

    /// Ranges that ascend and do not overlap, some empty, some touching.
    fn any_ranges() -> impl Strategy<Value = Vec<ByteRange>> {
        proptest::collection::vec((0u64..20, 0u64..30), 0..40).prop_map(|steps| {
            let mut at = 0;
            steps
                .into_iter()
                .map(|(gap, len)| {
                    let range = ByteRange::at(at + gap, len);
                    at = range.end;
                    range
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn joining_bridges_only_short_gaps(ranges in any_ranges(), gap in 0u64..25) {
            let joined = coalesce(&ranges, gap);
            // Byte by byte: a byte is covered if it is wanted, or in a gap that is short enough.
            let wanted: Vec<u64> = ranges.iter().flat_map(|range| range.start..range.end).collect();
            let mut expected = wanted.clone();
            expected.extend(wanted.windows(2).filter(|pair| pair[1] - pair[0] - 1 <= gap).flat_map(|pair| pair[0] + 1..pair[1]));
            expected.sort_unstable();
            let covered: Vec<u64> = joined.iter().flat_map(|range| range.start..range.end).collect();
            prop_assert_eq!(covered, expected);
            prop_assert!(joined.windows(2).all(|pair| pair[1].start - pair[0].end > gap), "nothing is left to join");
        }

        #[test]
        fn sets_are_sets_of_bytes(
            steps in proptest::collection::vec((any::<bool>(), 0u64..60, 0u64..20), 0..40),
        ) {
            let (mut set, mut naive) = (RangeSet::default(), BTreeSet::new());
            for (adds, start, len) in steps {
                let range = ByteRange::at(start, len);
                let all = (range.start..range.end).all(|byte| naive.contains(&byte));
                prop_assert_eq!(set.contains(range), all);
                if adds {
                    set.insert(range);
                    naive.extend(range.start..range.end);
                } else {
                    let expected: Vec<u64> = (range.start..range.end).filter(|byte| naive.remove(byte)).collect();
                    let removed: Vec<u64> = set.remove(range).iter().flat_map(|range| range.start..range.end).collect();
                    prop_assert_eq!(removed, expected);
                }
                let ranges: Vec<_> = set.iter().collect();
                let bytes: Vec<u64> = ranges.iter().flat_map(|range| range.start..range.end).collect();
                prop_assert_eq!(&bytes, &naive.iter().copied().collect::<Vec<_>>());
                prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start) && !ranges.iter().any(|r| r.is_empty()));
                prop_assert_eq!((set.bytes(), set.is_empty()), (bytes.len() as u64, bytes.is_empty()));
            }
        }

        #[test]
        fn pieces_make_up_the_range(start in 0u64..1000, len in 0u64..1000, size in 1u64..200) {
            let range = ByteRange::at(start, len);
            let pieces: Vec<_> = split(range, size).collect();
            prop_assert_eq!(pieces.len() as u64, len.div_ceil(size));
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= size));
            let bytes: Vec<u64> = pieces.iter().flat_map(|piece| piece.start..piece.end).collect();
            prop_assert_eq!(bytes, (range.start..range.end).collect::<Vec<_>>());
        }

        #[test]
        fn windows_hold_each_wanted_byte_once(ranges in any_ranges(), size in 1u64..50) {
            let end = ranges.last().map_or(0, |range| range.end);
            let found: Vec<u64> = split(ByteRange { start: 0, end }, size)
                .flat_map(|window| within(&ranges, window).collect::<Vec<_>>())
                .flat_map(|range| range.start..range.end)
                .collect();
            prop_assert_eq!(found, ranges.iter().flat_map(|range| range.start..range.end).collect::<Vec<_>>());
        }
    }
}
