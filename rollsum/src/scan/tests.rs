use proptest::prelude::*;

use super::*;
use crate::sieve::SieveBuilder;
use crate::tier::tested;
use crate::window::RollingWindow;

const SUMS: [RollingSum; 3] = [RollingSum::Rsync, RollingSum::Librsync, RollingSum::RabinKarp];

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Moves a window on byte by byte.
fn naive(sum: RollingSum, window: usize, buffer: &[u8], positions: Range<usize>, sieve: View<'_>) -> Vec<Candidate> {
    let first = buffer.get(positions.start..positions.start + window).unwrap_or_default();
    let mut rolling = RollingWindow::new(sum, first);
    positions
        .map(|position| {
            let key = rolling.key();
            if let Some(&incoming) = buffer.get(position + window) {
                rolling.roll(buffer[position], incoming);
            }
            Candidate { position, key }
        })
        .filter(|candidate| sieve.may_contain(candidate.key))
        .collect()
}

/// A sieve of every `step`-th window, so that some positions hit and most do not.
fn sieve(sum: RollingSum, window: usize, buffer: &[u8], step: usize) -> Sieve {
    let builder = SieveBuilder::new(buffer.len() / step);
    buffer.windows(window).step_by(step).for_each(|block| builder.insert(sum.key(block)));
    builder.finish()
}

/// Scans on every tier.
fn check(
    sum: RollingSum,
    window: usize,
    buffer: &[u8],
    positions: Range<usize>,
    sieve: View<'_>,
    expected: &[Candidate],
) {
    for tier in tested() {
        let mut found = Vec::new();
        Scanner::with_tier(sum, window, tier).scan_view(buffer, positions.clone(), sieve, &mut found);
        assert_eq!(found, expected, "{sum:?}, window {window}, {positions:?}, {tier}");
    }
}

fn check_against_naive(sum: RollingSum, window: usize, buffer: &[u8], positions: Range<usize>) {
    let sieve = sieve(sum, window, buffer, 97);
    let expected = naive(sum, window, buffer, positions.clone(), sieve.view());
    check(sum, window, buffer, positions, sieve.view(), &expected);
}

#[test]
fn crosses_tile_borders() {
    let buffer = noise(TILE * 3 + 100, 1);
    for sum in SUMS {
        for window in [1, 2, 15, 16, 17, 31, 100] {
            let all = buffer.len() - window + 1;
            for positions in
                [0..1, 0..TILE - 1, 0..TILE, 0..TILE + 1, 0..TILE + 2, 1..2 * TILE + 1, 7..all, all - 1..all]
            {
                check_against_naive(sum, window, &buffer, positions);
            }
        }
    }
}

#[test]
fn tails_of_every_length_at_every_alignment() {
    let buffer = noise(TILE + 600, 4);
    for sum in SUMS {
        for count in 0..200 {
            // As short as can be, in memory of its own: nothing behind it may be needed.
            let exact: Box<[u8]> = buffer[..count + 36].into();
            check_against_naive(sum, 37, &exact, 0..count);
        }
        for offset in 0..64 {
            let all = buffer.len() - offset - 300 + 1;
            check_against_naive(sum, 300, &buffer[offset..], 0..all);
            check_against_naive(sum, 300, &buffer, offset..offset + 129);
        }
    }
}

#[test]
fn long_windows() {
    let buffer = noise(140_000, 2);
    for sum in SUMS {
        for window in [4096, 65_535, 65_536, 65_537, 70_000, 139_900] {
            check_against_naive(sum, window, &buffer, 0..100.min(buffer.len() - window + 1));
        }
    }
}

/// The sums wrap most where all bytes are 255, and the signs of 16-bit products matter.
#[test]
fn extreme_bytes() {
    for (value, others) in [(0, 255), (255, 0), (255, 255), (0, 0), (127, 128)] {
        let mut buffer = vec![value; 3000];
        buffer[1500..].fill(others);
        for sum in SUMS {
            for window in [1, 255, 256, 257, 1024] {
                check_against_naive(sum, window, &buffer, 0..buffer.len() - window + 1);
            }
        }
    }
}

#[test]
fn sieves_that_let_all_or_nothing_pass() {
    let buffer = noise(TILE * 2 + 500, 5);
    for words in [&[0][..], &[u32::MAX], &[0, u32::MAX], &[u32::MAX; 64]] {
        for sum in SUMS {
            let expected = naive(sum, 100, &buffer, 3..2300, View::new(words));
            check(sum, 100, &buffer, 3..2300, View::new(words), &expected);
        }
    }
}

#[test]
fn no_positions_need_no_windows() {
    for tier in tested() {
        Scanner::with_tier(RollingSum::Rsync, 100, tier).scan_view(&[], 5..5, View::new(&[0]), &mut Vec::new());
    }
}

#[test]
fn finds_every_block_of_its_sieve() {
    let buffer = noise(50_000, 3);
    for sum in SUMS {
        let sieve = sieve(sum, 700, &buffer, 1234);
        let mut found = Vec::new();
        Scanner::new(sum, 700).scan(&buffer, 0..buffer.len() - 699, &sieve, &mut found);
        let positions: Vec<_> = found.iter().map(|candidate| candidate.position).collect();
        assert!((0..buffer.len() - 699).step_by(1234).all(|position| positions.binary_search(&position).is_ok()));
        assert!(positions.len() < 2500, "{} of 49,301 positions pass", positions.len());
    }
}

