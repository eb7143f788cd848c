//! The one flow: compare, patch, verify, repair, put in place.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gosync_chunks::{ErrorKind, FileHash, Progress, ReadAt, Source, SourceError};
use gosync_files::identity::is_same;
use gosync_files::{LocalFile, Note};
use gosync_layers::descent::nodes;
use gosync_layers::format::Damage;
use gosync_patcher::{Patch, PatchError, Report, StagedFile, hidden_path, through_file};
use gosync_payloads::Rebuilt;
use gosync_sums::FileHasher;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::finish::{Finish, Finished};
use crate::seeds::Seeds;
use crate::target::{Check, StreamCheck, Target, Verified, Whole};

/// Behind the name of what is made of a target, until that is right.
const FINISHED: &str = ".gosync-finished";

/// Everything that is needed to bring a target about.
#[derive(Clone, Copy)]
pub struct Update<'a> {
    /// What to bring about.
    pub target: &'a dyn Target,
    /// What is here already.
    pub seeds: &'a Seeds,
    /// What was published of it.
    pub source: &'a dyn Source,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

/// How to make a file.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// Keeps the file that is replaced, under its name with this behind it.
    pub keep_old: Option<&'static str>,
}

/// What an update did.
#[derive(Debug)]
pub struct UpdateReport {
    /// What the seeds hold, and the plan that was made of it.
    pub comparison: Comparison,
    /// What carrying out the plan took.
    pub report: Report,
    /// What of the index was damaged, and done without.
    pub damage: Option<Damage>,
    /// What went wrong apart from the content: seeds that could not be read, rights that could
    /// not be kept.
    pub notes: Vec<Note>,
    /// Whether the output was written: a file that is the target already is left alone.
    pub changed: bool,
    /// What was made of the target, where that is not what is wanted.
    pub finished: Option<Finished>,
    /// When the target was last changed, if anybody told.
    pub modified: Option<SystemTime>,
}

impl UpdateReport {
    /// Length in bytes of the target, or of what was wanted of it.
    pub fn output_bytes(&self) -> u64 {
        self.comparison.plan.wanted_bytes()
    }

    /// Bytes of the target that were not fetched: copied, equal to others, or there from
    /// a run that was interrupted.
    pub fn matched_bytes(&self) -> u64 {
        self.report.copied + self.report.repeated + self.report.kept
    }
}

/// Finds out what of `target` the seeds hold, on all threads of the current rayon pool, and
/// plans how to get the rest.
///
/// # Errors
///
/// As [`Target::compare`].
pub fn compare(target: &dyn Target, seeds: &Seeds, progress: &dyn Progress) -> Result<Comparison, Error> {
    target.compare(&seeds.data(), progress)
}

/// Checks whether the file at `path` is `target`, and where it is not.
///
/// # Errors
///
/// When the file cannot be read, or `progress` cancels.
pub fn verify(target: &dyn Target, path: &Path, progress: &dyn Progress) -> Result<Verified, Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let file = LocalFile::open(path).map_err(unreadable)?;
    target.verify(path, &file, progress)
}

/// Whether the file at `path` is `target` already. Where the hash of the whole is known, nothing else is
/// asked for.
///
/// # Errors
///
/// When `progress` cancels. What cannot be read is not the target.
pub fn is_made(target: &dyn Target, path: &Path, progress: &dyn Progress) -> Result<bool, Error> {
    let (length, hash) = match target.finish() {
        Some(finish) => (finish.length(), Some(finish.file_hash())),
        None => (target.length(), target.file_hash()),
    };
    if !fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == length) {
        return Ok(false);
    }
    let Ok(file) = LocalFile::open(path) else { return Ok(false) };
    let progress = &Unseen(progress);
    let is_right = match hash {
        // Where it is wrong, nobody has asked: that would take more of the index.
        Some(expected) => hash_of(path, &file, progress).map(|actual| actual == expected),
        None => target.verify(path, &file, progress).map(|verified| verified.is_good()),
    };
    match is_right {
        Ok(is_right) => Ok(is_right),
        Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
        // What cannot be checked is made anew.
        Err(_) => Ok(false),
    }
}

fn hash_of(path: &Path, file: &LocalFile, progress: &dyn Progress) -> Result<FileHash, Error> {
    let nodes = nodes(file, progress).map_err(|error| Error::of_verify(path, error))?;
    Ok(FileHasher::new(file.size()).finish(&nodes))
}

