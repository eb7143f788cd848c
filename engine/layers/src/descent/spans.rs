//! What is known of a target so far, and the plan that comes of it.

use std::sync::Arc;

use gosync_chunks::{BlockId, BlockSums, ByteRange, Cut, Plan, SeedId, StrongHasher};

/// Where the bytes of a span come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From a seed, at this offset.
    Seed(SeedId, u64),
    /// From the source.
    Source,
    /// From the span that begins at this offset of the target, which is as long, comes
    /// from the source, and stands before this one.
    Span(u64),
    /// From nowhere: it is not wanted.
    Nowhere,
}

/// A block of some layer that need not be divided any further.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u64,
    /// Of a block, which has 16 MiB at most.
    len: u32,
    /// Which of the strong sums is its own.
    sum: u32,
    pub(crate) origin: Origin,
}

impl Span {
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
    pub(crate) fn push(&mut self, target: ByteRange, origin: Origin, sum: &[u8]) {
        // Each span has a sum, in the order in which they were pushed.
        let number = self.spans.len() as u32;
        self.spans.push(Span { start: target.start, len: target.len() as u32, sum: number, origin });
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
        self.spans.iter().filter_map(|span| match span.origin {
            Origin::Seed(seed, offset) => Some((seed, ByteRange::at(offset, span.len.into()))),
            _ => None,
        })
    }

    /// How to get the target, and what tells that it is right.
    pub(crate) fn into_plan(mut self, hasher: Arc<dyn StrongHasher>) -> (Plan, BlockSums) {
        self.sort();
        let len = hasher.sum_len();
        let bounds: Vec<u64> = std::iter::once(0).chain(self.spans.iter().map(|span| span.target().end)).collect();
        let mut strong = Vec::with_capacity(self.sums.len());
        self.spans.iter().for_each(|span| strong.extend_from_slice(&self.sums[span.sum as usize * len..][..len]));
        let cut = Cut::at(bounds);
        let mut plan = Plan::new(cut.clone());
        for (block, span) in (0..).map(BlockId).zip(&self.spans) {
            match span.origin {
                Origin::Seed(seed, offset) => plan.copy(block, seed, offset),
                Origin::Source => plan.fetch(block),
                Origin::Span(offset) => plan.repeat(block, cut.block_at(offset)),
                Origin::Nowhere => {}
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
    fn spans_of_any_size_in_any_order_make_a_plan() {
        let hasher = Xxh3::truncated(4, 0).unwrap();
        let range = |start, end| ByteRange { start, end };
        let mut spans = Spans::default();
        spans.push(range(30, 40), Origin::Span(10), b"once");
        spans.push(range(0, 10), Origin::Seed(SeedId(1), 5), b"zero");
        spans.push(range(10, 20), Origin::Source, b"once");
        spans.push(range(20, 30), Origin::Seed(SeedId(0), 7), b"twos");
        spans.push(range(40, 43), Origin::Source, b"four");
        spans.push(range(43, 50), Origin::Nowhere, b"none");
        spans.sort();
        assert_eq!(spans.at(20).map(|span| span.origin), Some(Origin::Seed(SeedId(0), 7)));
        assert_eq!(spans.before(20).map(Span::target), Some(range(10, 20)));
        assert!(spans.at(21).is_none() && spans.before(21).is_none() && spans.before(0).is_none());

        let (plan, sums) = spans.into_plan(Arc::new(hasher));
        let blocks = |start, end| BlockRange { start: BlockId(start), end: BlockId(end) };
        let expected = [
            Step::Copy { target: range(0, 10), seed: SeedId(1), offset: 5 },
            Step::Fetch { blocks: blocks(1, 2) },
            Step::Copy { target: range(20, 30), seed: SeedId(0), offset: 7 },
            Step::Repeat { blocks: blocks(3, 4), of: BlockId(1) },
            Step::Fetch { blocks: blocks(4, 5) },
        ];
        assert_eq!(plan.steps(), expected);
        assert_eq!(sums.strong_column(), b"zerooncetwosoncefournone");
        assert_eq!(plan.cut().length(), 50);
    }
}
