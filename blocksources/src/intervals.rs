//! Sets of bytes, kept as the ranges that they make up.

use std::collections::BTreeMap;

use gosync_chunks::ByteRange;

/// A set of bytes. Takes room for each range that stands alone, however long it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intervals {
    /// From the first byte of each range to the byte after its last. None touch.
    ends: BTreeMap<u64, u64>,
}

impl Intervals {
    /// How many ranges stand alone.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The ranges, ascending.
    pub(crate) fn ranges(&self) -> Vec<ByteRange> {
        self.ends.iter().map(|(&start, &end)| ByteRange { start, end }).collect()
    }

    pub(crate) fn contains(&self, range: ByteRange) -> bool {
        range.is_empty() || self.ends.range(..=range.start).next_back().is_some_and(|(_, &end)| range.end <= end)
    }

    /// Adds the bytes of `range`.
    pub(crate) fn insert(&mut self, mut range: ByteRange) {
        if range.is_empty() {
            return;
        }
        while let Some((&start, &end)) =
            self.ends.range(..=range.end).next_back().filter(|&(_, &end)| end >= range.start)
        {
            self.ends.remove(&start);
            range = ByteRange { start: start.min(range.start), end: end.max(range.end) };
        }
        self.ends.insert(range.start, range.end);
    }

    /// Takes the bytes of `range` out, and tells which of them were in, ascending.
    pub(crate) fn remove(&mut self, range: ByteRange) -> Vec<ByteRange> {
        let mut removed = Vec::new();
        if range.is_empty() {
            return removed;
        }
        while let Some((&start, &end)) = self.ends.range(..range.end).next_back().filter(|&(_, &end)| end > range.start)
        {
            self.ends.remove(&start);
            if end > range.end {
                self.ends.insert(range.end, end);
            }
            if start < range.start {
                self.ends.insert(start, range.start);
            }
            removed.push(ByteRange { start: start.max(range.start), end: end.min(range.end) });
        }
        removed.reverse();
        removed
    }
}

impl FromIterator<ByteRange> for Intervals {
    fn from_iter<I: IntoIterator<Item = ByteRange>>(ranges: I) -> Self {
        let mut intervals = Self::default();
        ranges.into_iter().for_each(|range| intervals.insert(range));
        intervals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// The oracle is a set of single bytes.
        #[test]
        fn are_sets_of_bytes(steps in proptest::collection::vec((any::<bool>(), 0u64..60, 0u64..20), 0..60)) {
            let mut intervals = Intervals::default();
            let mut bytes = BTreeSet::new();
            for (is_insert, start, len) in steps {
                let range = ByteRange::at(start, len);
                let within: Vec<u64> = (range.start..range.end).filter(|byte| bytes.contains(byte)).collect();
                prop_assert_eq!(intervals.contains(range), within.len() as u64 == len);
                if is_insert {
                    intervals.insert(range);
                    bytes.extend(range.start..range.end);
                } else {
                    let removed = intervals.remove(range);
                    prop_assert_eq!(removed.iter().flat_map(|range| range.start..range.end).collect::<Vec<_>>(), within);
                    bytes.retain(|&byte| byte < range.start || byte >= range.end);
                }
                let ranges = intervals.ranges();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?} touch", ranges);
                prop_assert!(ranges.iter().flat_map(|range| range.start..range.end).eq(bytes.iter().copied()));
                prop_assert_eq!((intervals.len(), intervals.is_empty()), (ranges.len(), bytes.is_empty()));
            }
        }
    }
}
