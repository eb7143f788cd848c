//! The main job: comparing seeds with an index, and bringing the target about.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gosync_chunks::{BlockSums, Plan, Progress, ReadAt, Source, Transfer};
use gosync_comparer::{CompareOptions, Statistics, UnreadableSeed, compare, compare_again};
use gosync_files::LocalFile;
use gosync_index::BlockIndex;
use gosync_patcher::{Patch, PatchError, Rebuilt, Report, StagedFile, TargetId, Verdict, VerifyError, through_file};
use gosync_rollsum::RollingSum;

use crate::format::Content;
use crate::layers::{Descent, Finder, Frames, LayerReport, Zeros, descend, locate};
use crate::payload::FramedSource;
use crate::repair::repair;
use crate::{Damage, Error, Index, Trouble};

/// Old data, opened: what of the target may already be here.
#[derive(Debug, Default)]
pub struct Seeds {
    files: Vec<LocalFile>,
    missing: Vec<PathBuf>,
}

impl Seeds {
    /// Opens the files at `paths`. Those that do not exist are no error: they have
    /// nothing to offer, and [`Self::missing`] tells which they are.
    ///
    /// # Errors
    ///
    /// When a file exists but cannot be opened.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let mut seeds = Self::default();
        for path in paths {
            let path = path.as_ref();
            match LocalFile::open(path) {
                Ok(file) => seeds.files.push(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => seeds.missing.push(path.to_owned()),
                Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
            }
        }
        Ok(seeds)
    }

    /// The files that exist; a [`SeedId`](gosync_chunks::SeedId) counts through them.
    pub fn files(&self) -> &[LocalFile] {
        &self.files
    }

    /// The paths where there is no file.
    pub fn missing(&self) -> &[PathBuf] {
        &self.missing
    }

    fn data(&self) -> Vec<&dyn ReadAt> {
        self.files.iter().map(|file| file as &dyn ReadAt).collect()
    }
}

/// Finds out what of the target of `index` the seeds hold, on all threads of the
/// current rayon pool, and plans how to get the rest.
///
/// # Errors
///
/// When there are too many seeds, or `progress` cancels. Seeds that cannot be read in
/// part are reported in the result.
pub fn diff(index: &Index, seeds: &Seeds, progress: &dyn Progress) -> Result<Comparison, Error> {
    let zeros = Zeros(index.length());
    compare_with(index, usize::MAX, &with_zeros(&seeds.data(), &zeros), progress)
}

/// What a comparison found.
#[derive(Debug)]
pub struct Comparison {
    /// How to get the target. A seed after the last of those given stands for zeros.
    pub plan: Plan,
    /// The sums of the blocks of the plan.
    pub sums: BlockSums,
    /// What it took to find out.
    pub statistics: Statistics,
    /// Seeds that could not be read everywhere. What was found in the rest of them is
    /// in the plan all the same.
    pub unreadable: Vec<UnreadableSeed>,
    /// What came of each layer of the index that was asked.
    pub layers: Vec<LayerReport>,
    /// What reading sums took, after the index was opened.
    pub index_transfer: Transfer,
    /// Where what is missing lies, if the payload is compressed.
    pub(crate) frames: Option<Frames>,
}

fn with_zeros<'a>(seeds: &[&'a dyn ReadAt], zeros: &'a Zeros) -> Vec<&'a dyn ReadAt> {
    seeds.iter().copied().chain([zeros as &dyn ReadAt]).collect()
}

/// Compares with `seeds`, of which the last is zeros, by at most so many layers.
fn compare_with(
    index: &Index,
    layers: usize,
    seeds: &[&dyn ReadAt],
    progress: &dyn Progress,
) -> Result<Comparison, Error> {
    match index.content() {
        Content::Layered(layered) => {
            let found = descend(layered, seeds, layers.min(layered.layers().len()), progress)?;
            let Descent { plan, sums, statistics, unreadable, layers, transfer, frames } = found;
            Ok(Comparison { plan, sums, statistics, unreadable, layers, index_transfer: transfer, frames })
        }
        Content::GoSync { signature, .. } => {
            let lookup = BlockIndex::build(signature);
            let seeds = &seeds[..seeds.len() - 1];
            let options = CompareOptions::new(RollingSum::Rsync);
            let found = compare(signature, &lookup, seeds, &options, progress)?;
            drop(lookup);
            let parts = found.unused();
            let options = CompareOptions { overlapping: true, ..options };
            let lookup = |missing: &[bool]| BlockIndex::build_of(signature, |block| missing[block.index()]);
            let found = compare_again(found, signature, lookup, seeds, &parts, &options, progress)?;
            let blocks = u64::from(signature.layout().block_count());
            let layer = LayerReport {
                block_size: signature.layout().block_size(),
                asked: blocks,
                index_bytes: index.encoded_len(),
                matched: found.statistics.matches,
                searched: true,
            };
            Ok(Comparison {
                plan: found.plan,
                sums: signature.sums().clone(),
                statistics: found.statistics,
                unreadable: found.unreadable,
                layers: vec![layer],
                index_transfer: Transfer::default(),
                frames: None,
            })
        }
    }
}

/// What an interrupted run is known by, whatever cut of the target it came to.
fn target_id(index: &Index) -> TargetId {
    match index.content() {
        Content::Layered(layered) => TargetId::new(layered.head()),
        Content::GoSync { signature, .. } => TargetId::of(signature.sums(), None),
    }
}

