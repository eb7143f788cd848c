//! Finding the blocks of a control file in seeds.

use gosync_chunks::{BlockId, ByteRange, EqualBlocks, Lookup, Plan, Progress, ReadAt, SeedId, Signature, Step};
use gosync_comparer::{CompareError, CompareOptions, Comparison, compare, compare_parts, pair_key};
use gosync_index::BlockIndex;

use crate::Control;
use crate::sums::{KIND, key_mask};

/// Bytes to sum for each byte searched, by chance, up to which blocks are looked for one
/// at a time. Beyond that, pairs are.
const CHEAP: f64 = 4.0;

/// The same for what is left after the pairs, for each byte of the seeds.
const BEARABLE: f64 = 32.0;

/// Where data is not like chance has it, hits whose next block does not fit either are
/// passed over beyond so many bytes.
const MOST: u32 = 64;

/// How often the seeds are gone over for what is still missing, as long as more is found.
const MOST_SEARCHES: usize = 3;

/// Searches `seeds` on the current rayon pool.
pub(crate) fn search(
    control: &Control,
    seeds: &[&dyn ReadAt],
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    let signature = &control.signature;
    let keys = &signature.weak_column().keys;
    let singles = BlockIndex::with_keys(signature, keys.as_slice(), |_| true);
    let options = CompareOptions {
        key_mask: key_mask(control.hash_lengths.weak),
        padded: true,
        strong_budget: Some(MOST),
        ..CompareOptions::new(KIND)
    };
    let chance = Chance { fits: 0.5f64.powi(8 * i32::from(control.hash_lengths.weak)) };
    let length = signature.layout().length();
    // A block that is the only one has none beside it.
    if keys.len() == 1 || chance.strong_bytes(length) <= CHEAP {
        let first = compare(signature, &singles, seeds, &options, progress)?;
        return search_again(signature, keys, singles.equal_blocks(), first, seeds, &options, progress);
    }

    let equal = singles.equal_blocks();
    let pairs: Vec<u32> = keys.windows(2).map(|keys| pair_key(keys[0], keys[1])).collect();
    let lookup = BlockIndex::with_keys(signature, pairs.as_slice(), |_| true);
    let in_pairs = CompareOptions { in_pairs: true, ..options };
    let first = compare(signature, &WithEqual { index: &lookup, equal }, seeds, &in_pairs, progress)?;
    drop(lookup);
    let first = search_again(signature, &pairs, equal, first, seeds, &in_pairs, progress)?;
    drop(pairs);
    if first.plan.fetched_bytes() == 0 || seeds.is_empty() {
        return Ok(first);
    }

    let is_missing = missing(&first.plan);
    let lookup = BlockIndex::with_keys(signature, keys.as_slice(), |block| is_missing[block.index()]);
    let mut parts = untouched(&first.plan, seeds);
    let to_search: u64 = parts.iter().flatten().map(|part| part.len()).sum();
    let seed_bytes: u64 = seeds.iter().map(|seed| seed.size()).sum();
    let expected = chance.strong_bytes(first.plan.fetched_bytes());
    if expected * to_search as f64 > BEARABLE * seed_bytes as f64 {
        parts = expected_places(&first.plan, seeds);
    }
    let alone = CompareOptions { strong_budget: Some(MOST.max((expected * 4.0) as u32).min(4096)), ..options };
    let second = compare_parts(signature, &WithEqual { index: &lookup, equal }, seeds, &parts, &alone, progress)?;
    Ok(joined(signature, first, second))
}

/// Looks once more for what is missing after a `first` search, by the same keys, where
/// nothing is copied from. A run that is found is passed over, and with it whatever else
/// begins in it. So where both seed and target have something several times, each time at
/// another place within their blocks, one search finds the same blocks in each copy, and
/// the next, in the copies that are not needed for these, those of another.
fn search_again(
    signature: &Signature,
    keys: &[u32],
    equal: &EqualBlocks,
    first: Comparison,
    seeds: &[&dyn ReadAt],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    let mut found = first;
    for _ in 0..MOST_SEARCHES {
        if found.plan.copied_bytes() == 0 || found.plan.fetched_bytes() == 0 {
            break;
        }
        let is_missing = missing(&found.plan);
        let lookup = BlockIndex::with_keys(signature, keys, |block| is_missing[block.index()]);
        let parts = untouched(&found.plan, seeds);
        let next = compare_parts(signature, &WithEqual { index: &lookup, equal }, seeds, &parts, options, progress)?;
        let before = found.plan.fetched_bytes();
        found = joined(signature, found, next);
        if found.plan.fetched_bytes() == before {
            break;
        }
    }
    Ok(found)
}

/// Whether each block is to be fetched. Of equal blocks only the first is, so that only that
/// is looked for.
fn missing(plan: &Plan) -> Vec<bool> {
    let mut is_missing = vec![false; plan.cut().blocks().len()];
    for step in plan.steps() {
        if let Step::Fetch { blocks } = step {
            blocks.iter().for_each(|block| is_missing[block.index()] = true);
        }
    }
    is_missing
}

/// How often a weak sum fits by chance.
struct Chance {
    fits: f64,
}