#[test]
#[should_panic(expected = "reach past")]
fn a_window_past_the_end_is_refused() {
    Scanner::new(RollingSum::Rsync, 8).scan_view(&[0; 10], 0..4, View::new(&[0]), &mut Vec::new());
}

#[test]
#[should_panic(expected = "this machine does not run")]
fn a_tier_of_another_machine_is_refused() {
    let foreign = if cfg!(target_arch = "aarch64") { Tier::Avx2 } else { Tier::Neon };
    Scanner::with_tier(RollingSum::Rsync, 8, foreign);
}

proptest! {
    #[test]
    fn any_window_and_positions(
        sum in prop::sample::select(&SUMS[..]),
        window in 1usize..3000,
        extra in 0usize..4000,
        start in 0.0..1.0f64,
        offset in 0usize..64,
        seed in any::<u64>(),
    ) {
        let buffer = noise(window + extra + offset, seed);
        let start = (start * extra as f64) as usize;
        check_against_naive(sum, window, &buffer[offset..], start..extra + 1);
    }

    /// Against the portable tier, which the other tests hold against sums made afresh.
    #[test]
    fn any_long_window(
        sum in prop::sample::select(&SUMS[..]),
        window in 1usize..70_000,
        extra in 0usize..20_000,
        offset in 0usize..64,
        seed in any::<u64>(),
    ) {
        let buffer = noise(window + extra + offset, seed);
        let buffer = &buffer[offset..];
        // Its last window too, so that a sum gone wrong on the way is noticed.
        let builder = SieveBuilder::new(64);
        (0..=extra).rev().step_by(extra / 40 + 1).for_each(|at| builder.insert(sum.key(&buffer[at..][..window])));
        let sieve = builder.finish();
        let mut expected = Vec::new();
        Scanner::with_tier(sum, window, Tier::Portable).scan(buffer, 0..extra + 1, &sieve, &mut expected);
        let last = sum.key_with_tier(Tier::Portable, &buffer[extra..]);
        prop_assert_eq!(expected.last(), Some(&Candidate { position: extra, key: last }));
        check(sum, window, buffer, 0..extra + 1, sieve.view(), &expected);
    }
}

/// zsync's: some bits of each key, and two neighbouring windows.
#[test]
fn masked_and_in_pairs() {
    let buffer = noise(9000, 5);
    for window in [1, 16, 700, 2048] {
        for mask in [u32::MAX, 0xffff_00ff, 0xffff_0000, 0x00ff_0000] {
            let key = |at: usize| RollingSum::Rsync.key(&buffer[at..][..window]) & mask;
            for in_pairs in [false, true] {
                let reach = if in_pairs { 2 * window } else { window };
                let wanted = |at: usize| if in_pairs { pair_key(key(at), key(at + window)) } else { key(at) };
                let positions = 3..buffer.len() - reach + 1;
                let builder = SieveBuilder::new(100);
                positions.clone().step_by(89).for_each(|at| builder.insert(wanted(at)));
                let sieve = builder.finish();
                let expected: Vec<_> = positions
                    .clone()
                    .map(|position| Candidate { position, key: wanted(position) })
                    .filter(|candidate| sieve.may_contain(candidate.key))
                    .collect();
                assert!(!expected.is_empty());
                for tier in tested() {
                    let scanner = Scanner::with_tier(RollingSum::Rsync, window, tier).masked(mask);
                    let scanner = if in_pairs { scanner.in_pairs() } else { scanner };
                    let mut found = Vec::new();
                    scanner.scan(&buffer, positions.clone(), &sieve, &mut found);
                    assert!(found == expected, "{window}, {mask:x}, {in_pairs}, {tier}");
                }
            }
        }
    }
}

/// Keys of 16 bits lose nothing in a pair.
#[test]
fn pairs_tell_their_keys_apart() {
    let mut keys: Vec<u32> =
        (0..1 << 20u32).map(|at: u32| pair_key(at.wrapping_mul(77) << 16, at & 0xffff_0000)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut pairs: Vec<_> = (0..1 << 20u32).map(|at: u32| (at.wrapping_mul(77) << 16, at >> 16)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    assert_eq!(keys.len(), pairs.len());
}

/// The words lie at the beginning and at the end of what may be read.
#[cfg(unix)]
#[test]
fn scans_keep_to_their_sieve() {
    let buffer = noise(3000, 7);
    let mut room = gosync_testkit::guard::Guarded::new(1 << 12);
    for sum in SUMS {
        for window in [1, 16, 700] {
            let sieve = sieve(sum, window, &buffer, 13);
            let positions = 0..buffer.len() - window + 1;
            let expected = naive(sum, window, &buffer, positions.clone(), sieve.view());
            check(sum, window, &buffer, positions.clone(), View::new(room.at_end(sieve.words())), &expected);
            check(sum, window, &buffer, positions, View::new(room.at_start(sieve.words())), &expected);
        }
    }
}
