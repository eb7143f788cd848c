//! Finding the blocks of a control file in seeds.

use gosync_chunks::ranges::without;
use gosync_chunks::{BlockId, ByteRange, EqualBlocks, Lookup, Plan, Progress, ReadAt, SeedId, Signature, Step};
use gosync_comparer::{CompareError, CompareOptions, Comparison, compare, compare_again, pair_key};
use gosync_index::BlockIndex;
use gosync_rollsum::Sieve;

use crate::control::Control;
use crate::sums::{ROLLING_SUM, key_mask};

/// Bytes to sum for each byte searched, by chance, up to which blocks are looked for one
/// at a time. Beyond that, pairs are.
const CHEAP: f64 = 4.0;

/// The same for what is left after the pairs, for each byte of the seeds.
const BEARABLE: f64 = 32.0;

/// Where data is not like chance has it, it may take so many times as much.
const BEYOND_CHANCE: f64 = 4.0;

/// The most that may be summed for each byte searched.
const MOST: f64 = 4096.0;

/// Searches `seeds` on the current rayon pool.
pub(crate) fn search(
    control: &Control,
    seeds: &[&dyn ReadAt],
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    let signature = &control.signature;
    let keys = signature.weak_column();
    let singles = BlockIndex::with_keys(signature, keys, |_| true);
    let chance = Chance { fits: 0.5f64.powi(8 * i32::from(control.hash_lengths.weak)) };
    let options = CompareOptions {
        key_mask: key_mask(control.hash_lengths.weak),
        padded: true,
        ..CompareOptions::new(ROLLING_SUM)
    };
    let within = |strong_bytes: f64, options: CompareOptions| {
        let budget = (strong_bytes * BEYOND_CHANCE).min(MOST) as u32;
        CompareOptions { strong_budget: Some(budget.max(CompareOptions::STRONG_BUDGET)), ..options }
    };
    let length = signature.layout().length();
    // A block that is the only one has none beside it.
    if keys.len() == 1 || chance.strong_bytes(length) <= CHEAP {
        let options = within(chance.strong_bytes(length), options);
        let first = compare(signature, &singles, seeds, &options, progress)?;
        drop(singles);
        return search_again(signature, keys, first, seeds, &options, progress);
    }

    let equal = singles.equal_blocks().clone();
    drop(singles);
    let pairs: Vec<u32> = keys.windows(2).map(|keys| pair_key(keys[0], keys[1])).collect();
    let lookup = InPairs { index: BlockIndex::with_keys(signature, pairs.as_slice(), |_| true), equal };
    let in_pairs = within(chance.of_pairs().strong_bytes(2 * length), CompareOptions { in_pairs: true, ..options });
    let first = compare(signature, &lookup, seeds, &in_pairs, progress)?;
    drop(lookup);
    let first = search_again(signature, &pairs, first, seeds, &in_pairs, progress)?;
    drop(pairs);
    let mut parts = untouched(&first.plan, seeds);
    let to_search: u64 = parts.iter().flatten().map(|part| part.len()).sum();
    let seed_bytes: u64 = seeds.iter().map(|seed| seed.size()).sum();
    let expected = chance.strong_bytes(first.plan.fetched_bytes());
    if expected * to_search as f64 > BEARABLE * seed_bytes as f64 {
        parts = expected_places(&first.plan, seeds);
    }
    let alone = within(expected, options);
    let index = |missing: &[bool]| BlockIndex::with_keys(signature, keys, |block| missing[block.index()]);
    compare_again(first, signature, index, seeds, &parts, &alone, progress)
}

/// Looks once more for what is missing, by the same keys, in copies of what was found that
/// nothing is copied from.
fn search_again(
    signature: &Signature,
    keys: &[u32],
    found: Comparison,
    seeds: &[&dyn ReadAt],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    let parts = found.unused();
    let options = CompareOptions { overlapping: true, ..*options };
    let index = |missing: &[bool]| BlockIndex::with_keys(signature, keys, |block| missing[block.index()]);
    compare_again(found, signature, index, seeds, &parts, &options, progress)
}

/// How often a weak sum fits by chance.
struct Chance {
    fits: f64,
}

impl Chance {
    /// The same of two in a row.
    fn of_pairs(&self) -> Self {
        Self { fits: self.fits * self.fits }
    }

    /// Bytes to sum for each byte searched, when blocks of so many bytes are looked for.
    fn strong_bytes(&self, length: u64) -> f64 {
        // The blocks that fit, times the size of a block: that of the blocks cancels out.
        length as f64 * self.fits
    }
}

/// An index of pairs, with the blocks that are equal themselves.
struct InPairs<'a> {
    index: BlockIndex<'a>,
    equal: EqualBlocks,
}

impl Lookup for InPairs<'_> {
    type Sieve = Sieve;

    fn sieve(&self) -> &Sieve {
        self.index.sieve()
    }

    fn may_have(&self, keys: &[u32]) -> u64 {
        self.index.may_have(keys)
    }

    fn with_key(&self, key: u32) -> impl Iterator<Item = BlockId> {
        self.index.with_key(key)
    }

    fn equal_blocks(&self) -> &EqualBlocks {
        &self.equal
    }
}

/// What of each seed `plan` does not copy.
fn untouched(plan: &Plan, seeds: &[&dyn ReadAt]) -> Vec<Vec<ByteRange>> {
    let copied = plan.copied_ranges(seeds.len());
    copied.into_iter().zip(seeds).map(|(copied, seed)| without(&[ByteRange::at(0, seed.size())], copied)).collect()
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
