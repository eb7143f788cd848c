//! Blocks cut into groups that fit into memory.

use gosync_chunks::{BlockId, BlockLayout, BlockRange, ByteRange};

/// Cuts ascending ranges of blocks into groups of at most some bytes, and joins those
/// that touch. A group has one block at least.
pub(crate) struct Groups<Ranges> {
    ranges: Ranges,
    rest: Option<BlockRange>,
    blocks: u32,
}

impl<Ranges: Iterator<Item = BlockRange>> Groups<Ranges> {
    pub(crate) fn new(ranges: Ranges, layout: BlockLayout, bytes: usize) -> Self {
        Self { ranges, rest: None, blocks: (bytes as u64 / u64::from(layout.block_size())).max(1) as u32 }
    }
}

impl<Ranges: Iterator<Item = BlockRange>> Iterator for Groups<Ranges> {
    type Item = Vec<BlockRange>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut group = Vec::new();
        let mut room = self.blocks;
        while room > 0 {
            let Some(range) = self.rest.take().or_else(|| self.ranges.next()) else { break };
            let cut = BlockId(range.end.0.min(range.start.0.saturating_add(room)));
            push(&mut group, BlockRange { start: range.start, end: cut });
            room -= cut.0 - range.start.0;
            self.rest = (cut < range.end).then_some(BlockRange { start: cut, end: range.end });
        }
        (!group.is_empty()).then_some(group)
    }
}

/// Ranges of single blocks, which ascend.
pub(crate) fn joined(blocks: impl IntoIterator<Item = BlockId>) -> Vec<BlockRange> {
    let mut ranges = Vec::new();
    for block in blocks {
        push(&mut ranges, BlockRange { start: block, end: block.next() });
    }
    ranges
}

/// The blocks that make up `range`, which begins and ends with one.
pub(crate) fn blocks_of(layout: BlockLayout, range: ByteRange) -> BlockRange {
    let block = |offset: u64| BlockId(offset.div_ceil(layout.block_size().into()) as u32);
    BlockRange { start: block(range.start), end: block(range.end) }
}

fn push(ranges: &mut Vec<BlockRange>, range: BlockRange) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if range.is_empty() => {}
        _ => ranges.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> BlockRange {
        BlockRange { start: BlockId(start), end: BlockId(end) }
    }

    #[test]
    fn cuts_and_joins() {
        let layout = BlockLayout::new(1000, 10).unwrap();
        let ranges = [range(0, 2), range(2, 3), range(5, 12), range(20, 21)];
        let groups: Vec<_> = Groups::new(ranges.into_iter(), layout, 49).collect();
        assert_eq!(groups, [vec![range(0, 3), range(5, 6)], vec![range(6, 10)], vec![range(10, 12), range(20, 21)]]);
        let single: Vec<_> = Groups::new(ranges[..1].iter().copied(), layout, 0).collect();
        assert_eq!(single, [vec![range(0, 1)], vec![range(1, 2)]]);
        assert_eq!(Groups::new([].into_iter(), layout, 100).count(), 0);
    }

    #[test]
    fn joins_single_blocks() {
        assert_eq!(joined([3, 4, 6, 7, 8, 10].map(BlockId)), [range(3, 5), range(6, 9), range(10, 11)]);
    }
}
