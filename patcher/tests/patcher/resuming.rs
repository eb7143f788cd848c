//! A run that ended anywhere is gone on with: nothing that stands is asked for again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{BlockRange, ByteRange, Progress, ReadAt, Step, is_zeros};
use gosync_patcher::{PatchError, Report, StageError, StagedFile, TargetId};
use tempfile::TempDir;

use crate::case::{Case, Random, names};
use crate::source::{MemorySource, NoSource};

const BLOCK: usize = 1000;

/// A directory with an old file, and perhaps what a run has left.
struct Site {
    directory: TempDir,
    path: PathBuf,
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target");
        fs::write(&path, "old").unwrap();
        Self { directory, path }
    }

    fn part(&self) -> PathBuf {
        self.directory.path().join(".target.gosync-part")
    }

    fn journal(&self) -> PathBuf {
        self.directory.path().join(".target.gosync-journal")
    }

    fn stage(&self, case: &Case) -> StagedFile {
        StagedFile::resume(&self.path, TargetId::of(&case.sums, case.file_hash)).unwrap()
    }

    /// A run that leaves all as it is where it fails, as a kill does.
    fn run(&self, case: &Case, source: &MemorySource, progress: &dyn Progress) -> Result<Report, PatchError> {
        let mut staged = self.stage(case);
        assert!(staged.take_leftover().is_none(), "it is gone on with");
        match case.with(source, progress, |patch| patch.write_to_file(&mut staged)) {
            Ok(report) => {
                staged.commit().unwrap();
                Ok(report)
            }
            Err(error) => {
                staged.keep();
                assert_eq!(fs::read(&self.path).unwrap(), b"old");
                assert_eq!(names(self.directory.path()), [".target.gosync-journal", ".target.gosync-part", "target"]);
                Err(error)
            }
        }
    }

    /// Goes on, and checks that this asks for exactly what does not stand yet.
    fn finish(&self, case: &Case) -> Report {
        let (standing, absent) = self.standing(case);
        let source = MemorySource::new(&case.target);
        let report = self.run(case, &source, &()).unwrap();
        assert!(fs::read(&self.path).unwrap() == case.target);
        assert_eq!(names(self.directory.path()), ["target"]);
        assert_eq!(report.kept, standing);
        assert_eq!(source.calls.into_inner().unwrap().concat(), absent);
        assert_eq!(report.copied + report.repeated + report.fetched + report.kept, case.target.len() as u64);
        report
    }

    /// How many bytes stand in whole blocks, and the ranges that have to be fetched.
    fn standing(&self, case: &Case) -> (u64, Vec<ByteRange>) {
        let mut part = fs::read(self.part()).unwrap_or_default();
        let is_fresh = part.is_empty();
        part.resize(case.target.len(), 0);
        let layout = case.plan.cut();
        let bytes = |block| {
            let range = layout.range(block);
            range.start as usize..range.end as usize
        };
        // What is not right is cleared, and then zeros are.
        let stands = |&block: &_| {
            let target = &case.target[bytes(block)];
            !is_fresh && (part[bytes(block)] == *target || is_zeros(target))
        };
        let standing = layout.blocks().iter().filter(stands).map(|block| bytes(block).len() as u64).sum();
        let fetched = case.plan.steps().iter().filter_map(|step| match step {
            Step::Fetch { blocks } => Some(*blocks),
            _ => None,
        });
        let mut absent: Vec<ByteRange> = Vec::new();
        for block in fetched.flat_map(BlockRange::iter).filter(|block| !stands(block)) {
            let range = layout.range(block);
            match absent.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => absent.push(range),
            }
        }
        (standing, absent)
    }
}

/// Ends a run when it asks for the so-manieth time whether to stop.
struct StopsAt(AtomicU64);

impl StopsAt {
    fn new(questions: u64) -> Self {
        Self(AtomicU64::new(questions))
    }
}

