//! How fast the scan and the sums of whole blocks are, on each tier of this machine.
//!
//! `cargo bench -p gosync-rollsum -- 'scan/2\^17'` runs a part of it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gosync_rollsum::{RollingSum, Scanner, SieveBuilder, Tier};

/// Of rsync's offsets one is enough: the offset is a constant in the same work.
const SUMS: [RollingSum; 2] = [RollingSum::Rsync, RollingSum::RabinKarp];

/// Bytes in a buffer, as a search hands them over.
const BUFFER: usize = 1 << 20;

const WINDOW: usize = 2048;

fn noise() -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

fn buffer() -> Vec<u8> {
    noise().flat_map(u64::to_le_bytes).take(BUFFER).collect()
}

/// Nothing in common: the case that takes longest, where every position is looked at.
fn scan(criterion: &mut Criterion) {
    let buffer = buffer();
    let positions = 0..BUFFER - WINDOW + 1;
    for exponent in [12, 17, 19, 21] {
        let builder = SieveBuilder::new(1 << exponent);
        noise().skip(BUFFER).take(1 << exponent).for_each(|key| builder.insert((key >> 16) as u32));
        let sieve = builder.finish();
        let mut group = criterion.benchmark_group(format!("scan/2^{exponent} keys"));
        group.throughput(Throughput::Bytes(positions.len() as u64));
        for sum in SUMS {
            for tier in Tier::available() {
                let scanner = Scanner::with_tier(sum, WINDOW, tier);
                let mut candidates = Vec::new();
                group.bench_function(BenchmarkId::new(format!("{sum:?}"), tier), |bencher| {
                    bencher.iter(|| {
                        candidates.clear();
                        scanner.scan(black_box(&buffer), positions.clone(), &sieve, &mut candidates);
                        candidates.len()
                    });
                });
            }
        }
    }
}

fn sum_blocks(criterion: &mut Criterion) {
    let buffer = buffer();
    let data = &buffer[..256 << 10];
    for block_size in [2048, 65_536] {
        let mut group = criterion.benchmark_group(format!("sum blocks/{block_size} bytes"));
        group.throughput(Throughput::Bytes(data.len() as u64));
        for sum in SUMS {
            let mut keys = vec![0; data.len() / block_size];
            for tier in Tier::available() {
                group.bench_function(BenchmarkId::new(format!("{sum:?}"), tier), |bencher| {
                    bencher.iter(|| {
                        sum.sum_blocks_with_tier(tier, black_box(data), block_size, &mut keys);
                        keys[0]
                    });
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = scan, sum_blocks
}
criterion_main!(benches);
