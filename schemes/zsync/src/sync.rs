//! The main job: comparing seeds with a control file, and bringing the target about.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gosync_chunks::{BlockRange, Plan, Progress, ReadAt, Source, Step};
use gosync_comparer::Comparison;
use gosync_files::LocalFile;
use gosync_patcher::{Patch, PatchError, Rebuilt, Report, StagedFile, TargetId, Verdict, VerifyError, through_file};

use crate::file_digest::Hashing;
use crate::matching::search;
use crate::{Control, Error, FileDigest, Published};

/// More places for a target than this are not tried.
const MOST_PLACES: usize = 16;

/// How to bring a target about.
#[derive(Clone, Copy, Debug, Default)]
pub struct PatchOptions {
    /// Keeps the file that is replaced, as `NAME.zs-old`.
    pub keep_old: bool,
}

/// What a patch did.
#[derive(Debug)]
pub struct PatchReport {
    /// What the seeds hold, and the plan that was made of it.
    pub comparison: Comparison,
    /// What carrying out the plan took.
    pub report: Report,
}

impl PatchReport {
    /// Length of the target in bytes.
    pub fn output_bytes(&self) -> u64 {
        self.comparison.plan.cut().length()
    }

    /// Bytes of the target that were not fetched: copied, equal to others, or there from
    /// a run that was interrupted.
    pub fn matched_bytes(&self) -> u64 {
        self.report.copied + self.report.repeated + self.report.kept
    }
}

/// Finds out what of the target of `control` the seeds hold, on all threads of the current
/// rayon pool, and plans how to get the rest.
///
/// # Errors
///
/// When there are too many seeds, or `progress` cancels. Seeds that cannot be read in part
/// are reported in the result.
pub fn diff(control: &Control, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error> {
    Ok(search(control, seeds, progress)?)
}

/// Brings the target of `control` about as the file `output`, which may be one of the
/// seeds: copies what the seeds hold, fetches the rest from `source`, verifies blocks and
/// the whole, and only then puts it in place, with the date that the control file gives.
///
/// When `progress` cancels or the source fails, what was fetched so far stays behind, and
/// a run with the same control file goes on there.
///
/// # Errors
///
/// When the output cannot be written, the source does not deliver, or the result is not
/// what the control file says. Whatever was at `output` is then still there.
pub fn patch(
    control: &Control,
    seeds: &[&dyn ReadAt],
    source: &Published<'_>,
    output: &Path,
    options: &PatchOptions,
    progress: &dyn Progress,
) -> Result<PatchReport, Error> {
    let mut staged = StagedFile::resume(output, TargetId::of(control.signature.sums(), None))?;
    let leftover = staged.take_leftover();
    let mut seeds = seeds.to_vec();
    seeds.extend(leftover.iter().map(|file| file as &dyn ReadAt));
    let made = make(control, &seeds, source, &mut staged, progress);
    match made {
        Ok(report) => {
            prepare(control, &staged, options)?;
            staged.commit()?;
            Ok(report)
        }
        Err(error) => {
            if staged.has_fetched() && error.is_resumable() {
                staged.keep();
            }
            Err(error)
        }
    }
}

/// Brings the target of `control` about as a stream, which cannot be taken back: every
/// block is verified before it is written, but the whole only at its end.
///
/// # Errors
///
/// As [`patch`]. What was written before an error is the beginning of the target, unless
/// it is [`Error::Digest`].
pub fn patch_to_stream(
    control: &Control,
    seeds: &[&dyn ReadAt],
    source: &Published<'_>,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<PatchReport, Error> {
    if source.wants_rebuilt(control) {
        // Pieces of a gzip file are decoded with what stands before them.
        let options = PatchOptions::default();
        return through_file(out, |path| patch(control, seeds, source, path, &options, progress));
    }
    let comparison = search(control, seeds, progress)?;
    let mut hashing = Hashing::new(out, &control.digests);
    let source = source.source(control, &comparison.plan.fetch_ranges(), None);
    let report = patch_of(control, &comparison.plan, seeds, &source, progress).write_to_stream(&mut hashing)?;
    let actual = hashing.finish();
    for &expected in &control.digests {
        let found = actual.iter().find(|actual| actual.algorithm() == expected.algorithm());
        if let Some(&actual) = found.filter(|&&actual| actual != expected) {
            return Err(Error::Digest { expected, actual });
        }
    }
    Ok(PatchReport { comparison, report })
}

/// Checks whether the file at `path` is the target of `control`, and where it is not. Also
/// tells whether all is well with the blocks, and yet a hash of the whole does not hold.
///
/// # Errors
///
/// When the file cannot be read, or `progress` cancels.
pub fn verify(path: &Path, control: &Control, progress: &dyn Progress) -> Result<(Verdict, Option<FileDigest>), Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let file = LocalFile::open(path).map_err(read)?;
    let verdict =
        gosync_patcher::verify(&file, control.signature.sums(), None, progress).map_err(|error| match error {
            VerifyError::Read(source) => read(source),
            source => Error::Verify { path: path.to_owned(), source },
        })?;
    let wrong = if verdict.is_good() { wrong_digest(control, &file, path, progress)? } else { None };
    Ok((verdict, wrong.map(|(_, actual)| actual)))
}

fn patch_of<'a>(
    control: &'a Control,
    plan: &'a Plan,
    seeds: &'a [&'a dyn ReadAt],
    source: &'a dyn Source,
    progress: &'a dyn Progress,
) -> Patch<'a> {
    Patch { plan, sums: control.signature.sums(), file_hash: None, seeds, source, progress }
}

