//! How many instructions strong sums in lanes take, which no busy machine falsifies.
//!
//! `cargo xtask instructions` runs this with valgrind; a count above its bound is an error.
//! The bounds are a tenth above what was counted when they were set.

#![allow(missing_docs, reason = "the macros make items that have none")]

use std::hint::black_box;

use gosync_chunks::StrongHasher;
use gosync_rollsum::Tier;
use gosync_sums::{Blake2b256, Md4, Md5};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

const BLOCKS: usize = 48;
const BLOCK: usize = 2048;

fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, instructions)]).clone());
    config
}

type Job = (Box<dyn StrongHasher>, Vec<u8>, Vec<u8>);

/// Nothing where the machine does not run the tier.
fn job<H: StrongHasher + 'static>(hasher: fn(Tier) -> H, tier: Tier) -> Option<Job> {
    tier.is_available().then(|| {
        let hasher = hasher(tier);
        let data = (0..BLOCKS * BLOCK).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let sums = vec![0; BLOCKS * hasher.sum_len()];
        (Box::new(hasher) as Box<dyn StrongHasher>, data, sums)
    })
}

fn md4(tier: Tier) -> Md4 {
    Md4::full().on(tier)
}

fn md5(tier: Tier) -> Md5 {
    Md5::full().on(tier)
}

fn blake2b(tier: Tier) -> Blake2b256 {
    Blake2b256::full().on(tier)
}

#[library_benchmark]
#[bench::md4_sse42(args = (job(md4, Tier::Sse42)), config = at_most(353_000))]
#[bench::md4_avx2(args = (job(md4, Tier::Avx2)), config = at_most(160_000))]
#[bench::md5_sse42(args = (job(md5, Tier::Sse42)), config = at_most(486_000))]
#[bench::md5_avx2(args = (job(md5, Tier::Avx2)), config = at_most(207_000))]
#[bench::blake2b_avx2(args = (job(blake2b, Tier::Avx2)), config = at_most(483_000))]
fn sums(job: Option<Job>) -> Option<Job> {
    let (hasher, data, mut sums) = job?;
    hasher.sum_blocks(black_box(&data), BLOCK, &mut sums);
    Some((hasher, data, sums))
}

library_benchmark_group!(name = strong, benchmarks = sums);
main!(library_benchmark_groups = strong);
