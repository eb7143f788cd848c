//! The search of all seeds, piece by piece on all threads.

use std::fmt;
use std::io;
use std::sync::Mutex;

use gosync_chunks::{
    BlockId, BlockLayout, Brief, ByteRange, Cancelled, EqualBlocks, Lookup, Phase, Plan, Progress, ReadAt, SeedId,
    Signature, Step, is_zeros, ranges,
};
use gosync_rollsum::{RollingSum, Sieve};
use gosync_work::hand_out;

use crate::engine::Scratch;
use crate::locations::{Locations, MAX_SEED_SIZE, MAX_SEEDS, Origin};
use crate::options::CompareOptions;
use crate::search::Search;
use crate::statistics::Statistics;

/// Positions in a piece. Larger blocks need larger pieces, or their overlap would be
/// most of the work.
const PIECE: u64 = 1 << 20;

/// To begin with a part takes about as long as to search so many bytes.
const NEAR: u64 = 4 << 10;

/// What a comparison found.
pub struct Comparison {
    /// How to get the target.
    pub plan: Plan,
    /// Where in each seed there are blocks, also those that the plan copies from elsewhere;
    /// ascending, and no two touch. Zeros with a block of zeros behind them are left out:
    /// nothing else begins there.
    pub matched: Vec<Vec<ByteRange>>,
    /// What it took to find out.
    pub statistics: Statistics,
    /// Seeds that could not be read everywhere. What was found in the rest of them is
    /// in the plan all the same.
    pub unreadable: Vec<UnreadableSeed>,
}

impl fmt::Debug for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, matched, statistics, unreadable } = self;
        let mut shown = formatter.debug_struct("Comparison");
        shown.field("plan", plan).field("matched", &matched.iter().map(|ranges| Brief(ranges)).collect::<Vec<_>>());
        shown.field("statistics", statistics).field("unreadable", unreadable).finish()
    }
}

impl Comparison {
    /// Where in each seed there are blocks that the plan copies from elsewhere. A search passes
    /// over what it finds, so other blocks may begin there, and it pays to look for them
    /// [again](compare_again): where both seed and target have something several times, each
    /// time cut elsewhere, the copies all give the same blocks, and only one of them is needed
    /// for these.
    pub fn unused(&self) -> Vec<Vec<ByteRange>> {
        let copied = self.plan.copied_ranges(self.matched.len());
        self.matched.iter().zip(copied).map(|(matched, copied)| ranges::without(matched, copied)).collect()
    }
}

/// A seed that could not be read, or became shorter meanwhile.
#[derive(Debug)]
pub struct UnreadableSeed {
    /// Which seed.
    pub seed: SeedId,
    /// Where reading failed first, in bytes from the seed's start.
    pub offset: u64,
    /// Why.
    pub error: io::Error,
}

/// Why seeds were not compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// There are more seeds than can be told apart.
    #[error("{0} seeds are too many: at most {MAX_SEEDS} can be compared at once")]
    TooManySeeds(usize),
    /// A seed is longer than offsets reach.
    #[error("a seed of {size} bytes is too long: at most {MAX_SEED_SIZE} can be compared")]
    SeedTooLong {
        /// Which seed.
        seed: SeedId,
        /// Its length in bytes.
        size: u64,
    },
    /// The signature has the weak sums of another hasher than the search rolls.
    #[error("the weak sums of the signature are not those that are searched for, {0:?}")]
    WeakSums(RollingSum),
    /// [`Progress::is_cancelled`] said so.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Searches `seeds` for the blocks of `signature`, on all threads of the current rayon
/// pool. `lookup` is the index of that signature.
///
/// Every thread holds a piece of one mebibyte and two blocks. The result does not
/// depend on the number of threads.
///
/// # Errors
///
/// When there are too many seeds, one is too long, the signature has other weak sums than
/// `options` say, or `progress` cancels. A seed that cannot be read is no error: it is reported, and what it holds is not found.
pub fn compare<Index: Lookup<Sieve = Sieve>>(
    signature: &Signature,
    lookup: &Index,
    seeds: &[&dyn ReadAt],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    let whole: Vec<_> = seeds.iter().map(|data| vec![ByteRange::at(0, data.size())]).collect();
    compare_parts(signature, lookup, seeds, &whole, options, progress)
}

