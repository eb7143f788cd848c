//! Slow and obviously correct answers to check fast ones against.

use std::collections::HashMap;

use gosync_chunks::{BlockId, BlockLayout, Plan, Step};

/// A block of the target that stands in a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// The block.
    pub block: BlockId,
    /// Where it begins in the seed, in bytes.
    pub offset: u64,
}

/// The first of `matches` that is not true byte for byte, if one is not.
///
/// # Panics
///
/// When `block_size` makes no layout of `target`.
pub fn false_match(target: &[u8], block_size: u32, seed: &[u8], matches: &[Match]) -> Option<Match> {
    let layout = layout(target, block_size);
    matches.iter().copied().find(|&Match { block, offset }| {
        if block.0 >= layout.block_count() {
            return true;
        }
        let range = layout.range(block);
        let block = &target[range.start as usize..range.end as usize];
        seed.get(offset as usize..).and_then(|rest| rest.get(..block.len())) != Some(block)
    })
}

/// What rsync's greedy scan finds in `seed`, ascending by offset.
///
/// At every offset it looks for a block of the full size that is equal to the bytes
/// there, the first of several equal ones. Where there is one, the scan goes on
/// behind it; otherwise a byte further on. Last, the short block at the target's end
/// matches if `seed` ends with it; it may overlap the match before it.
///
/// # Panics
///
/// When `block_size` makes no layout of `target`.
pub fn greedy_matches(target: &[u8], block_size: u32, seed: &[u8]) -> Vec<Match> {
    let layout = layout(target, block_size);
    let size = block_size as usize;
    let mut blocks = HashMap::new();
    for (number, block) in target.chunks_exact(size).enumerate() {
        blocks.entry(block).or_insert(BlockId(number as u32));
    }

    let mut matches = Vec::new();
    let mut offset = 0;
    while offset + size <= seed.len() {
        if let Some(&block) = blocks.get(&seed[offset..offset + size]) {
            matches.push(Match { block, offset: offset as u64 });
            offset += size;
        } else {
            offset += 1;
        }
    }
    if let Some(block) = layout.short_block() {
        let tail = &target[layout.range(block).start as usize..];
        if seed.ends_with(tail) {
            matches.push(Match { block, offset: (seed.len() - tail.len()) as u64 });
        }
    }
    matches
}

/// How many bytes of `target` the blocks in `matches` make up, blocks equal to a
/// matched one included: what need not be fetched.
///
/// # Panics
///
/// When `block_size` makes no layout of `target`, or a match names no block of it.
pub fn covered_bytes(target: &[u8], block_size: u32, matches: &[Match]) -> u64 {
    let layout = layout(target, block_size);
    let bytes = |block: BlockId| {
        let range = layout.range(block);
        &target[range.start as usize..range.end as usize]
    };
    let matched: std::collections::HashSet<&[u8]> = matches.iter().map(|found| bytes(found.block)).collect();
    layout.blocks().iter().map(bytes).filter(|block| matched.contains(block)).map(|block| block.len() as u64).sum()
}

/// Asserts that `plan`, carried out with these seeds and a source that has `target`,
/// makes exactly `target`: in order, without a gap, every byte right.
///
/// # Panics
///
/// When it does not.
#[track_caller]
pub fn assert_plan_makes(plan: &Plan, target: &[u8], seeds: &[&[u8]]) {
    let cut = plan.cut();
    assert_eq!(cut.length(), target.len() as u64, "the plan's length");
    let mut fetched = vec![false; cut.block_count() as usize];
    let mut done = 0;
    for step in plan.steps() {
        let range = match *step {
            Step::Copy { target, .. } => target,
            Step::Fetch { blocks } | Step::Repeat { blocks, .. } => cut.bytes(blocks),
        };
        assert_eq!(range.start, done, "{step:?} does not begin where the step before it ends");
        assert!(!range.is_empty() && range.end <= cut.length(), "{step:?}");
        done = range.end;
        let wanted = &target[range.start as usize..range.end as usize];
        match *step {
            Step::Copy { seed, offset, .. } => {
                let found = seeds[usize::from(seed.0)].get(offset as usize..).and_then(|rest| rest.get(..wanted.len()));
                assert!(found == Some(wanted), "{step:?} copies other bytes");
            }
            Step::Fetch { blocks } => blocks.iter().for_each(|block| fetched[block.index()] = true),
            Step::Repeat { blocks, of } => {
                assert!(of < blocks.start && fetched[of.index()], "{step:?} repeats what was not fetched before it");
                let range = cut.range(of);
                let repeated = &target[range.start as usize..range.end as usize];
                // A short last block may be equal to a whole one once it is padded.
                assert!(
                    wanted.chunks(repeated.len()).all(|block| repeated.starts_with(block)),
                    "{step:?} repeats other bytes"
                );
            }
        }
    }
    assert_eq!(done, cut.length(), "the plan ends before the target does");
}

