//! Only parts of a target, where the rest is elsewhere.

use gosync_chunks::ranges::without;
use gosync_chunks::{ByteRange, ReadAt, TargetName};
use gosync_layers::format::LayeredIndex;
use gosync_patcher::StagedFile;
use gosync_publish::{Build, BuildOptions, PayloadOut};
use gosync_testkit::corpus;
use gosync_testkit::source::{Fault, FaultySource, MemorySource, RecordingSource};
use gosync_update::{Error, LayeredTarget, Target, Update, UpdateReport};

use crate::targets::{BLOCK, seeds};

const LENGTH: u64 = 3_000_000;

/// Its index, and what is published of it.
fn publish(data: &[u8], compress: Option<i32>) -> (LayeredIndex, Vec<u8>) {
    let options = BuildOptions { block_sizes: vec![1 << 18, 16_384, 2048, BLOCK as u32], compress };
    let target = data.to_vec();
    let build =
        Build { target: &target, called: "it", name: None, sections: Vec::new(), options: &options, progress: &() };
    let mut payload = Vec::new();
    let out = PayloadOut { name: TargetName::new("payload").unwrap(), out: &mut payload };
    let index = build.index(compress.map(|_| out)).unwrap();
    let published = if compress.is_some() { payload } else { data.to_vec() };
    (index, published)
}

fn ranges(of: &[(u64, u64)]) -> Vec<ByteRange> {
    let block = BLOCK as u64;
    of.iter().map(|&(start, end)| ByteRange { start: start * block, end: (end * block).min(LENGTH) }).collect()
}

/// What a caller has who has all but `wanted`.
fn all_but(data: &[u8], wanted: &[ByteRange]) -> Vec<u8> {
    let mut elsewhere = data.to_vec();
    wanted.iter().for_each(|range| elsewhere[range.start as usize..range.end as usize].fill(0xee));
    elsewhere
}

fn stage(
    target: &dyn Target,
    seed: &[&[u8]],
    source: &dyn gosync_chunks::Source,
    staged: &mut StagedFile,
) -> Result<UpdateReport, Error> {
    Update { target, seeds: &seeds(seed), source, progress: &() }.stage(staged)
}

#[test]
fn what_is_not_wanted_is_neither_asked_for_nor_written() {
    let data = corpus::text(1, LENGTH as usize);
    let all = LENGTH.div_ceil(BLOCK as u64);
    let cases: [&[(u64, u64)]; 6] = [
        &[],
        &[(0, 1)],
        &[(17, 18), (600, 640), (641, 700), (3000, 3001)],
        &[(0, all)],
        &[(all - 1, all)],
        &[(5, 4000)],
    ];
    for compress in [None, Some(3)] {
        let (index, published) = publish(&data, compress);
        for (number, case) in cases.iter().enumerate() {
            let wanted = ranges(case);
            let elsewhere = all_but(&data, &wanted);
            let target = LayeredTarget::part(&index, &wanted, &elsewhere);
            // Half of what is wanted is in a seed, at another place.
            let half: Vec<u8> = wanted
                .iter()
                .flat_map(|range| &data[range.start as usize..][..range.len() as usize / 2])
                .copied()
                .collect();
            for seed in [&[][..], &[&half[..]]] {
                let directory = tempfile::tempdir().unwrap();
                let out = directory.path().join("out");
                let source = RecordingSource::new(MemorySource::new(published.clone()));
                let mut staged = StagedFile::create(&out).unwrap();
                let report = stage(&target, seed, &source, &mut staged).unwrap();

                let bytes: u64 = wanted.iter().map(|range| range.len()).sum();
                let what = format!("{compress:?}, case {number}, {} seeds: {:?}", seed.len(), report.report);
                assert_eq!(report.output_bytes(), bytes, "{what}");
                assert_eq!(report.matched_bytes() + report.report.fetched, bytes, "{what}");
                assert!(seed.is_empty() || bytes < 4096 || report.report.copied > bytes / 3, "{what}");
                assert!(compress.is_some() || source.requested_bytes() == report.report.fetched, "{what}");
                assert!(source.requested_bytes() <= bytes * 2, "{what}");
                let made = staged.reader().unwrap();
                let read = |range: ByteRange| {
                    let mut bytes = vec![0; range.len() as usize];
                    made.read_exact_at(range.start, &mut bytes).unwrap();
                    bytes
                };
                for range in &wanted {
                    assert!(read(*range) == data[range.start as usize..range.end as usize], "{what}");
                }
                for range in without(&[ByteRange::at(0, LENGTH)], wanted.iter().copied()) {
                    assert!(read(range).iter().all(|&byte| byte == 0), "{what}: {range:?}");
                }
            }
        }
    }
}

#[test]
fn one_part_after_another_and_each_goes_on_where_it_was_interrupted() {
    let data = corpus::text(2, LENGTH as usize);
    for compress in [None, Some(3)] {
        let (index, published) = publish(&data, compress);
        let (first, second) = (ranges(&[(0, 1000)]), ranges(&[(1000, 2000), (4000, 5859)]));
        let elsewhere = all_but(&data, &[first.clone(), second.clone()].concat());
        let (one, other) =
            (LayeredTarget::part(&index, &first, &elsewhere), LayeredTarget::part(&index, &second, &data));
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let resume = || StagedFile::resume(&out, one.id()).unwrap();

        let mut staged = resume();
        stage(&one, &[], &MemorySource::new(published.clone()), &mut staged).unwrap();
        let broken = FaultySource::new(MemorySource::new(published.clone()), [Fault::BreakOnce(200_000)]);
        stage(&other, &[], &broken, &mut staged).unwrap_err();
        staged.keep();

        let source = RecordingSource::new(MemorySource::new(published.clone()));
        let mut staged = resume();
        let report = stage(&one, &[], &source, &mut staged).unwrap();
        assert_eq!((report.report.kept, report.report.fetched), (512_000, 0), "{compress:?}");
        let report = stage(&other, &[], &source, &mut staged).unwrap();
        // All frames are one call, which gives nothing where it breaks.
        assert!(compress.is_some() || report.report.kept > 0, "{:?}", report.report);
        let made = std::fs::read(staged.path()).unwrap();
        for range in first.iter().chain(&second) {
            let range = range.start as usize..range.end as usize;
            assert!(made[range.clone()] == data[range], "{compress:?}");
        }
    }
}

#[test]
fn what_is_elsewhere_and_is_wrong_is_found_out() {
    let data = corpus::text(3, LENGTH as usize);
    let (index, published) = publish(&data, Some(3));
    let wanted = ranges(&[(2000, 2001)]);
    let elsewhere = vec![1; LENGTH as usize];
    let target = LayeredTarget::part(&index, &wanted, &elsewhere);
    let directory = tempfile::tempdir().unwrap();
    let mut staged = StagedFile::create(&directory.path().join("out")).unwrap();
    let made = stage(&target, &[], &MemorySource::new(published), &mut staged);
    assert_eq!(made.unwrap_err().kind(), gosync_chunks::ErrorKind::Corrupt);
}