impl Update<'_> {
    /// Finds out what the seeds hold: see [`compare`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn compare(&self) -> Result<Comparison, Error> {
        compare(self.target, self.seeds, self.progress)
    }

    /// Brings the target about as the file `output`, which may be one of the seeds: copies
    /// what the seeds hold, fetches the rest, verifies all of it, and only then puts it in
    /// place. A file at `output` that is the target already is left as it is.
    ///
    /// If this fails, what was fetched so far stays, as it does after a kill. A run for the same
    /// target goes on there. One for another target takes it as one more seed.
    ///
    /// # Errors
    ///
    /// When the output cannot be written, the source does not deliver, or the result is
    /// not the target. What was at `output` is then still there.
    pub fn to_file(&self, output: &Path, options: &FileOptions) -> Result<UpdateReport, Error> {
        let made = self.make_file(output, options);
        let Err(error) = made else { return made };
        if error.kind() == ErrorKind::Corrupt
            && !is_of_source(&error)
            && let Some((damage, target)) = self.target.around_damage()
        {
            // What stands in the staged file already is kept.
            let report = Update { target: &*target, ..*self }.make_file(output, options)?;
            return Ok(UpdateReport { damage: Some(damage), ..report });
        }
        Err(error)
    }

    /// Brings the target about as a stream, which cannot be taken back: every block is verified
    /// before it is written, but the whole only at its end.
    ///
    /// # Errors
    ///
    /// As [`to_file`](Self::to_file). What was written before an error is the beginning of the
    /// target, unless the whole is wrong.
    pub fn to_stream(&self, out: &mut dyn Write) -> Result<UpdateReport, Error> {
        if self.target.reads_rebuilt() || self.target.finish().is_some() {
            return through_file(out, |path| self.to_file(path, &FileOptions::default()));
        }
        let seeds = self.seeds.data();
        let comparison = self.target.compare_for(self.source, &seeds, self.progress)?;
        let source = self.target.decoded(&comparison, self.source, None);
        let seeds = [seeds, self.target.own_seeds()].concat();
        let mut checked = Checked { out, check: self.target.stream_check() };
        let report = self.patch(&comparison, &seeds, &*source).write_to_stream(&mut checked)?;
        if let Some(check) = checked.check {
            check.finish()?;
        }
        drop(source);
        Ok(self.reported(comparison, report))
    }

    fn reported(&self, comparison: Comparison, report: Report) -> UpdateReport {
        let notes = self.seeds.notes();
        UpdateReport { comparison, report, damage: None, notes, changed: true, finished: None, modified: None }
    }

    fn make_file(&self, output: &Path, options: &FileOptions) -> Result<UpdateReport, Error> {
        let mut staged = StagedFile::resume(output, self.target.id())?;
        let made = self.make(&mut staged, true).and_then(|mut report| {
            let finish = self.target.finish().filter(|_| report.changed);
            let finished = finish.map(|finish| self.finish(finish, &staged, &mut report)).transpose()?;
            let suffix = options.keep_old.filter(|_| report.changed && staged.target().exists());
            let kept = suffix.map_or(Ok(()), |suffix| keep_old(staged.target(), suffix));
            kept.map_err(|(path, source)| Error::Write { path, source }).map(|()| (report, finished))
        });
        match made {
            Ok((report, _)) if !report.changed => Ok(report),
            Ok((mut report, None)) => {
                report.notes.extend(staged.commit()?);
                Ok(report)
            }
            Ok((mut report, Some(finished))) => match finished.commit() {
                Ok(notes) => {
                    report.notes.extend(notes);
                    Ok(report)
                }
                Err(error) => {
                    staged.keep();
                    Err(error.into())
                }
            },
            Err(error) => {
                if staged.has_fetched() && error.is_resumable() {
                    staged.keep();
                }
                Err(error)
            }
        }
    }

    /// Makes of the target in `staged` what is wanted, beside it, and tells so in `report`.
    fn finish(&self, finish: &dyn Finish, staged: &StagedFile, report: &mut UpdateReport) -> Result<StagedFile, Error> {
        let output = staged.target();
        let read = |source| Error::Read { path: staged.path().to_owned(), source };
        let target = staged.reader().map_err(read)?;
        let finished = StagedFile::create_at(output, &hidden_path(output, FINISHED))?;
        let transfer = finish.write(&target, &mut finished.file(), self.progress)?;
        let unwritable = |source| Error::Write { path: finished.path().to_owned(), source };
        let made = finished.reader().map_err(unwritable)?;
        let (expected, actual) = (finish.file_hash(), hash_of(finished.path(), &made, self.progress)?);
        if actual != expected {
            return Err(Error::Unlike { path: output.to_owned(), expected, actual });
        }
        date(&finished, report);
        report.finished = Some(Finished { bytes: made.size(), transfer });
        Ok(finished)
    }

    /// Makes the target in `staged`, and leaves it there as it is: for callers that make something else of
    /// it. Parts of one target can be made one after another, each by a target that leaves out
    /// the others.
    ///
    /// # Errors
    ///
    /// As [`to_file`](Self::to_file).
    pub fn stage(&self, staged: &mut StagedFile) -> Result<UpdateReport, Error> {
        self.make(staged, false)
    }

    /// Makes the target in `staged`, unless the file that it would replace is it already and is
    /// `to_stay` then.
    fn make(&self, staged: &mut StagedFile, to_stay: bool) -> Result<UpdateReport, Error> {
        let leftover = staged.take_leftover();
        let mut seeds = self.seeds.data();
        seeds.extend(leftover.iter().map(|file| file as &dyn ReadAt));
        let unwritable = |source| Error::Write { path: staged.path().to_owned(), source };
        staged.file().set_len(self.target.length()).map_err(unwritable)?;
        let file = staged.reader().map_err(unwritable)?;

        let comparison = self.target.compare_for(self.source, &seeds, self.progress)?;
        if to_stay && self.is_there(staged.target(), &comparison)? {
            let mut report = Report::default();
            report.copied = self.target.length();
            return Ok(UpdateReport { changed: false, ..self.reported(comparison, report) });
        }
        seeds.extend(self.target.own_seeds());
        let finished = self.target.finish().map_or(0, |finish| finish.length());
        staged.check_room(&comparison.plan, &seeds, finished)?;
        let mut rebuilt = Rebuilt::new(&file, &comparison.plan);
        if let Some(elsewhere) = self.target.elsewhere() {
            rebuilt = rebuilt.with_elsewhere(&comparison.plan, elsewhere);
        }
        let source = self.target.decoded(&comparison, self.source, Some(&rebuilt));
        let patch = self.patch(&comparison, &seeds, &*source);
        let (mut report, mut wrong_hash) = match patch.write_to_file(staged) {
            Ok(report) => (report, None),
            Err(PatchError::FileHash { actual, report, .. }) => (*report, Some(actual)),
            Err(error) => return Err(error.into()),
        };
        for round in 0.. {
            let whole = Whole {
                path: staged.path(),
                data: &file,
                plan: &comparison.plan,
                report: &report,
                wrong_hash: wrong_hash.take(),
                round,
                source: &*source,
                published: self.source,
                progress: self.progress,
            };
            match self.target.check(&whole)? {
                Check::Right => break,
                Check::Wrong(blocks) => report.add_refetched(patch.refetch(&blocks, staged)?, &comparison.plan),
            }
        }
        let modified = self.target.modified().or_else(|| source.modified());
        drop(source);
        let mut report = UpdateReport { modified, ..self.reported(comparison, report) };
        if self.target.finish().is_none() {
            date(staged, &mut report);
        }
        Ok(report)
    }

    /// Whether the file at `path` is the target already. A seed that lacks something is not.
    fn is_there(&self, path: &Path, found: &Comparison) -> Result<bool, Error> {
        let is_seed = || self.seeds.all().iter().any(|seed| is_same(seed.path(), path));
        if self.target.elsewhere().is_some() || found.plan.fetched_bytes() > 0 && is_seed() {
            return Ok(false);
        }
        is_made(self.target, path, self.progress)
    }

    fn patch<'b>(&'b self, found: &'b Comparison, seeds: &'b [&'b dyn ReadAt], source: &'b dyn Source) -> Patch<'b> {
        Patch {
            plan: &found.plan,
            sums: &found.sums,
            file_hash: self.target.file_hash(),
            seeds,
            source,
            progress: self.progress,
        }
    }
}