/// As [`compare`], but looks only for blocks that begin in the `parts` of each seed, which
/// ascend and do not overlap; those that follow them in a run are found elsewhere too.
///
/// # Errors
///
/// As [`compare`].
///
/// # Panics
///
/// When there are no parts for some seed.
pub fn compare_parts<Index: Lookup<Sieve = Sieve>>(
    signature: &Signature,
    lookup: &Index,
    seeds: &[&dyn ReadAt],
    parts: &[Vec<ByteRange>],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    Ok(find_parts(signature, lookup, seeds, parts, options, progress)?.into_comparison(lookup.equal_blocks()))
}

/// As [`compare_parts`], but makes no plan of what was found.
///
/// # Errors
///
/// As [`compare`].
///
/// # Panics
///
/// As [`compare_parts`].
pub fn find_parts<Index: Lookup<Sieve = Sieve>>(
    signature: &Signature,
    lookup: &Index,
    seeds: &[&dyn ReadAt],
    parts: &[Vec<ByteRange>],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Found, CompareError> {
    assert_eq!(parts.len(), seeds.len(), "parts of each seed");
    if seeds.len() > MAX_SEEDS {
        return Err(CompareError::TooManySeeds(seeds.len()));
    }
    let ids = || (0..).map(SeedId).zip(seeds);
    if let Some((seed, data)) = ids().find(|(_, data)| data.size() > MAX_SEED_SIZE) {
        return Err(CompareError::SeedTooLong { seed, size: data.size() });
    }

    let key = |block: &[u8]| {
        let missing = if options.padded { signature.layout().block_size() as usize - block.len() } else { 0 };
        options.sum.with_zeros(options.sum.key(block), missing) & options.key_mask
    };
    if !signature.has_weak_sums_of(key) {
        return Err(CompareError::WeakSums(options.sum));
    }

    let found = Found {
        locations: Locations::new(signature.layout()),
        matched: vec![Vec::new(); seeds.len()],
        statistics: Statistics { seed_bytes: bytes_of(parts), ..Statistics::default() },
        unreadable: Vec::new(),
    };
    search_parts(found, signature, lookup, seeds, parts, options, progress)
}

/// As [`compare_parts`], but only for what has to be fetched by what was `found` before: the
/// blocks that are marked as missing in what `index` gets to make the lookup of them. Of equal
/// ones that is the first. Where blocks may overlap, what is between parts that are near to each
/// other is searched too: to begin anew would take longer.
///
/// # Errors
///
/// As [`compare`].
///
/// # Panics
///
/// When `found` is of other seeds, or there are no parts for some seed.
pub fn compare_again<Index: Lookup<Sieve = Sieve>>(
    found: Comparison,
    signature: &Signature,
    index: impl FnOnce(&[bool]) -> Index,
    seeds: &[&dyn ReadAt],
    parts: &[Vec<ByteRange>],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    if found.plan.fetched_bytes() == 0 || parts.iter().all(Vec::is_empty) {
        return Ok(found);
    }
    let repeats = found.plan.steps().iter().filter_map(|step| match *step {
        Step::Repeat { blocks, of } => Some(blocks.iter().map(move |block| (block, of))),
        _ => None,
    });
    let equal = EqualBlocks::new(repeats.flatten().collect());
    let again = Found {
        locations: Locations::of(signature.layout(), &found.plan),
        matched: found.matched,
        statistics: found.statistics,
        unreadable: found.unreadable,
    };
    drop(found.plan);
    Ok(find_again(again, &equal, signature, index, seeds, parts, options, progress)?.into_comparison(&equal))
}

/// As [`compare_again`], of what was found without a plan. `equal` is from the lookup that was
/// searched with.
///
/// # Errors
///
/// As [`compare`].
///
/// # Panics
///
/// As [`compare_again`].
#[expect(clippy::too_many_arguments, reason = "those of compare_again, and what its plan tells")]
pub fn find_again<Index: Lookup<Sieve = Sieve>>(
    mut found: Found,
    equal: &EqualBlocks,
    signature: &Signature,
    index: impl FnOnce(&[bool]) -> Index,
    seeds: &[&dyn ReadAt],
    parts: &[Vec<ByteRange>],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Found, CompareError> {
    assert!(found.matched.len() == seeds.len() && parts.len() == seeds.len(), "parts of each seed");
    let missing: Vec<bool> = found.origins(equal).map(|(_, origin)| origin == Origin::Source).collect();
    if !missing.contains(&true) || parts.iter().all(Vec::is_empty) {
        return Ok(found);
    }
    let lookup = index(&missing);
    drop(missing);
    if !options.overlapping {
        return search_parts(found, signature, &lookup, seeds, parts, options, progress);
    }
    let joined: Vec<_> = parts.iter().map(|parts| ranges::joined(parts, NEAR)).collect();
    search_parts(found, signature, &lookup, seeds, &joined, options, progress)
}

fn search_parts<Index: Lookup<Sieve = Sieve>>(
    found: Found,
    signature: &Signature,
    lookup: &Index,
    seeds: &[&dyn ReadAt],
    parts: &[Vec<ByteRange>],
    options: &CompareOptions,
    progress: &dyn Progress,
) -> Result<Found, CompareError> {
    let layout = signature.layout();
    progress.begin(Phase::Compare, bytes_of(parts));
    let search = Search::new(signature, lookup, options);
    let ids = (0..).map(SeedId).zip(seeds);
    let gathered = Mutex::new(found);
    let tasks =
        ids.zip(parts).flat_map(|((seed, data), parts)| tasks(layout, seed, data.size(), parts, options.padded));
    hand_out(tasks, Scratch::default, |scratch, task| {
        progress.check()?;
        let Task { seed, start, len, zeros, .. } = task;
        let data = seeds[usize::from(seed.0)];
        let read = scratch.buffer.read_with_zeros(data, ByteRange::at(start, len), zeros).map(drop);
        let statistics = read.map(|()| match task.work {
            Work::Positions(positions) => search.piece(scratch, start, positions, len as usize),
            Work::End(block) => search.end(scratch, block),
        });
        let mut gathered = gathered.lock().expect("no panic while held");
        match statistics {
            Ok(statistics) => {
                gathered.statistics += statistics;
                for &(block, position) in &scratch.found {
                    gathered.add(block, seed, start + position as u64, &scratch.buffer.bytes()[position..]);
                }
            }
            Err(error) => gathered.unreadable.push(UnreadableSeed { seed, offset: start, error }),
        }
        drop(gathered);
        progress.advance(Phase::Compare, task.done);
        Ok::<(), CompareError>(())
    })?;

    Ok(gathered.into_inner().expect("no panic while held"))
}

fn bytes_of(parts: &[Vec<ByteRange>]) -> u64 {
    parts.iter().flatten().map(|part| part.len()).sum()
}

/// What a search found, without a plan: eight bytes for each block, where a plan may take some
/// forty.
pub struct Found {
    locations: Locations,
    matched: Vec<Vec<ByteRange>>,
    /// What it took to find out.
    pub statistics: Statistics,
    /// As in a [`Comparison`], but in any order, and seeds may come several times.
    pub unreadable: Vec<UnreadableSeed>,
}

impl fmt::Debug for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { locations, statistics, unreadable, .. } = self;
        let mut shown = formatter.debug_struct("Found");
        shown.field("blocks", &locations.layout.block_count());
        shown.field("statistics", statistics).field("unreadable", unreadable).finish_non_exhaustive()
    }
}