impl Progress for StopsAt {
    fn is_cancelled(&self) -> bool {
        let left = |left: u64| Some(left.saturating_sub(1));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).unwrap() == 0
    }
}

#[test]
fn wherever_a_run_ends() {
    let case = Case::uneven(20, 60 * BLOCK + 7, BLOCK as u32, [2, 3, 1]);
    let mut kept = Vec::new();
    for questions in 0.. {
        let site = Site::new();
        let source = MemorySource { fragment: 1500, threads: 2, shuffled: true, ..MemorySource::new(&case.target) };
        match site.run(&case, &source, &StopsAt::new(questions)) {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, PatchError::Cancelled(_)), "{error:?}"),
        }
        kept.push(site.finish(&case).kept);
    }
    assert!(kept.len() > 20, "{} places to stop at", kept.len());
    assert!(kept.contains(&(case.target.len() as u64)), "all of it, before it was verified: {kept:?}");
}

#[test]
fn wherever_a_resumed_run_ends() {
    let case = Case::random(21, 60 * BLOCK + 7, BLOCK as u32, [2, 3, 1]);
    let source = || MemorySource { fragment: 1500, ..MemorySource::new(&case.target) };
    for questions in 0.. {
        let site = Site::new();
        let half = MemorySource { fails_after: Some(case.plan.fetched_bytes() / 2), ..source() };
        site.run(&case, &half, &()).unwrap_err();
        let before = site.standing(&case);
        if site.run(&case, &source(), &StopsAt::new(questions)).is_ok() {
            break;
        }
        assert!(site.standing(&case).0 >= before.0, "nothing is lost");
        site.finish(&case);
    }
}

#[test]
fn however_often_the_source_breaks_down() {
    let case = Case::random(22, 2000 * BLOCK, BLOCK as u32, [1, 3, 1]);
    let (site, mut random, mut delivered, mut runs) = (Site::new(), Random(1), 0, 0);
    loop {
        let fails_after = Some(random.below(200 * BLOCK) as u64);
        let source = MemorySource { fails_after, shuffled: true, ..MemorySource::new(&case.target) };
        let done = site.run(&case, &source, &());
        delivered += source.delivered.into_inner();
        runs += 1;
        if done.is_ok() {
            break;
        }
    }
    assert!(fs::read(&site.path).unwrap() == case.target);
    // Each time it is the last fragments, and what was in memory of blocks in halves.
    let in_memory = runs * 200 * BLOCK as u64 / 5;
    assert!(runs > 5 && delivered < case.plan.fetched_bytes() + in_memory, "{delivered} bytes in {runs} runs");
}

#[test]
fn whatever_happened_to_the_file_meanwhile() {
    let case = Case::uneven(23, 200 * BLOCK + 7, BLOCK as u32, [1, 3, 1]);
    for seed in 0..40 {
        let (site, mut random) = (Site::new(), Random(seed));
        let source = MemorySource { fails_after: Some(60_000), ..MemorySource::new(&case.target) };
        site.run(&case, &source, &()).unwrap_err();
        let mut part = fs::read(site.part()).unwrap();
        let at = random.below(part.len());
        match seed % 5 {
            // Not written back before the power failed.
            0 => part[at..].fill(0),
            1 => part.truncate(at),
            2 => part.extend(random.bytes(5000)),
            3 => (0..50).for_each(|_| part[random.below(200 * BLOCK)] ^= 1),
            _ => part = random.bytes(200 * BLOCK),
        }
        // The file itself stays: it is another one's otherwise.
        fs::write(site.part(), part).unwrap();
        site.finish(&case);
    }
}