/// Gives what was made its date, if that is known.
fn date(made: &StagedFile, report: &mut UpdateReport) {
    if let Some(Err(error)) = report.modified.map(|modified| made.file().set_modified(modified)) {
        report.notes.push(Note::new(made.target(), format!("its date could not be set ({error})")));
    }
}

/// Whether something is wrong with the source that no index can be the cause of.
fn is_of_source(error: &Error) -> bool {
    use SourceError::{Changed, Length};
    matches!(error, Error::Source(Length { .. } | Changed { .. }))
        || matches!(error, Error::Patch(PatchError::Source(Length { .. } | Changed { .. })))
}

/// Gives the file at `target` a second name; the first one will be replaced.
fn keep_old(target: &Path, suffix: &str) -> Result<(), (PathBuf, io::Error)> {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    let old = target.with_file_name(name);
    let kept = match fs::remove_file(&old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        // A copy where the file system has no second names.
        _ => fs::hard_link(target, &old).or_else(|_| fs::copy(target, &old).map(drop)),
    };
    kept.map_err(|error| (old, error))
}

/// Work that is not shown, but can be stopped.
struct Unseen<'a>(&'a dyn Progress);

impl Progress for Unseen<'_> {
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// A stream, all of which is looked at.
struct Checked<'a> {
    out: &'a mut dyn Write,
    check: Option<Box<dyn StreamCheck + 'a>>,
}

impl Write for Checked<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        if let Some(check) = &mut self.check {
            check.update(&buffer[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