impl Found {
    /// Where the bytes of each block come from, ascending. `equal` is from the lookup that was
    /// searched with.
    pub fn origins(&mut self, equal: &EqualBlocks) -> impl Iterator<Item = (BlockId, Origin)> {
        self.locations.origins(equal)
    }

    /// Where in each seed there are blocks, as in a [`Comparison`].
    pub fn matched(&self) -> Vec<Vec<ByteRange>> {
        self.matched.iter().cloned().map(ranges::merged).collect()
    }

    /// Adds a block that is in `seed` at `offset`, from where on it has this data.
    fn add(&mut self, block: BlockId, seed: SeedId, offset: u64, data: &[u8]) {
        self.locations.add(block, seed, offset);
        let len = self.locations.layout.block_len(block);
        if data.get(..len + self.locations.layout.block_size() as usize).is_some_and(is_zeros) {
            return;
        }
        let range = ByteRange::at(offset, len as u64);
        let matched = &mut self.matched[usize::from(seed.0)];
        // Mostly they come in runs, and of those one range each is kept.
        match matched.last_mut() {
            Some(last) if last.start <= range.start && range.start <= last.end => last.end = last.end.max(range.end),
            _ => matched.push(range),
        }
    }

    /// With a plan. `equal` is from the lookup that was searched with.
    pub fn into_comparison(self, equal: &EqualBlocks) -> Comparison {
        let Self { locations, matched, statistics, mut unreadable } = self;
        unreadable.sort_by_key(|unreadable| (unreadable.seed, unreadable.offset));
        unreadable.dedup_by_key(|unreadable| unreadable.seed);
        let matched = matched.into_iter().map(ranges::merged).collect();
        Comparison { plan: locations.plan(equal), matched, statistics, unreadable }
    }
}

