//! What holds for any two files: comparing and patching makes the target.

use std::sync::Arc;

use gosync_blocksources::MemorySource;
use gosync_chunks::{ReadAt, StrongHasher};
use gosync_comparer::{CompareOptions, RollingSum, compare};
use gosync_index::BlockIndex;
use gosync_patcher::Patch;
use gosync_sums::{Md5, Rolling, SumOptions, sum_target};

/// The first bytes choose the block size, the rolling sum, a budget and how much is the
/// seed; the others are the seed and the target.
pub(crate) fn patch(data: &[u8]) {
    let [block_size, choices, split, data @ ..] = data else { return };
    let sum = [RollingSum::Rsync, RollingSum::Librsync, RollingSum::RabinKarp][usize::from(choices & 3) % 3];
    let strong_budget = (choices & 4 != 0).then_some(1);
    let (seed, target) = data.split_at(data.len() * usize::from(*split) / 255);

    let options = SumOptions { block_size: u32::from(*block_size).max(1), file_hash: true };
    let hasher: Arc<dyn StrongHasher> = Arc::new(Md5::full());
    let summed = sum_target(target, &options, &Rolling(sum), hasher, &()).expect("memory can be read");
    let signature = summed.signature;

    let seed = seed.to_vec();
    let seeds: [&dyn ReadAt; 1] = [&seed];
    let options = CompareOptions { strong_budget, ..CompareOptions::new(sum) };
    let found = compare(&signature, &BlockIndex::build(&signature), &seeds, &options, &()).expect("one seed");
    let source = MemorySource::new(target.to_vec());
    let patch = Patch {
        plan: &found.plan,
        sums: signature.sums(),
        file_hash: summed.file_hash,
        seeds: &seeds,
        source: &source,
        progress: &(),
    };
    let mut out = Vec::new();
    let report = patch.write_to_stream(&mut out).expect("the source has the target");
    assert_eq!(out, target);
    assert_eq!(report.refetched_blocks, 0, "what was found is there");
}
