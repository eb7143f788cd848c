//! Looking where a block is expected, without scanning.
//!
//! What changed in place, was inserted or was taken away leaves its neighbours as they
//! were: the parts of a block that was not found mostly follow the block before it in
//! the seed, or come before the block after it. That finds all of them but the ones that
//! the change itself touches, and costs no more than summing them.

use std::sync::Mutex;

use gosync_chunks::work::hand_out;
use gosync_chunks::{ByteRange, ReadAt, ReadBuffer, SeedId, StrongHasher, Xxh3};

/// Consecutive blocks of one size, and where in a seed they may be, one after another.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The first of them, in the list that they are taken from, and how many there are.
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) seed: SeedId,
    /// Where the first would begin.
    pub(crate) offset: u64,
    /// Bytes of the last of them, which may be short.
    pub(crate) last_len: u64,
}

/// Bytes of a seed that a thread looks at together.
const PIECE: usize = 1 << 20;

/// Those of the blocks of `size` bytes that are where they are expected: their places in
/// the list. `sum_of` gives the strong sum of a block in the list.
///
/// Where a seed cannot be read, or ends, nothing is found.
pub(crate) fn find_expected<'a>(
    expected: Vec<Expected>,
    size: u32,
    seeds: &[&dyn ReadAt],
    hasher: &Xxh3,
    sum_of: impl Fn(usize) -> &'a [u8] + Sync,
) -> Vec<(usize, SeedId, u64)> {
    let most = (PIECE / size as usize).max(1);
    let pieces = expected.into_iter().filter(|all| all.count > 0).flat_map(|all| {
        (0..all.count).step_by(most).map(move |skipped| Expected {
            first: all.first + skipped,
            count: most.min(all.count - skipped),
            seed: all.seed,
            offset: all.offset + skipped as u64 * u64::from(size),
            last_len: if skipped + most < all.count { size.into() } else { all.last_len },
        })
    });
    let found = Mutex::new(Vec::new());
    let done: Result<(), ()> = hand_out(pieces, ReadBuffer::default, |buffer, piece| {
        let seed = seeds[usize::from(piece.seed.0)];
        let wanted = (piece.count as u64 - 1) * u64::from(size) + piece.last_len;
        let there = seed.size().saturating_sub(piece.offset);
        let there = if there < wanted { there - there % u64::from(size) } else { wanted };
        let Ok(data) = buffer.read(seed, ByteRange::at(piece.offset, there)) else { return Ok(()) };
        let len = hasher.sum_len();
        let mut sums = vec![0; data.len().div_ceil(size as usize) * len];
        hasher.sum_blocks(data, size as usize, &mut sums);
        let right = sums.chunks_exact(len).enumerate().filter(|(at, sum)| *sum == sum_of(piece.first + at));
        let places = right.map(|(at, _)| (piece.first + at, piece.seed, piece.offset + at as u64 * u64::from(size)));
        found.lock().expect("no panic while held").extend(places);
        Ok(())
    });
    debug_assert!(done.is_ok());
    let mut found = found.into_inner().expect("no panic while held");
    // Of two places the earlier, whatever thread came first.
    found.sort_unstable();
    found.dedup_by_key(|(block, ..)| *block);
    found
}
