//! Strong sums of 64 blocks: one by one, and in the lanes of every tier.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gosync_chunks::StrongHasher;
use gosync_rollsum::Tier;
use gosync_sums::{Blake2b256, Md4, Md5};

const BLOCKS: usize = 64;

fn bench<H: StrongHasher>(criterion: &mut Criterion, name: &str, on: impl Fn(Tier) -> H) {
    let mut group = criterion.benchmark_group(name);
    for block_size in [2048usize, 8192] {
        let byte = |i: usize| (i as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0];
        let data: Vec<u8> = (0..BLOCKS * block_size).map(byte).collect();
        group.throughput(Throughput::Bytes(data.len() as u64));

        let hasher = on(Tier::detect());
        let mut sums = vec![0; BLOCKS * hasher.sum_len()];
        group.bench_function(BenchmarkId::new("one by one", block_size), |bencher| {
            bencher.iter(|| {
                for (block, sum) in data.chunks(block_size).zip(sums.chunks_mut(hasher.sum_len())) {
                    sum.copy_from_slice(hasher.sum(block).as_bytes());
                }
            });
        });
        for tier in Tier::available() {
            let hasher = on(tier);
            group.bench_function(BenchmarkId::new(tier.to_string(), block_size), |bencher| {
                bencher.iter(|| hasher.sum_blocks(&data, block_size, &mut sums));
            });
        }
    }
    group.finish();
}

fn strong(criterion: &mut Criterion) {
    bench(criterion, "MD4", |tier| Md4::full().on(tier));
    bench(criterion, "MD5", |tier| Md5::full().on(tier));
    bench(criterion, "BLAKE2b-256", |tier| Blake2b256::full().on(tier));
}

criterion_group!(benches, strong);
criterion_main!(benches);