/// What a patch did.
#[derive(Debug)]
pub struct PatchReport {
    /// What the seeds hold, and the plan that was made of it.
    pub comparison: Comparison,
    /// What carrying out the plan took.
    pub report: Report,
    /// What of the index was damaged, and done without.
    pub damage: Option<Damage>,
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

/// Brings the target of `index` about as the file `output`, which may be one of the
/// seeds: copies what the seeds hold, fetches the rest from `source`, verifies all of
/// it, and only then puts it in place.
///
/// When `progress` cancels or the source fails, what was fetched so far stays behind, as
/// it does after a kill, and a run with the same index goes on there. One with another
/// index takes it as one more seed.
///
/// # Errors
///
/// When the output cannot be written, the source does not deliver, or the result is
/// not what the index says. Whatever was at `output` is then still there.
pub fn patch(
    index: &Index,
    seeds: &Seeds,
    source: &dyn Source,
    output: &Path,
    progress: &dyn Progress,
) -> Result<PatchReport, Error> {
    let made = patch_with(index, usize::MAX, seeds, source, output, progress);
    let Err(error) = made else { return made };
    let damage = if error.trouble() == Trouble::Corrupt { index.damage().ok().flatten() } else { None };
    match damage {
        // What stands in the staged file already is kept.
        Some(damage @ Damage::Layer { layer, .. }) if layer > 0 => {
            let report = patch_with(index, layer, seeds, source, output, progress)?;
            Ok(PatchReport { damage: Some(damage), ..report })
        }
        _ => Err(error),
    }
}

fn patch_with(
    index: &Index,
    layers: usize,
    seeds: &Seeds,
    source: &dyn Source,
    output: &Path,
    progress: &dyn Progress,
) -> Result<PatchReport, Error> {
    let mut staged = StagedFile::resume(output, target_id(index))?;
    let leftover = staged.take_leftover();
    let mut data = seeds.data();
    data.extend(leftover.iter().map(|file| file as &dyn ReadAt));
    let unwritable = |source| Error::Write { path: staged.path().to_owned(), source };
    staged.file().set_len(index.length()).map_err(unwritable)?;
    let rebuilt = staged.reader().map_err(unwritable)?;
    let made =
        make(index, layers, &data, source, Some(&rebuilt), progress, |patch| match patch.write_to_file(&mut staged) {
            Err(PatchError::FileHash { .. }) if let Content::Layered(layered) = index.content() => {
                repair(layered, &patch, &mut staged)
            }
            done => Ok(done?),
        });
    match made {
        Ok(report) => {
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

/// Brings the target of `index` about as a stream, which cannot be taken back: every
/// block is verified before it is written, but the whole only at its end.
///
/// # Errors
///
/// As [`patch`]. What was written before an error is the beginning of the target.
pub fn patch_to_stream(
    index: &Index,
    seeds: &Seeds,
    source: &dyn Source,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<PatchReport, Error> {
    if let Content::Layered(layered) = index.content()
        && layered.payload().is_some()
    {
        // Frames are decoded with what stands before them.
        return through_file(out, |path| patch(index, seeds, source, path, progress));
    }
    make(index, usize::MAX, &seeds.data(), source, None, progress, |patch| Ok(patch.write_to_stream(out)?))
}

fn make(
    index: &Index,
    layers: usize,
    seeds: &[&dyn ReadAt],
    source: &dyn Source,
    rebuilt: Option<&LocalFile>,
    progress: &dyn Progress,
    carry_out: impl FnOnce(Patch<'_>) -> Result<Report, Error>,
) -> Result<PatchReport, Error> {
    let zeros = Zeros(index.length());
    let seeds = &with_zeros(seeds, &zeros);
    let comparison = compare_with(index, layers, seeds, progress)?;
    let patch = |source: &dyn Source| {
        carry_out(Patch {
            plan: &comparison.plan,
            sums: &comparison.sums,
            file_hash: index.file_hash(),
            seeds,
            source,
            progress,
        })
    };
    let report = match (&comparison.frames, rebuilt) {
        (Some(frames), Some(rebuilt)) if let Content::Layered(index) = index.content() => {
            let rebuilt = Rebuilt::new(rebuilt, &comparison.plan);
            let finder = Finder { frames, index };
            let framed = FramedSource::new(source, frames.extents.clone(), frames.payload.preamble.clone(), &rebuilt)
                .with_finder(&finder)
                .with_repeated(rebuilt.repeated());
            patch(&framed)
        }
        _ => patch(source),
    }?;
    Ok(PatchReport { comparison, report, damage: None })
}

/// Checks whether the file at `path` is the target of `index`, and where it is not.
///
/// # Errors
///
/// When the file cannot be read, or `progress` cancels.
pub fn verify(path: &Path, index: &Index, progress: &dyn Progress) -> Result<Verdict, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let file = LocalFile::open(path).map_err(read)?;
    let failed = |error| match error {
        VerifyError::Read(source) => read(source),
        source => Error::Verify { path: path.to_owned(), source },
    };
    match index.content() {
        Content::Layered(layered) => locate(&file, layered, progress, failed),
        Content::GoSync { signature, .. } => {
            gosync_patcher::verify(&file, signature.sums(), None, progress).map_err(failed)
        }
    }
}

/// Writes `index` to the file at `path`, which it replaces only when it is complete.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_index(index: &Index, path: &Path) -> Result<(), Error> {
    write_file(path, |writer| index.write(writer))
}

/// Writes to a file, which is replaced only when it is complete.
pub(crate) fn write_file(path: &Path, write: impl Fn(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let staged = StagedFile::create(path)?;
    write(&mut staged.file()).map_err(|source| Error::Write { path: staged.path().to_owned(), source })?;
    Ok(staged.commit()?)
}
