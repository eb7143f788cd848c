//! Looking where a block is expected, without scanning.
//!
//! What changed in place, was inserted or was taken away leaves its neighbours as they
//! were: the parts of a block that was not found mostly follow the block before it in
//! the seed, or come before the block after it. That finds all of them but the ones that
//! the change itself touches, and costs no more than summing them.

use std::sync::Mutex;

use gosync_chunks::{ByteRange, ReadAt, SeedId, StrongHasher};
use gosync_files::ReadBuffer;
use gosync_sums::Xxh3;
use gosync_work::hand_out;

use crate::sums::WEAK;

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
/// the list. `sums_of` gives the weak and the strong sum of a block in the list.
///
/// Where a seed cannot be read, or ends, nothing is found.
pub(crate) fn find_expected<'a>(
    expected: Vec<Expected>,
    size: u32,
    seeds: &[&dyn ReadAt],
    hasher: &Xxh3,
    sums_of: impl Fn(usize) -> (u32, &'a [u8]) + Sync,
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
        let count = data.len().div_ceil(size as usize);
        let (mut keys, mut sums) = (vec![0; count], vec![0; count * len]);
        WEAK.sum_blocks(data, size as usize, &mut keys);
        hasher.sum_blocks(data, size as usize, &mut sums);
        let there = keys.into_iter().zip(sums.chunks_exact(len)).enumerate();
        let right = there.filter(|&(at, sums)| sums == sums_of(piece.first + at));
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

/// A block that was found, and its neighbours in the list, which confirm it.
pub(crate) struct Neighbours {
    pub(crate) seed: SeedId,
    /// Where the block was found.
    pub(crate) offset: u64,
    pub(crate) before: Option<usize>,
    pub(crate) after: Option<usize>,
}

/// The places of those blocks of `size` bytes that have a neighbour beside them in the
/// seed, ascending.
pub(crate) fn confirmed<'a>(
    found: Vec<Neighbours>,
    size: u32,
    seeds: &[&dyn ReadAt],
    hasher: &Xxh3,
    sums_of: impl Fn(usize) -> (u32, &'a [u8]) + Sync,
) -> Vec<(SeedId, u64)> {
    let size = u64::from(size);
    let confirmed = Mutex::new(Vec::new());
    let done: Result<(), ()> = hand_out(found.into_iter(), ReadBuffer::default, |buffer, block| {
        let seed = seeds[usize::from(block.seed.0)];
        let mut is_there = |neighbour: Option<usize>, offset: Option<u64>| {
            let (Some(neighbour), Some(offset)) = (neighbour, offset) else { return false };
            if seed.size().saturating_sub(offset) < size {
                return false;
            }
            let Ok(data) = buffer.read(seed, ByteRange::at(offset, size)) else { return false };
            let (key, strong) = sums_of(neighbour);
            WEAK.key(data) == key && hasher.sum(data).as_bytes() == strong
        };
        if is_there(block.before, block.offset.checked_sub(size)) || is_there(block.after, Some(block.offset + size)) {
            confirmed.lock().expect("no panic while held").push((block.seed, block.offset));
        }
        Ok(())
    });
    debug_assert!(done.is_ok());
    let mut confirmed = confirmed.into_inner().expect("no panic while held");
    confirmed.sort_unstable();
    confirmed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_as_far_as_the_seed_goes() {
        let hasher = Xxh3::truncated(8, 3).unwrap();
        let target: Vec<u8> = (0..(3 << 20) + 40u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let sums: Vec<u8> = target.chunks(64).flat_map(|block| hasher.sum(block).as_bytes().to_vec()).collect();
        let count = target.len().div_ceil(64);
        let mut seed = [b"pushed", &target[..]].concat();
        seed[6 + 64 * 9] ^= 1;
        let whole = Expected { first: 0, count, seed: SeedId(0), offset: 6, last_len: 40 };
        let find = |seed: &Vec<u8>, expected: Expected| {
            let sums_of =
                |at: usize| (WEAK.key(&target[64 * at..target.len().min(64 * at + 64)]), &sums[8 * at..][..8]);
            find_expected(vec![expected], 64, &[seed], &hasher, sums_of)
        };
        let place = |at: usize| (at, SeedId(0), 6 + 64 * at as u64);
        let all: Vec<_> = (0..count).filter(|&at| at != 9).map(place).collect();
        assert_eq!(find(&seed, whole.clone()), all);

        seed.truncate(6 + 64 * 20 + 63);
        assert_eq!(find(&seed, whole.clone()), all[..19], "the seed ends within block 20");
        seed.truncate(3);
        assert_eq!(find(&seed, whole.clone()), [], "it ends before");
        assert_eq!(find(&seed, Expected { count: 0, ..whole }), []);
    }

    #[test]
    fn of_two_places_the_earlier() {
        let hasher = Xxh3::truncated(8, 3).unwrap();
        let seed = vec![7; 256];
        let sum = hasher.sum(&[7; 64]);
        let at = |offset| Expected { first: 0, count: 1, seed: SeedId(0), offset, last_len: 64 };
        let found =
            find_expected(vec![at(100), at(3)], 64, &[&seed], &hasher, |_| (WEAK.key(&[7; 64]), sum.as_bytes()));
        assert_eq!(found, [(0, SeedId(0), 3)]);
    }
}
