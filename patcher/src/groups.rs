//! Blocks cut into groups that fit into memory.

use gosync_chunks::{BlockId, BlockRange, Cut};

/// Cuts ascending ranges of blocks into groups of at most some bytes, and joins those
/// that touch. A group has one block at least.
pub(crate) struct Groups<'a, Ranges> {
    ranges: Ranges,
    rest: Option<BlockRange>,
    cut: &'a Cut,
    bytes: u64,
}

impl<'a, Ranges: Iterator<Item = BlockRange>> Groups<'a, Ranges> {
    pub(crate) fn new(ranges: Ranges, cut: &'a Cut, bytes: usize) -> Self {
        Self { ranges, rest: None, cut, bytes: bytes as u64 }
    }
}

impl<Ranges: Iterator<Item = BlockRange>> Iterator for Groups<'_, Ranges> {
    type Item = Vec<BlockRange>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut group = Vec::new();
        let mut room = self.bytes;
        while let Some(range) = self.rest.take().or_else(|| self.ranges.next()) {
            let start = self.cut.bytes(range).start;
            let fit = self.cut.block_at(start + room).clamp(range.start, range.end);
            let end = if group.is_empty() && fit == range.start && !range.is_empty() { fit.next() } else { fit };
            push(&mut group, BlockRange { start: range.start, end });
            room = room.saturating_sub(self.cut.bytes(BlockRange { start: range.start, end }).len());
            if end < range.end {
                self.rest = Some(BlockRange { start: end, end: range.end });
                break;
            }
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
    use gosync_chunks::BlockLayout;

    fn range(start: u32, end: u32) -> BlockRange {
        BlockRange { start: BlockId(start), end: BlockId(end) }
    }

    #[test]
    fn cuts_and_joins() {
        let cut = Cut::from(BlockLayout::new(1000, 10).unwrap());
        let ranges = [range(0, 2), range(2, 3), range(5, 12), range(20, 21)];
        let groups: Vec<_> = Groups::new(ranges.into_iter(), &cut, 49).collect();
        assert_eq!(groups, [vec![range(0, 3), range(5, 6)], vec![range(6, 10)], vec![range(10, 12), range(20, 21)]]);
        let single: Vec<_> = Groups::new(ranges[..1].iter().copied(), &cut, 0).collect();
        assert_eq!(single, [vec![range(0, 1)], vec![range(1, 2)]]);
        assert_eq!(Groups::new([].into_iter(), &cut, 100).count(), 0);
    }

    #[test]
    fn joins_single_blocks() {
        assert_eq!(joined([3, 4, 6, 7, 8, 10].map(BlockId)), [range(3, 5), range(6, 9), range(10, 11)]);
    }
}