/// Something to search: a part of a seed that does not depend on any other.
struct Task {
    seed: SeedId,
    /// Where in the seed it begins.
    start: u64,
    /// Bytes to read from there.
    len: u64,
    /// Zeros to search behind them.
    zeros: usize,
    /// Bytes to report as done.
    done: u64,
    work: Work,
}

enum Work {
    /// Look for blocks that begin at the first so many positions. The blocks reach
    /// further, and one that is expected to follow further still.
    Positions(usize),
    /// Look whether this is the short last block.
    End(BlockId),
}

/// Cuts `parts` of a seed of `size` bytes.
fn tasks(
    layout: BlockLayout,
    seed: SeedId,
    size: u64,
    parts: &[ByteRange],
    padded: bool,
) -> impl Iterator<Item = Task> {
    let block_size = u64::from(layout.block_size());
    let piece = PIECE.max(block_size);
    let has_full_blocks = padded && layout.block_count() > 0 || layout.full_block_at(0).is_some();
    // Behind a padded seed all is zeros, so a block may begin at each of its bytes.
    let positions = match has_full_blocks {
        true if padded => size,
        true => (size + 1).saturating_sub(block_size),
        false => 0,
    };
    let pieces = parts.iter().flat_map(move |part| {
        let last = part.end.min(positions);
        (0..last.saturating_sub(part.start).div_ceil(piece)).map(move |index| {
            let start = part.start + index * piece;
            let end = last.min(start + piece);
            // The last piece stands for the bytes behind its positions too.
            let done = if end == last { part.end - start } else { end - start };
            let reach = end + 2 * block_size;
            let len = size.min(reach) - start;
            let zeros = if padded { (reach - start - len) as usize } else { 0 };
            Task { seed, start, len, zeros, done, work: Work::Positions((end - start) as usize) }
        })
    });
    let to_the_end = parts.last().is_some_and(|part| part.end == size);
    let short = layout.short_block().filter(|&block| !padded && to_the_end && layout.range(block).len() <= size);
    let end = short.map(move |block| {
        let len = layout.range(block).len();
        let done = if positions == 0 { size } else { 0 };
        Task { seed, start: size - len, len, zeros: 0, done, work: Work::End(block) }
    });
    pieces.chain(end)
}