#[test]
fn what_is_complete_is_only_verified() {
    let case = Case::random(24, 100 * BLOCK, BLOCK as u32, [1, 1, 1]);
    let site = Site::new();
    site.stage(&case).keep();
    fs::write(site.part(), &case.target).unwrap();
    let mut staged = site.stage(&case);
    let report = case.with(&NoSource, &(), |patch| patch.write_to_file(&mut staged)).unwrap();
    staged.commit().unwrap();
    assert_eq!((report.kept, report.copied, report.fetched), (100 * BLOCK as u64, 0, 0));
    assert!(fs::read(&site.path).unwrap() == case.target);
}

#[test]
fn what_has_nothing_fetched_is_not_worth_keeping() {
    let case = Case::random(25, 50 * BLOCK, BLOCK as u32, [1, 1, 0]);
    let site = Site::new();
    for (fails_after, has_fetched) in [(0, false), (5_000, true), (0, true)] {
        let source = MemorySource { fails_after: Some(fails_after), fragment: 2000, ..MemorySource::new(&case.target) };
        let mut staged = site.stage(&case);
        case.with(&source, &(), |patch| patch.write_to_file(&mut staged)).unwrap_err();
        assert_eq!(staged.has_fetched(), has_fetched);
        staged.keep();
    }
}

/// What is left for the next run where `spoil` was at it.
fn leftover_after(spoil: impl FnOnce(&Site)) -> (Site, Case, StagedFile) {
    let case = Case::fetched(Random(26).bytes(20 * BLOCK), BLOCK as u32);
    let site = Site::new();
    let source = MemorySource { fails_after: Some(10_000), fragment: 1, ..MemorySource::new(&case.target) };
    site.run(&case, &source, &()).unwrap_err();
    spoil(&site);
    let mut staged = site.stage(&case);
    let leftover = staged.take_leftover().expect("it is not gone on with");
    assert_eq!(leftover.size(), 20 * BLOCK as u64);
    let mut start = vec![0; 9000];
    leftover.read_exact_at(0, &mut start).unwrap();
    assert!(start == case.target[..9000]);
    assert_eq!(staged.file().metadata().unwrap().len(), 0);
    (site, case, staged)
}

fn finish_all(site: &Site, case: &Case, mut staged: StagedFile) {
    case.with(&MemorySource::new(&case.target), &(), |patch| patch.write_to_file(&mut staged)).unwrap();
    staged.commit().unwrap();
    assert!(fs::read(&site.path).unwrap() == case.target);
    assert!(!site.journal().exists() && !site.part().exists());
}

#[test]
fn what_was_to_be_something_else_is_a_seed() {
    let other = Case::fetched(Random(27).bytes(20 * BLOCK), BLOCK as u32);
    let no_hash = |case: &Case| TargetId::of(&case.sums, None);
    assert_ne!(no_hash(&other), TargetId::of(&other.sums, other.file_hash));
    let (site, case, staged) = leftover_after(|site| {
        let journal = fs::read(site.journal()).unwrap();
        let elsewhere = Site::new();
        elsewhere.stage(&other).keep();
        fs::copy(elsewhere.journal(), site.journal()).unwrap();
        assert_ne!(fs::read(site.journal()).unwrap(), journal);
    });
    finish_all(&site, &case, staged);
}

#[test]
fn what_has_no_sound_journal_is_a_seed() {
    for cut in [0, 1, 15, 16, 47, 48, 63] {
        let (site, case, staged) = leftover_after(|site| {
            let journal = fs::read(site.journal()).unwrap();
            fs::write(site.journal(), &journal[..cut]).unwrap();
        });
        // It has one now.
        staged.keep();
        site.finish(&case);
    }
    let (site, case, staged) = leftover_after(|site| fs::remove_file(site.journal()).unwrap());
    finish_all(&site, &case, staged);
}

#[test]
fn no_journal_is_left_alone() {
    let site = Site::new();
    fs::write(site.journal(), "of a run whose file is gone").unwrap();
    drop(StagedFile::create(&site.path).unwrap());
    assert_eq!(names(site.directory.path()), ["target"]);
}

