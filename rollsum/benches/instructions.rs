//! How many instructions the scan and the sums take, which no busy machine falsifies.
//!
//! `cargo xtask instructions` runs this with valgrind; a count above its bound is an error.
//! The bounds are a tenth above what was counted when they were set.

#![allow(missing_docs, reason = "the macros make items that have none")]

use std::hint::black_box;

use gosync_rollsum::{Candidate, RollingSum, Scanner, Sieve, SieveBuilder, Tier};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

const POSITIONS: usize = 1 << 18;
const WINDOW: usize = 2048;

fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, instructions)]).clone());
    config
}

fn noise() -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

fn data(length: usize) -> Vec<u8> {
    noise().flat_map(u64::to_le_bytes).take(length).collect()
}

struct Scan {
    scanner: Scanner,
    buffer: Vec<u8>,
    sieve: Sieve,
    candidates: Vec<Candidate>,
}

/// Nothing where the machine does not run the tier.
fn prepare(sum: RollingSum, tier: Tier) -> Option<Scan> {
    let builder = SieveBuilder::new(1 << 12);
    noise().skip(POSITIONS).take(1 << 12).for_each(|key| builder.insert((key >> 16) as u32));
    tier.is_available().then(|| Scan {
        scanner: Scanner::with_tier(sum, WINDOW, tier),
        buffer: data(POSITIONS + WINDOW - 1),
        sieve: builder.finish(),
        candidates: Vec::with_capacity(POSITIONS),
    })
}

#[library_benchmark(setup = prepare)]
#[bench::rsync_portable(args = (RollingSum::Rsync, Tier::Portable), config = at_most(10_800_000))]
#[bench::rsync_sse42(args = (RollingSum::Rsync, Tier::Sse42), config = at_most(7_460_000))]
#[bench::rsync_avx2(args = (RollingSum::Rsync, Tier::Avx2), config = at_most(2_540_000))]
#[bench::rabin_karp_portable(args = (RollingSum::RabinKarp, Tier::Portable), config = at_most(9_150_000))]
#[bench::rabin_karp_sse42(args = (RollingSum::RabinKarp, Tier::Sse42), config = at_most(7_190_000))]
#[bench::rabin_karp_avx2(args = (RollingSum::RabinKarp, Tier::Avx2), config = at_most(2_400_000))]
fn scan(scan: Option<Scan>) -> Option<Scan> {
    let mut scan = scan?;
    scan.scanner.scan(black_box(&scan.buffer), 0..POSITIONS, &scan.sieve, &mut scan.candidates);
    Some(scan)
}

fn blocks(sum: RollingSum, tier: Tier) -> (RollingSum, Tier, Vec<u8>) {
    (sum, tier, data(POSITIONS))
}

#[library_benchmark(setup = blocks)]
#[bench::rsync_portable(args = (RollingSum::Rsync, Tier::Portable), config = at_most(185_000))]
#[bench::rsync_sse42(args = (RollingSum::Rsync, Tier::Sse42), config = at_most(170_000))]
#[bench::rsync_avx2(args = (RollingSum::Rsync, Tier::Avx2), config = at_most(82_700))]
#[bench::rabin_karp_portable(args = (RollingSum::RabinKarp, Tier::Portable), config = at_most(910_000))]
#[bench::rabin_karp_sse42(args = (RollingSum::RabinKarp, Tier::Sse42), config = at_most(317_000))]
#[bench::rabin_karp_avx2(args = (RollingSum::RabinKarp, Tier::Avx2), config = at_most(135_000))]
fn sum_blocks((sum, tier, data): (RollingSum, Tier, Vec<u8>)) -> [u32; POSITIONS / WINDOW] {
    let mut keys = [0; POSITIONS / WINDOW];
    if tier.is_available() {
        sum.sum_blocks_with_tier(tier, black_box(&data), WINDOW, &mut keys);
    }
    keys
}

library_benchmark_group!(name = rolling, benchmarks = [scan, sum_blocks]);
main!(library_benchmark_groups = rolling);
