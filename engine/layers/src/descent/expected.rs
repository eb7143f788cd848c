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

use super::place::{Packed, Place};
use crate::sums::WEAK;

/// Consecutive blocks of one size, and where in a seed they may be, one after another.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The first of them, in the list that they are taken from, and how many there are.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Bytes of the last of them, which may be short.
    pub(super) last_len: u32,
    pub(super) seed: SeedId,
    /// Where the first would begin.
    pub(super) offset: u64,
}

/// Bytes of a seed that a thread looks at together.
const PIECE: u32 = 1 << 20;

/// Finds those of the blocks of `size` bytes that are where they are expected, and takes note of it
/// in `places`, which has one for each block in the list, not known yet where it is expected.
/// `sums_of` gives the weak and the strong sum of a block in the list.
///
/// Where a seed cannot be read, or ends, nothing is found.
pub(super) fn find_expected<'a>(
    expected: Vec<Expected>,
    size: u32,
    seeds: &[&dyn ReadAt],
    hasher: &Xxh3,
    sums_of: impl Fn(usize) -> (u32, &'a [u8]) + Sync,
    places: &mut [Packed],
) {
    let most = (PIECE / size).max(1);
    let pieces = expected.into_iter().filter(|all| all.count > 0).flat_map(|all| {
        (0..all.count).step_by(most as usize).map(move |skipped| Expected {
            first: all.first + skipped,
            count: most.min(all.count - skipped),
            last_len: if all.count - skipped > most { size } else { all.last_len },
            seed: all.seed,
            offset: all.offset + u64::from(skipped) * u64::from(size),
        })
    });
    let places = Mutex::new(places);
    let done: Result<(), ()> = hand_out(pieces, ReadBuffer::default, |buffer, piece| {
        let seed = seeds[usize::from(piece.seed.0)];
        let wanted = u64::from(piece.count - 1) * u64::from(size) + u64::from(piece.last_len);
        let there = seed.size().saturating_sub(piece.offset);
        let there = if there < wanted { there - there % u64::from(size) } else { wanted };
        let Ok(data) = buffer.read(seed, ByteRange::at(piece.offset, there)) else { return Ok(()) };
        let len = hasher.sum_len();
        let count = data.len().div_ceil(size as usize);
        let (mut keys, mut sums) = (vec![0; count], vec![0; count * len]);
        WEAK.sum_blocks(data, size as usize, &mut keys);
        hasher.sum_blocks(data, size as usize, &mut sums);
        let first = piece.first as usize;
        let there = keys.into_iter().zip(sums.chunks_exact(len)).enumerate();
        let right = there.filter(|&(at, sums)| sums == sums_of(first + at));
        let mut places = places.lock().expect("no panic while held");
        for (at, _) in right {
            let place = Place::Seed(piece.seed, piece.offset + at as u64 * u64::from(size));
            // Of two places the earlier, whatever thread came first.
            places[first + at] = places[first + at].min(place.into());
        }
        Ok(())
    });
    debug_assert!(done.is_ok());
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
    mut found: Vec<Neighbours>,
    size: u32,
    seeds: &[&dyn ReadAt],
    hasher: &Xxh3,
    sums_of: impl Fn(usize) -> (u32, &'a [u8]) + Sync,
) -> Vec<(SeedId, u64)> {
    let size = u64::from(size);
    let confirmed = Mutex::new(Vec::new());
    found.sort_unstable_by_key(|block| (block.seed, block.offset));
    // Those that lie near to each other are read together, a piece at most.
    let near = found.chunk_by(|one, next| {
        let piece = |block: &Neighbours| block.offset / PIECE as u64;
        one.seed == next.seed && piece(one) == piece(next) && next.offset - one.offset <= CLOSE.max(size)
    });
    let done: Result<(), ()> = hand_out(near, ReadBuffer::default, |buffer, near| {
        let seed = seeds[usize::from(near[0].seed.0)];
        let start = near[0].offset.saturating_sub(size);
        let end = seed.size().min(near[near.len() - 1].offset.saturating_add(2 * size));
        let Ok(data) = buffer.read(seed, ByteRange { start, end }) else { return Ok(()) };
        let is_there = |neighbour: Option<usize>, offset: Option<u64>| {
            let (Some(neighbour), Some(offset)) = (neighbour, offset) else { return false };
            let at = (offset - start) as usize;
            let Some(data) = data.get(at..at + size as usize) else { return false };
            let (key, strong) = sums_of(neighbour);
            WEAK.key(data) == key && hasher.sum(data).as_bytes() == strong
        };
        let is_confirmed = |block: &&Neighbours| {
            is_there(block.before, block.offset.checked_sub(size)) || is_there(block.after, Some(block.offset + size))
        };
        let places: Vec<_> = near.iter().filter(is_confirmed).map(|block| (block.seed, block.offset)).collect();
        confirmed.lock().expect("no panic while held").extend(places);
        Ok(())
    });
    debug_assert!(done.is_ok());
    let mut confirmed = confirmed.into_inner().expect("no panic while held");
    confirmed.sort_unstable();
    confirmed
}

/// To read so many bytes more takes hardly longer than another read.
const CLOSE: u64 = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_confirm_wherever_they_are_read() {
        let hasher = Xxh3::truncated(8, 3).unwrap();
        let seed: Vec<u8> = (0..(3 << 20)).map(|i: u32| (i.wrapping_mul(i) >> 7) as u8).collect();
        let block = |offset: usize| (WEAK.key(&seed[offset..][..64]), hasher.sum(&seed[offset..][..64]));
        // Before and behind them, near to each other, far away, at the seed's start and its end.
        let offsets = [0, 64, 100, 500, 5000, 2 << 20, (2 << 20) + 4160, (3 << 20) - 64];
        let sums: Vec<_> =
            offsets.iter().flat_map(|&at| [block(at.max(64) - 64), block(at.min(seed.len() - 128) + 64)]).collect();
        let found = |which: fn(usize) -> (Option<usize>, Option<usize>)| {
            let neighbours = |(at, &offset): (usize, &usize)| {
                let (before, after) = which(at);
                Neighbours { seed: SeedId(0), offset: offset as u64, before, after }
            };
            let found = offsets.iter().enumerate().map(neighbours).collect();
            let places = confirmed(found, 64, &[&seed], &hasher, |at| (sums[at].0, sums[at].1.as_bytes()));
            places.iter().map(|&(_, offset)| offset as usize).collect::<Vec<_>>()
        };
        assert_eq!(found(|at| (Some(2 * at), None)), offsets[1..], "before the first there is nothing");
        assert_eq!(found(|at| (None, Some(2 * at + 1))), offsets[..7], "nor is there behind the last");
        assert_eq!(found(|at| (Some(2 * at), Some(2 * at + 1))), offsets);
        assert!(found(|at| (Some(2 * at + 1), Some(2 * at))).is_empty(), "they are on the wrong side");
    }

    #[test]
    fn what_is_there_is_found_as_far_as_the_seed_goes() {
        let hasher = Xxh3::truncated(8, 3).unwrap();
        let target: Vec<u8> = (0..(3 << 20) + 40u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let sums: Vec<u8> = target.chunks(64).flat_map(|block| hasher.sum(block).as_bytes().to_vec()).collect();
        let count = target.len().div_ceil(64);
        let mut seed = [b"pushed", &target[..]].concat();
        seed[6 + 64 * 9] ^= 1;
        let whole = Expected { first: 0, count: count as u32, last_len: 40, seed: SeedId(0), offset: 6 };
        let find = |seed: &Vec<u8>, expected: Expected| -> Vec<Place> {
            let sums_of =
                |at: usize| (WEAK.key(&target[64 * at..target.len().min(64 * at + 64)]), &sums[8 * at..][..8]);
            let mut places = vec![Packed::UNKNOWN; count];
            find_expected(vec![expected], 64, &[seed], &hasher, sums_of, &mut places);
            places.into_iter().map(Packed::place).collect()
        };
        let places = |there: &dyn Fn(usize) -> bool| -> Vec<Place> {
            let place = |at| Place::Seed(SeedId(0), 6 + 64 * at as u64);
            (0..count).map(|at| if there(at) { place(at) } else { Place::Unknown }).collect()
        };
        assert_eq!(find(&seed, whole.clone()), places(&|at| at != 9));

        seed.truncate(6 + 64 * 20 + 63);
        assert_eq!(find(&seed, whole.clone()), places(&|at| at != 9 && at < 20), "the seed ends within block 20");
        seed.truncate(3);
        assert_eq!(find(&seed, whole.clone()), places(&|_| false), "it ends before");
        assert_eq!(find(&seed, Expected { count: 0, ..whole }), places(&|_| false));
    }

    #[test]
    fn of_two_places_the_earlier() {
        let hasher = Xxh3::truncated(8, 3).unwrap();
        let seed = vec![7; 256];
        let sum = hasher.sum(&[7; 64]);
        let at = |offset| Expected { first: 0, count: 1, last_len: 64, seed: SeedId(0), offset };
        let mut places = [Packed::UNKNOWN];
        let sums_of = |_| (WEAK.key(&[7; 64]), sum.as_bytes());
        find_expected(vec![at(100), at(3)], 64, &[&seed], &hasher, sums_of, &mut places);
        assert_eq!(places[0].place(), Place::Seed(SeedId(0), 3));
    }
}