#[test]
fn a_journal_that_cannot_be_written() {
    let (site, case) = (Site::new(), Case::fetched(Vec::new(), 10));
    fs::create_dir(site.journal()).unwrap();
    let error = StagedFile::resume(&site.path, TargetId::of(&case.sums, None)).unwrap_err();
    assert!(matches!(&error, StageError::Create { path, .. } if *path == site.journal()), "{error:?}");
    assert_eq!(names(site.directory.path()), [".target.gosync-journal", "target"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn linked(site: &Site) -> PathBuf {
        let other_name = site.directory.path().join("precious");
        fs::hard_link(site.part(), &other_name).unwrap();
        other_name
    }

    #[test]
    fn a_file_with_another_name_is_not_written_to() {
        let (site, case, staged) = leftover_after(|site| _ = linked(site));
        let before = fs::read(site.directory.path().join("precious")).unwrap();
        finish_all(&site, &case, staged);
        assert!(fs::read(site.directory.path().join("precious")).unwrap() == before);
    }

    #[test]
    fn a_file_of_somebody_else_is_not_written_to() {
        let is_root = Site::new();
        if std::os::unix::fs::chown(&is_root.path, Some(1234), None).is_err() {
            eprintln!("SKIPPED a_file_of_somebody_else_is_not_written_to: only root may give files away");
            return;
        }
        let give = |path: &Path| std::os::unix::fs::chown(path, Some(1234), None).unwrap();
        let (site, case, staged) = leftover_after(|site| give(&site.part()));
        finish_all(&site, &case, staged);

        // Unless the target is theirs too: then it is from a run that was about to commit.
        let site = Site::new();
        site.stage(&case).keep();
        fs::write(site.part(), &case.target[..5000]).unwrap();
        [site.part(), site.path.clone()].iter().for_each(|path| give(path));
        assert_eq!(site.finish(&case).kept, 5000);
        assert_eq!(fs::metadata(&site.path).unwrap().uid(), 1234);
    }

    #[test]
    fn a_link_is_no_journal() {
        let (site, case, staged) = leftover_after(|site| {
            let elsewhere = site.directory.path().join("journal");
            fs::rename(site.journal(), &elsewhere).unwrap();
            symlink(elsewhere, site.journal()).unwrap();
        });
        assert!(site.directory.path().join("journal").exists() && !site.journal().is_symlink());
        finish_all(&site, &case, staged);
    }

    #[test]
    fn a_resumed_file_is_its_owners_alone() {
        let case = Case::fetched(Random(28).bytes(20 * BLOCK), BLOCK as u32);
        let site = Site::new();
        site.run(&case, &MemorySource { fails_after: Some(10_000), ..MemorySource::new(&case.target) }, &())
            .unwrap_err();
        fs::set_permissions(site.part(), fs::Permissions::from_mode(0o664)).unwrap();
        let staged = site.stage(&case);
        assert_eq!(staged.file().metadata().unwrap().mode() & 0o777, 0o600);
        staged.keep();
        site.finish(&case);
    }

    #[test]
    fn holes_stay_holes() {
        const MEBIBYTE: usize = 1 << 20;
        let mut target = vec![0; 16 * MEBIBYTE];
        target[4 * MEBIBYTE..5 * MEBIBYTE].copy_from_slice(&Random(29).bytes(MEBIBYTE));
        let case = Case::fetched(target, 4096);
        let site = Site::new();
        site.stage(&case).keep();
        // What is wrong is punched out again where the file system can.
        fs::write(site.part(), Random(30).bytes(16 * MEBIBYTE)).unwrap();
        assert_eq!(site.finish(&case).fetched, MEBIBYTE as u64);
        if cfg!(target_os = "linux") {
            let on_disk = fs::metadata(&site.path).unwrap().blocks() * 512;
            assert!(on_disk < 2 * MEBIBYTE as u64, "{on_disk} bytes");
        }
    }
}
