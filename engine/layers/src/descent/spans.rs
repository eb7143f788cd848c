//! What is known of a target so far, and the plan that comes of it.

use std::iter::once;
use std::sync::Arc;

use gosync_chunks::{BlockId, BlockSums, ByteRange, Cut, Plan, SeedId, StrongHasher};

use super::place::{Packed, Place};

/// A block of some layer that need not be divided any further.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u64,
    /// Of a block, which has 16 MiB at most.
    len: u32,
    /// Which of the strong sums is its own.
    sum: u32,
    place: Packed,
}

impl Span {
    /// Where its bytes are: what is in no seed comes from the source.
    pub(super) fn place(&self) -> Place {
        self.place.place()
    }

    /// The target's bytes that it is.
    pub(crate) fn target(&self) -> ByteRange {
        ByteRange::at(self.start, self.len.into())
    }
}

/// The spans found so far.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    /// In the target's order as far as they were sorted.
    spans: Vec<Span>,
    sums: Vec<u8>,
}

impl Spans {
    pub(super) fn push(&mut self, target: ByteRange, place: Place, sum: &[u8]) {
        // Each span has a sum, in the order in which they were pushed.
        let number = self.spans.len() as u32;
        self.spans.push(Span { start: target.start, len: target.len() as u32, sum: number, place: place.into() });
        self.sums.extend_from_slice(sum);
    }

    /// Puts the spans in the target's order.
    pub(crate) fn sort(&mut self) {
        self.spans.sort_unstable_by_key(|span| span.start);
    }

    /// The span that ends at `offset`, once they are sorted.
    pub(crate) fn before(&self, offset: u64) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.start < offset);
        self.spans[..after].last().filter(|span| span.target().end == offset)
    }

    /// The span that begins at `offset`, once they are sorted.
    pub(crate) fn at(&self, offset: u64) -> Option<&Span> {
        let at = self.spans.partition_point(|span| span.start < offset);
        self.spans.get(at).filter(|span| span.start == offset)
    }

    /// The bytes of seeds that were found.
    pub(crate) fn found(&self) -> impl Iterator<Item = (SeedId, ByteRange)> {
        self.spans.iter().filter_map(|span| match span.place() {
            Place::Seed(seed, offset) => Some((seed, ByteRange::at(offset, span.len.into()))),
            _ => None,
        })
    }

    /// How many bytes were found in runs of at least `least` bytes, which lie in a seed as they do
    /// in the target. The spans are sorted.
    pub(crate) fn bytes_in_runs(&self, least: u64) -> u64 {
        let (mut bytes, mut run) = (0, 0);
        let mut goes_on_at = None;
        for span in &self.spans {
            let Place::Seed(seed, offset) = span.place() else { continue };
            let len = u64::from(span.len);
            if goes_on_at != Some((span.start, seed, offset)) {
                bytes += if run >= least { run } else { 0 };
                run = 0;
            }
            run += len;
            goes_on_at = Some((span.start + len, seed, offset + len));
        }
        bytes + if run >= least { run } else { 0 }
    }

    /// How to get the target, and what tells that it is right.
    /// `zeros` is the seed that stands for zeros.
    pub(crate) fn into_plan(mut self, zeros: SeedId, hasher: Arc<dyn StrongHasher>) -> (Plan, BlockSums) {
        self.sort();
        let len = hasher.sum_len();
        let mut strong = Vec::with_capacity(self.sums.len());
        self.spans.iter().for_each(|span| strong.extend_from_slice(&self.sums[span.sum as usize * len..][..len]));
        let bounds: Arc<[u64]> = once(0).chain(self.spans.iter().map(|span| span.target().end)).collect();
        let places: Vec<Packed> = self.spans.iter().map(|span| span.place).collect();
        drop(self);
        let cut = Cut::at(bounds);
        let mut plan = Plan::new(cut.clone());
        for (block, place) in (0..).map(BlockId).zip(places) {
            match place.place() {
                Place::Seed(seed, offset) => plan.copy(block, seed, offset),
                Place::Zeros => plan.copy(block, zeros, cut.range(block).start),
                Place::Unknown | Place::Partly => plan.fetch(block),
                Place::Like(offset) => plan.repeat(block, cut.block_at(offset)),
                Place::Unwanted => {}
            }
        }
        (plan, BlockSums::new(cut, strong, hasher).expect("a sum for each span"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::{BlockRange, Step};
    use gosync_sums::Xxh3;

    #[test]
    fn runs_are_of_the_target_and_of_a_seed() {
        let mut spans = Spans::default();
        let found = [(0, 0, 50), (10, 0, 60), (20, 0, 80), (40, 0, 100), (50, 1, 110), (60, 1, 120), (70, 1, 130)];
        for (start, seed, offset) in found {
            spans.push(ByteRange::at(start, 10), Place::Seed(SeedId(seed), offset), &[]);
        }
        spans.push(ByteRange::at(80, 10), Place::Unknown, &[]);
        assert_eq!([10, 20, 21, 30, 31].map(|least| spans.bytes_in_runs(least)), [70, 50, 30, 30, 0]);
    }

    #[test]
    fn spans_of_any_size_in_any_order_make_a_plan() {
        let hasher = Xxh3::truncated(4, 0).unwrap();
        let range = |start, end| ByteRange { start, end };
        let mut spans = Spans::default();
        spans.push(range(30, 40), Place::Like(10), b"once");
        spans.push(range(0, 10), Place::Seed(SeedId(1), 5), b"zero");
        spans.push(range(10, 20), Place::Unknown, b"once");
        spans.push(range(20, 30), Place::Seed(SeedId(0), 7), b"twos");
        spans.push(range(40, 43), Place::Unknown, b"four");
        spans.push(range(43, 50), Place::Unwanted, b"none");
        spans.push(range(50, 53), Place::Zeros, b"null");
        spans.sort();
        assert_eq!(spans.at(20).map(Span::place), Some(Place::Seed(SeedId(0), 7)));
        assert_eq!(spans.before(20).map(Span::target), Some(range(10, 20)));
        assert!(spans.at(21).is_none() && spans.before(21).is_none() && spans.before(0).is_none());

        let (plan, sums) = spans.into_plan(SeedId(2), Arc::new(hasher));
        let blocks = |start, end| BlockRange { start: BlockId(start), end: BlockId(end) };
        let expected = [
            Step::Copy { target: range(0, 10), seed: SeedId(1), offset: 5 },
            Step::Fetch { blocks: blocks(1, 2) },
            Step::Copy { target: range(20, 30), seed: SeedId(0), offset: 7 },
            Step::Repeat { blocks: blocks(3, 4), of: BlockId(1) },
            Step::Fetch { blocks: blocks(4, 5) },
            Step::Copy { target: range(50, 53), seed: SeedId(2), offset: 50 },
        ];
        assert_eq!(plan.steps(), expected);
        assert_eq!(sums.strong_column(), b"zerooncetwosoncefournonenull");
        assert_eq!(plan.cut().length(), 53);
    }
}