impl Chance {
    /// Bytes to sum for each byte searched, when blocks of so many bytes are looked for.
    fn strong_bytes(&self, length: u64) -> f64 {
        // The blocks that fit, times the size of a block: that of the blocks cancels out.
        length as f64 * self.fits
    }
}

/// An index of some blocks, with all that are known to be equal.
struct WithEqual<'a> {
    index: &'a BlockIndex<'a>,
    equal: &'a EqualBlocks,
}

impl Lookup for WithEqual<'_> {
    fn sieve(&self) -> &[u32] {
        self.index.sieve()
    }

    fn may_have(&self, keys: &[u32]) -> u64 {
        self.index.may_have(keys)
    }

    fn with_key(&self, key: u32) -> impl Iterator<Item = BlockId> {
        self.index.with_key(key)
    }

    fn equal_blocks(&self) -> &EqualBlocks {
        self.equal
    }
}

/// What of each seed `plan` does not copy.
fn untouched(plan: &Plan, seeds: &[&dyn ReadAt]) -> Vec<Vec<ByteRange>> {
    let mut copied: Vec<Vec<ByteRange>> = vec![Vec::new(); seeds.len()];
    for step in plan.steps() {
        if let Step::Copy { target, seed, offset } = *step {
            copied[usize::from(seed.0)].push(ByteRange::at(offset, target.len()));
        }
    }
    let gaps = |(mut copied, seed): (Vec<ByteRange>, &&dyn ReadAt)| {
        copied.sort_unstable();
        let mut gaps = Vec::new();
        let mut end = 0;
        for range in copied.into_iter().chain([ByteRange::at(seed.size(), 0)]) {
            if range.start > end {
                gaps.push(ByteRange { start: end, end: range.start });
            }
            end = end.max(range.end);
        }
        gaps
    };
    copied.into_iter().zip(seeds).map(gaps).collect()
}

/// The places in the seeds where the missing blocks are if nothing but other blocks was
/// changed: as far from what is copied before and behind them as in the target.
fn expected_places(plan: &Plan, seeds: &[&dyn ReadAt]) -> Vec<Vec<ByteRange>> {
    let cut = plan.cut();
    let mut places: Vec<Vec<ByteRange>> = vec![Vec::new(); seeds.len()];
    let mut add = |block: BlockId, (seed, shift): (SeedId, i64)| {
        let size = seeds[usize::from(seed.0)].size();
        let start = (cut.range(block).start as i64).checked_add(shift);
        if let Some(start) = start.and_then(|start| u64::try_from(start).ok()).filter(|&start| start < size) {
            places[usize::from(seed.0)].push(ByteRange::at(start, 1));
        }
    };
    let shift = |step: &Step| match *step {
        Step::Copy { target, seed, offset } => Some((seed, offset as i64 - target.start as i64)),
        _ => None,
    };
    let steps = plan.steps();
    let mut before = None;
    for (at, step) in steps.iter().enumerate() {
        before = shift(step).or(before);
        if let Step::Fetch { blocks } = step {
            let behind = steps[at..].iter().take(4).find_map(shift);
            for shift in [before, behind.filter(|_| behind != before)].into_iter().flatten() {
                blocks.iter().for_each(|block| add(block, shift));
            }
        }
    }
    for places in &mut places {
        places.sort_unstable();
        places.dedup();
    }
    places
}

/// What either comparison found.
fn joined(signature: &Signature, first: Comparison, second: Comparison) -> Comparison {
    let layout = signature.layout();
    let mut plan = Plan::new(layout);
    let mut found = copies(&second.plan).peekable();
    for step in first.plan.steps() {
        let target = match *step {
            Step::Copy { target, .. } => target,
            Step::Fetch { blocks } | Step::Repeat { blocks, .. } => layout.bytes(blocks),
        };
        for block in first.plan.cut().covering(target).iter() {
            while found.next_if(|&(other, ..)| other < block).is_some() {}
            match (*step, found.peek()) {
                (Step::Copy { seed, offset, .. }, _) => {
                    plan.copy(block, seed, offset + (layout.range(block).start - target.start));
                }
                (_, Some(&(other, seed, offset))) if other == block => plan.copy(block, seed, offset),
                (Step::Fetch { .. }, _) => plan.fetch(block),
                (Step::Repeat { of, .. }, _) => plan.repeat(block, of),
            }
        }
    }
    let mut statistics = first.statistics;
    statistics += second.statistics;
    statistics.seed_bytes = first.statistics.seed_bytes;
    let mut unreadable = first.unreadable;
    unreadable.extend(second.unreadable);
    unreadable.sort_by_key(|unreadable| (unreadable.seed, unreadable.offset));
    unreadable.dedup_by_key(|unreadable| unreadable.seed);
    Comparison { plan, statistics, unreadable }
}

/// The blocks that `plan` copies, and where from.
fn copies(plan: &Plan) -> impl Iterator<Item = (BlockId, SeedId, u64)> {
    let cut = plan.cut();
    let copies = plan.steps().iter().filter_map(|step| match *step {
        Step::Copy { target, seed, offset } => Some((target, seed, offset)),
        _ => None,
    });
    copies.flat_map(move |(target, seed, offset)| {
        let blocks = cut.covering(target);
        (blocks.start.0..blocks.end.0)
            .map(move |block| (BlockId(block), seed, offset + (cut.range(BlockId(block)).start - target.start)))
    })
}