fn make(
    control: &Control,
    seeds: &[&dyn ReadAt],
    published: &Published<'_>,
    staged: &mut StagedFile,
    progress: &dyn Progress,
) -> Result<PatchReport, Error> {
    let comparison = search(control, seeds, progress)?;
    let plan = &comparison.plan;
    let length = plan.cut().length();
    let unwritable = |source| Error::Prepare { path: staged.path().to_owned(), source };
    staged.file().set_len(length).map_err(unwritable)?;
    let file = staged.reader().map_err(unwritable)?;
    let rebuilt = Rebuilt::new(&file, plan);
    let source = published.source(control, &plan.fetch_ranges(), Some(&rebuilt));
    let patch = patch_of(control, plan, seeds, &source, progress);
    let mut report = patch.write_to_file(staged)?;
    let Some(mut wrong) = wrong_in(control, staged, progress)? else {
        return Ok(PatchReport { comparison, report });
    };
    let layout = control.signature.layout();
    let size = u64::from(layout.block_size());
    if layout.short_block().is_none()
        && let Ok(Some(actual)) = published.size()
        && (length + 1..length + size).contains(&actual)
    {
        return Err(Error::LostTail { length, actual });
    }
    // Other bytes have the sum of some block. First the likeliest: what matched alone, then
    // all that was not fetched, and then what was, from elsewhere.
    let all = [plan.cut().blocks()];
    let not_fetched = if report.kept > 0 { all.to_vec() } else { copied(plan, u32::MAX) };
    for suspects in [copied(plan, 1), not_fetched] {
        if !suspects.is_empty() {
            refetch(&patch, &suspects, staged, &mut report)?;
            match wrong_in(control, staged, progress)? {
                None => return Ok(PatchReport { comparison, report }),
                still => wrong = still.unwrap_or(wrong),
            }
        }
    }
    for _ in 0..MOST_PLACES {
        if !source.reject(&[plan.cut().bytes(all[0])]) {
            break;
        }
        refetch(&patch, &all, staged, &mut report)?;
        match wrong_in(control, staged, progress)? {
            None => return Ok(PatchReport { comparison, report }),
            still => wrong = still.unwrap_or(wrong),
        }
    }
    let (expected, actual) = wrong;
    Err(Error::Digest { expected, actual })
}

/// The blocks that `plan` copies in runs of at most `longest`, and those that repeat others.
fn copied(plan: &Plan, longest: u32) -> Vec<BlockRange> {
    let blocks = plan.steps().iter().filter_map(|step| match *step {
        Step::Copy { target, .. } => Some(plan.cut().covering(target)),
        Step::Repeat { blocks, .. } if longest == u32::MAX => Some(blocks),
        _ => None,
    });
    let mut ranges: Vec<BlockRange> = Vec::new();
    for blocks in blocks.filter(|blocks| blocks.len() <= longest as usize) {
        match ranges.last_mut() {
            Some(last) if last.end == blocks.start => last.end = blocks.end,
            _ => ranges.push(blocks),
        }
    }
    ranges
}

fn refetch(
    patch: &Patch<'_>,
    blocks: &[BlockRange],
    staged: &mut StagedFile,
    report: &mut Report,
) -> Result<(), PatchError> {
    let again = patch.refetch(blocks, staged)?;
    report.transfer += again.transfer;
    report.refetched_blocks += again.refetched_blocks;
    // What was not fetched before is no match any more.
    let all = patch.plan.cut().length();
    report.fetched = (report.fetched + again.fetched).min(all);
    let mut matched = all - report.fetched;
    for part in [&mut report.kept, &mut report.repeated, &mut report.copied] {
        *part = matched.min(*part);
        matched -= *part;
    }
    Ok(())
}

/// The first hash that does not hold for what stands in `staged`, and what it is instead.
fn wrong_in(
    control: &Control,
    staged: &StagedFile,
    progress: &dyn Progress,
) -> Result<Option<(FileDigest, FileDigest)>, Error> {
    let path = staged.path();
    let file = staged.reader().map_err(|source| Error::Read { path: path.to_owned(), source })?;
    wrong_digest(control, &file, path, progress)
}

/// The hashes are one chain each, so they are computed side by side.
fn wrong_digest(
    control: &Control,
    file: &LocalFile,
    path: &Path,
    progress: &dyn Progress,
) -> Result<Option<(FileDigest, FileDigest)>, Error> {
    let is_cancelled = || progress.is_cancelled();
    let mut actual: Vec<io::Result<Option<FileDigest>>> = control.digests.iter().map(|_| Ok(None)).collect();
    rayon::scope(|scope| {
        for (expected, actual) in control.digests.iter().zip(&mut actual) {
            scope.spawn(move |_| *actual = expected.again(file, &is_cancelled).map(Some));
        }
    });
    for (&expected, actual) in control.digests.iter().zip(actual) {
        let actual = actual.map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted => Error::Cancelled,
            _ => Error::Read { path: path.to_owned(), source },
        })?;
        if let Some(actual) = actual.filter(|&actual| actual != expected) {
            return Ok(Some((expected, actual)));
        }
    }
    Ok(None)
}

/// The date of the new file, and the old one's second name.
fn prepare(control: &Control, staged: &StagedFile, options: &PatchOptions) -> Result<(), Error> {
    if let Some(modified) = control.modified {
        let failed = |source| Error::Prepare { path: staged.path().to_owned(), source };
        staged.file().set_modified(modified).map_err(failed)?;
    }
    if options.keep_old && staged.target().exists() {
        let old = old_path(staged.target());
        let failed = |source| Error::Prepare { path: old.clone(), source };
        match fs::remove_file(&old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // A second name where the file system has such; the first one is replaced.
        fs::hard_link(staged.target(), &old).or_else(|_| fs::copy(staged.target(), &old).map(drop)).map_err(failed)?;
    }
    Ok(())
}

fn old_path(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".zs-old");
    target.with_file_name(name)
}
