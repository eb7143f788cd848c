//! Targets with a plan that makes them.

use std::path::Path;
use std::sync::Arc;

use gosync_chunks::{
    BlockId, BlockLayout, BlockSums, ByteRange, Cut, FileHash, Plan, Progress, ReadAt, SeedId, Source, StrongHasher,
};
use gosync_patcher::{Patch, PatchError, Report, StagedFile};
use gosync_sums::{FileHasher, Md5};

use crate::source::MemorySource;

pub(crate) const BLOCK: usize = 1000;

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(len);
        bytes
    }
}

/// A target, the seeds that have some of it, and what to do.
pub(crate) struct Case {
    pub(crate) target: Vec<u8>,
    pub(crate) seeds: Vec<Vec<u8>>,
    pub(crate) plan: Plan,
    pub(crate) sums: BlockSums,
    pub(crate) file_hash: Option<FileHash>,
}

impl Case {
    /// A mix of all steps in which each kind comes as often as its weight says.
    pub(crate) fn random(seed: u64, length: usize, block_size: u32, [copy, fetch, repeat]: [usize; 3]) -> Self {
        Self::cut(seed, BlockLayout::new(length as u64, block_size).unwrap().into(), [copy, fetch, repeat])
    }

    /// The same with blocks of several sizes: `block_size`, or parts or multiples of it.
    pub(crate) fn uneven(seed: u64, length: usize, block_size: u32, weights: [usize; 3]) -> Self {
        let mut random = Random(seed);
        let mut bounds = vec![0];
        let mut end = 0;
        while end < length as u64 {
            let size = u64::from(block_size) * [1, 1, 2, 8, 16, 64][random.below(6)] / [1, 8][random.below(2)];
            end = (end + size.max(1)).min(length as u64);
            bounds.push(end);
        }
        Self::cut(seed, Cut::at(bounds), weights)
    }

    fn cut(seed: u64, layout: Cut, [copy, fetch, repeat]: [usize; 3]) -> Self {
        let mut random = Random(seed);
        let mut plan = Plan::new(layout.clone());
        let mut target = Vec::new();
        let mut seeds = vec![Vec::new(), Vec::new()];
        let mut fetched: Vec<BlockId> = Vec::new();
        for block in layout.blocks().iter() {
            let len = layout.block_len(block);
            let kind = random.below(copy + fetch + repeat);
            let of = (!fetched.is_empty()).then(|| fetched[random.below(fetched.len())]);
            if kind < copy {
                let id = random.below(2);
                let gap = random.below(4) / 3 * random.below(100);
                seeds[id].extend(random.bytes(gap));
                plan.copy(block, SeedId(id as u16), seeds[id].len() as u64);
                let data = random.bytes(len);
                seeds[id].extend(&data);
                target.extend(data);
            } else if let Some(of) = of.filter(|&of| kind < copy + repeat && layout.block_len(of) == len) {
                plan.repeat(block, of);
                let range = layout.range(of);
                target.extend_from_within(range.start as usize..range.end as usize);
            } else {
                plan.fetch(block);
                fetched.push(block);
                let is_zero = random.below(5) == 0;
                target.extend(if is_zero { vec![0; len] } else { random.bytes(len) });
            }
        }
        Self::new(target, seeds, plan)
    }

    pub(crate) fn new(target: Vec<u8>, seeds: Vec<Vec<u8>>, plan: Plan) -> Self {
        let blocks = plan.cut().blocks().iter().map(|block| plan.cut().range(block));
        let sums = blocks
            .flat_map(|range| Md5::full().sum(&target[range.start as usize..range.end as usize]).as_bytes().to_vec());
        let sums = BlockSums::new(plan.cut().clone(), sums.collect(), Arc::new(Md5::full())).unwrap();
        let file_hash = Some(FileHasher::hash(&target));
        Self { target, seeds, plan, sums, file_hash }
    }

    /// Everything is fetched.
    pub(crate) fn fetched(target: Vec<u8>, block_size: u32) -> Self {
        let layout = BlockLayout::new(target.len() as u64, block_size).unwrap();
        Self::new(target, Vec::new(), Plan::fetch_all(layout))
    }

    /// Everything is copied from `offset` of a seed that is longer.
    pub(crate) fn copied(target: Vec<u8>, block_size: u32, offset: usize) -> Self {
        let layout = BlockLayout::new(target.len() as u64, block_size).unwrap();
        let mut plan = Plan::new(layout);
        for block in layout.blocks().iter() {
            plan.copy(block, SeedId(0), offset as u64 + layout.range(block).start);
        }
        let seed = [&Random(1).bytes(offset), target.as_slice(), b"more"].concat();
        Self::new(target, vec![seed], plan)
    }

    pub(crate) fn with<T>(
        &self,
        source: &dyn Source,
        progress: &dyn Progress,
        patch: impl FnOnce(Patch<'_>) -> T,
    ) -> T {
        let seeds: Vec<&dyn ReadAt> = self.seeds.iter().map(|seed| seed as &dyn ReadAt).collect();
        self.with_seeds(&seeds, source, progress, patch)
    }

    pub(crate) fn with_seeds<T>(
        &self,
        seeds: &[&dyn ReadAt],
        source: &dyn Source,
        progress: &dyn Progress,
        patch: impl FnOnce(Patch<'_>) -> T,
    ) -> T {
        let (plan, sums, file_hash) = (&self.plan, &self.sums, self.file_hash);
        patch(Patch { plan, sums, file_hash, seeds, source, progress })
    }

    pub(crate) fn to_stream(&self, source: &dyn Source) -> Result<(Vec<u8>, Report), PatchError> {
        let mut out = Vec::new();
        let report = self.with(source, &(), |patch| patch.write_to_stream(&mut out))?;
        Ok((out, report))
    }

    /// Patches and commits.
    pub(crate) fn to_file(&self, source: &dyn Source, path: &Path) -> Result<Report, PatchError> {
        self.with(source, &(), |patch| write(patch, path))
    }

    /// Patches to a file and to a stream, and compares.
    pub(crate) fn check(&self, source: &dyn Source) -> Report {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target");
        let report = self.to_file(source, &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == self.target, "the file is the target");
        assert_eq!(names(directory.path()), ["target"]);
        assert_eq!(report.copied + report.repeated + report.fetched, self.target.len() as u64);

        let (streamed, report) = self.to_stream(source).unwrap();
        assert!(streamed == self.target, "the stream is the target");
        assert_eq!(report.copied + report.repeated + report.fetched, self.target.len() as u64);
        report
    }
}

pub(crate) fn write(patch: Patch<'_>, path: &Path) -> Result<Report, PatchError> {
    let mut output = StagedFile::create(path).unwrap();
    let report = patch.write_to_file(&mut output)?;
    output.commit().unwrap();
    Ok(report)
}

/// What is in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs `patch` where an old file stands, which must survive, and nothing else.
pub(crate) fn fails(case: &Case, source: &MemorySource, progress: &dyn Progress) -> PatchError {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("target");
    std::fs::write(&path, "old").unwrap();
    let error = case.with(source, progress, |patch| write(patch, &path)).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(names(directory.path()), ["target"]);
    error
}

pub(crate) fn corrupt_ranges(error: PatchError) -> Vec<ByteRange> {
    match error {
        PatchError::Corrupt { ranges } => ranges,
        other => panic!("{other:?}"),
    }
}