fn layout(target: &[u8], block_size: u32) -> BlockLayout {
    BlockLayout::new(target.len() as u64, block_size).expect("tests choose sound block sizes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{self, edit};
    use gosync_chunks::SeedId;

    fn at(block: u32, offset: u64) -> Match {
        Match { block: BlockId(block), offset }
    }

    #[test]
    fn finds_blocks_at_any_offset_and_the_tail_at_the_end() {
        let target = b"aaaabbbbccccaaaadd";
        assert_eq!(greedy_matches(target, 4, b"xaaaayybbbbbb"), [at(0, 1), at(1, 7)]);
        assert_eq!(greedy_matches(target, 4, b"bbbbaaaadd"), [at(1, 0), at(0, 4), at(4, 8)]);
        assert_eq!(greedy_matches(target, 4, b"ddx"), []);
        assert_eq!(greedy_matches(target, 4, b""), []);
        assert_eq!(greedy_matches(b"", 4, b"aaaa"), []);
        assert_eq!(greedy_matches(b"aaa", 4, b"xaaa"), [at(0, 1)], "a target of one short block");
    }

    #[test]
    fn itself_matches_throughout_at_every_boundary() {
        for length in [1, 99, 100, 101, 199, 200, 201, 1000] {
            let target = corpus::random(1, length);
            let matches = greedy_matches(&target, 100, &target);
            let expected: Vec<_> =
                (0..length.div_ceil(100)).map(|block| at(block as u32, block as u64 * 100)).collect();
            assert_eq!(matches, expected);
            assert_eq!(covered_bytes(&target, 100, &matches), length as u64);
        }
    }

    #[test]
    fn equal_blocks_count_once_found() {
        let zeros = corpus::zeros(1000);
        assert_eq!(covered_bytes(&zeros, 100, &[at(0, 0)]), 1000);
        assert_eq!(covered_bytes(&zeros, 300, &[at(0, 0)]), 900);
        assert_eq!(covered_bytes(&zeros, 300, &[]), 0);
    }

    #[test]
    fn what_the_scan_finds_is_true_and_what_is_false_is_seen() {
        for (kind, seed) in corpus::all(2, 20_000) {
            for (edit, target) in edit::all(&seed, 3) {
                let mut matches = greedy_matches(&target, 128, &seed);
                assert_eq!(false_match(&target, 128, &seed, &matches), None, "{kind}, {edit}");
                if edit == "shifted by one" && kind == "random" {
                    assert!(covered_bytes(&target, 128, &matches) > 19_000);
                    matches[20].offset += 1;
                    assert_eq!(false_match(&target, 128, &seed, &matches), Some(matches[20]));
                }
            }
        }
        for absurd in [at(3, 0), at(0, 1), at(2, 99), at(0, u64::MAX)] {
            assert_eq!(false_match(&[7; 250], 100, &[7; 100], &[absurd]), Some(absurd));
        }
    }

    fn plan(steps: impl FnOnce(&mut Plan)) -> Plan {
        let mut plan = Plan::new(BlockLayout::new(35, 10).unwrap());
        steps(&mut plan);
        plan
    }

    #[test]
    fn sound_plans_pass() {
        let target = [&[1; 20], corpus::random(1, 15).as_slice()].concat();
        assert_plan_makes(&Plan::fetch_all(BlockLayout::new(35, 10).unwrap()), &target, &[]);
        let sound = plan(|plan| {
            plan.fetch(BlockId(0));
            plan.repeat(BlockId(1), BlockId(0));
            plan.copy(BlockId(2), SeedId(0), 20);
            plan.copy(BlockId(3), SeedId(1), 1);
        });
        assert_plan_makes(&sound, &target, &[&target, &target[29..]]);
    }

    #[test]
    fn unsound_plans_fail() {
        let target = [&[1; 20], corpus::random(1, 15).as_slice()].concat();
        let unsound = [
            plan(|plan| plan.fetch(BlockId(0))),
            plan(|plan| plan.fetch(BlockId(1))),
            plan(|plan| (0..4).for_each(|block| plan.copy(BlockId(block), SeedId(0), 1))),
            plan(|plan| (0..4).for_each(|block| plan.copy(BlockId(block), SeedId(0), 40))),
            plan(|plan| {
                plan.copy(BlockId(0), SeedId(0), 0);
                plan.repeat(BlockId(1), BlockId(0));
                plan.fetch(BlockId(2));
                plan.fetch(BlockId(3));
            }),
            plan(|plan| {
                plan.fetch(BlockId(0));
                plan.fetch(BlockId(1));
                plan.repeat(BlockId(2), BlockId(0));
                plan.fetch(BlockId(3));
            }),
        ];
        for plan in unsound {
            let checked = std::panic::catch_unwind(|| assert_plan_makes(&plan, &target, &[&target]));
            assert!(checked.is_err(), "{plan:?}");
        }
    }
}
