//! Seeds that are files: holes, copies in the kernel, shared extents.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use gosync_chunks::{BlockId, BlockLayout, Plan, ReadAt, SeedId};
use gosync_files::LocalFile;
use gosync_patcher::StagedFile;

use crate::case::{Case, Random, write};
use crate::source::{MemorySource, NoSource};

/// Bytes that a file takes up on disk.
#[cfg(unix)]
fn used(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(&fs::metadata(path).unwrap()) * 512
}

#[test]
fn copies_from_files_at_any_offset() {
    let directory = tempfile::tempdir().unwrap();
    for (at, (weights, length)) in
        [([9, 1, 1], 5 << 20), ([1, 1, 1], 3_000_001), ([50, 1, 0], 40 << 20)].into_iter().enumerate()
    {
        let case = Case::random(at as u64, length, 4096, weights);
        let files: Vec<LocalFile> = (0..2)
            .map(|seed| {
                let path = directory.path().join(format!("seed-{seed}"));
                fs::write(&path, &case.seeds[seed]).unwrap();
                LocalFile::open(&path).unwrap()
            })
            .collect();
        let source = MemorySource::new(&case.target);
        let path = directory.path().join("target");
        let report = case.with_seeds(&[&files[0], &files[1]], &source, &(), |patch| write(patch, &path)).unwrap();
        assert_eq!(report.copied, case.plan.copied_bytes());
        assert!(fs::read(&path).unwrap() == case.target);
    }
}

#[test]
fn the_seed_is_the_output() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let case = Case::copied(Random(1).bytes(3_000_000), 4096, 1234);
    fs::write(&path, &case.seeds[0]).unwrap();
    let seed = LocalFile::open(&path).unwrap();
    let mut output = StagedFile::create(&path).unwrap();
    case.with_seeds(&[&seed], &NoSource, &(), |patch| patch.write_to_file(&mut output)).unwrap();
    assert!(fs::read(&path).unwrap() == case.seeds[0], "untouched before the commit");
    output.commit().unwrap();
    assert!(fs::read(&path).unwrap() == case.target);
}

#[cfg(unix)]
#[test]
fn holes_stay_holes() {
    use std::os::unix::fs::FileExt;
    let directory = tempfile::tempdir().unwrap();
    let seed_path = directory.path().join("seed");
    let seed = File::create(&seed_path).unwrap();
    seed.set_len(64 << 20).unwrap();
    for at in [0, 20 << 20, (40 << 20) + 5000] {
        seed.write_all_at(&Random(at).bytes(100_000), at).unwrap();
    }
    if used(&seed_path) > 8 << 20 {
        eprintln!("SKIPPED holes_stay_holes: the file system makes none");
        return;
    }

    let case = Case::copied(fs::read(&seed_path).unwrap(), 4096, 0);
    let seed = LocalFile::open(&seed_path).unwrap();
    let path = directory.path().join("target");
    let report = case.with_seeds(&[&seed], &NoSource, &(), |patch| write(patch, &path)).unwrap();
    assert_eq!(report.copied, 64 << 20);
    assert!(fs::read(&path).unwrap() == case.target);
    assert!(used(&path) < 1 << 20, "{} bytes in use", used(&path));

    // Zeros that come from a source are holes as well, once and repeated.
    let layout = case.plan.cut();
    let mut plan = Plan::new(layout.clone());
    for block in layout.blocks().iter() {
        let range = layout.range(block);
        let is_zero = case.target[range.start as usize..range.end as usize].iter().all(|&byte| byte == 0);
        if block.0 > 100 && is_zero { plan.repeat(block, BlockId(100)) } else { plan.fetch(block) }
    }
    for plan in [Plan::fetch_all(layout.clone()), plan] {
        let case = Case::new(case.target.clone(), Vec::new(), plan);
        let source = MemorySource { fragment: 1 << 20, ..MemorySource::new(&case.target) };
        case.to_file(&source, &path).unwrap();
        assert!(fs::read(&path).unwrap() == case.target);
        assert!(used(&path) < 1 << 20, "{} bytes in use", used(&path));
    }
}

#[test]
fn zeros_replace_what_a_changed_seed_had() {
    let mut target = Random(2).bytes(10 * 4096);
    target[4096..3 * 4096].fill(0);
    let mut case = Case::copied(target, 4096, 0);
    case.seeds[0][4096..3 * 4096].fill(1);
    let report = case.check(&MemorySource::new(&case.target));
    assert_eq!(report.fetched, 2 * 4096);
}

#[test]
fn repeats_that_are_long_and_far_apart() {
    const B: usize = 4096;
    let block = Random(3).bytes(B);
    let layout = BlockLayout::new(2000 * B as u64 + 7, B as u32).unwrap();
    let mut plan = Plan::new(layout);
    let mut target = Vec::new();
    for id in layout.blocks().iter() {
        match id.0 {
            1..700 | 900..1999 => {
                plan.repeat(id, BlockId(0));
                target.extend(&block);
            }
            0 => {
                plan.fetch(id);
                target.extend(&block);
            }
            other => {
                plan.fetch(id);
                target.extend(Random(other.into()).bytes(layout.block_len(id)));
            }
        }
    }
    let case = Case::new(target, Vec::new(), plan);
    let report = case.check(&MemorySource::new(&case.target));
    assert_eq!(report.repeated, (699 + 1099) * B as u64);
}

#[test]
fn seeds_of_both_kinds() {
    let directory = tempfile::tempdir().unwrap();
    let target = Random(4).bytes(2 << 20);
    fs::write(directory.path().join("seed"), &target[..1 << 20]).unwrap();
    let file = LocalFile::open(&directory.path().join("seed")).unwrap();
    let memory = target[1 << 20..].to_vec();
    let layout = BlockLayout::new(target.len() as u64, 8192).unwrap();
    let mut plan = Plan::new(layout);
    for id in layout.blocks().iter() {
        let start = layout.range(id).start;
        if start < 1 << 20 { plan.copy(id, SeedId(0), start) } else { plan.copy(id, SeedId(1), start - (1 << 20)) }
    }
    let case = Case::new(target, Vec::new(), plan);
    let path = directory.path().join("target");
    let seeds: [&dyn ReadAt; 2] = [&file, &memory];
    case.with_seeds(&seeds, &NoSource, &(), |patch| write(patch, &path)).unwrap();
    let mut made = Vec::new();
    File::open(&path).unwrap().read_to_end(&mut made).unwrap();
    assert!(made == case.target);
}

/// A file system that shares extents, in a file.
#[cfg(target_os = "linux")]
struct SharingDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SharingDisk {
    fn mount() -> Option<Self> {
        use std::process::Command;
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("image");
        File::create(&image).unwrap().set_len(256 << 20).unwrap();
        let succeeds = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let is_made = succeeds(Command::new("mkfs.btrfs").arg(&image));
        let mount_point = directory.path().join("mounted");
        fs::create_dir(&mount_point).unwrap();
        let is_mounted = is_made && succeeds(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mount_point));
        is_mounted.then(|| Self(directory))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SharingDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path().join("mounted")).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn extents_are_shared_where_they_can_be() {
    let Some(disk) = SharingDisk::mount() else {
        eprintln!("SKIPPED extents_are_shared_where_they_can_be: no btrfs can be made and mounted here");
        return;
    };
    let directory = disk.0.path().join("mounted");
    let cluster = 4096;
    let target = Random(5).bytes((41 << 20) + 100);
    let copied = |offset| Case::copied(target.clone(), 8192, offset);
    // The first block is elsewhere in the seed, so what follows begins within a cluster.
    let two_places = {
        let mut plan = Plan::new(BlockLayout::new(target.len() as u64, 1000).unwrap());
        plan.copy(BlockId(0), SeedId(0), target.len() as u64);
        (1..plan.cut().block_count()).for_each(|id| plan.copy(BlockId(id), SeedId(0), u64::from(id) * 1000));
        Case::new(target.clone(), vec![[&target, &target[..1000]].concat()], plan)
    };
    let whole = 41 << 20;
    let cases = [(copied(0), whole), (copied(3 * cluster), whole), (copied(100), 0), (two_places, whole - cluster)];
    for (case, shared) in cases {
        let seed_path = directory.join("seed");
        fs::write(&seed_path, &case.seeds[0]).unwrap();
        let seed = LocalFile::open(&seed_path).unwrap();
        let path = directory.join("target");
        let report = case.with_seeds(&[&seed], &NoSource, &(), |patch| write(patch, &path)).unwrap();
        assert_eq!((report.copied, report.reflinked), (target.len() as u64, shared as u64));
        assert!(fs::read(&path).unwrap() == case.target);

        // A seed in memory or on another file system is copied.
        let report = case.to_file(&NoSource, &path).unwrap();
        assert_eq!(report.reflinked, 0);
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        fs::write(elsewhere.path(), &case.seeds[0]).unwrap();
        let seed = LocalFile::open(elsewhere.path()).unwrap();
        let report = case.with_seeds(&[&seed], &NoSource, &(), |patch| write(patch, &path)).unwrap();
        assert_eq!(report.reflinked, 0);
        assert!(fs::read(&path).unwrap() == case.target);
    }
}
