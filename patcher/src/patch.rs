//! All that is needed to make a target, and making it in a file.

use std::io;
use std::sync::Mutex;

use gosync_chunks::{BlockRange, BlockSums, FileHash, Phase, Plan, Progress, ReadAt, Source, Step, Transfer};
use gosync_files::LocalFile;

use crate::copy::Copies;
use crate::fetch::{Fetched, Fetcher};
use crate::halt::Halt;
use crate::known::Known;
use crate::output::Output;
use crate::repeat::write_repeats;
use crate::resume::{absent_blocks, remaining};
use crate::stage::StagedFile;
use crate::verified::{VerifiedRun, WriteRun};
use crate::verify::{Verdict, VerifyError, verify, verify_rest};
use crate::{PatchError, stream};

/// Everything needed to make a target.
///
/// Progress is told of [`Phase::Copy`] (copied and repeated bytes), [`Phase::Fetch`] and
/// [`Phase::Verify`]; a phase begins anew when something has to be repaired.
#[derive(Clone, Copy)]
pub struct Patch<'a> {
    /// What to do.
    pub plan: &'a Plan,
    /// What comes out, block by block.
    pub sums: &'a BlockSums,
    /// The hash of what comes out, where it is known.
    pub file_hash: Option<FileHash>,
    /// What the plan copies from, by [`SeedId`](gosync_chunks::SeedId).
    pub seeds: &'a [&'a dyn ReadAt],
    /// What the plan fetches from.
    pub source: &'a dyn Source,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

/// Where a target came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Bytes that came from seeds.
    pub copied: u64,
    /// Of these, bytes that share their place on disk with a seed.
    pub reflinked: u64,
    /// Bytes written again from a block that was fetched.
    pub repeated: u64,
    /// Bytes of blocks that came from the source.
    pub fetched: u64,
    /// What fetching cost.
    pub transfer: Transfer,
    /// Bytes that stood in the staged file already, from a run that was interrupted.
    pub kept: u64,
    /// Blocks that were wrong at first, from a seed or from the source, and were fetched (again).
    pub refetched_blocks: u64,
}

impl Patch<'_> {
    /// Makes the target in `output`, which is then ready to commit. Copies run on the
    /// current rayon pool, the source meanwhile on a thread of its own. What stands in a
    /// [resumed](StagedFile::resume) file already is verified first, and left out.
    ///
    /// Fetched blocks are verified before they are written. Copied ones are hashed on
    /// their way, and read back only where the hash has to join them with what came
    /// otherwise: what is wrong, because a seed has changed meanwhile, is fetched. Each
    /// thread of the pool holds a mebibyte and fragments of blocks take up 8 MiB, or
    /// more where blocks are larger than that allows for. The source is not called where
    /// nothing has to be fetched.
    ///
    /// # Errors
    ///
    /// When the source fails or what it has is not the target, the output cannot be
    /// written, or `progress` cancels. `output` can then not be committed, but
    /// [kept](StagedFile::keep).
    ///
    /// # Panics
    ///
    /// When the plan is for another cut than the sums, or copies from a seed
    /// that is not there.
    pub fn write_to_file(&self, output: &mut StagedFile) -> Result<Report, PatchError> {
        self.check_parts();
        output.set_finished(false);
        let turn = Mutex::default();
        let to = self.output(output, &turn);
        let report = if output.is_resumed() { self.resume(&to) } else { self.write(&to) }?;
        output.set_finished(true);
        Ok(report)
    }

    /// Fetches `blocks`, which ascend, once more into `output`, which this patch was written
    /// to, whatever stands there: for when every block has its sum and yet the whole is
    /// not the target, because the sums are so short that other bytes had them too. The
    /// result is not looked at as a whole.
    ///
    /// # Errors
    ///
    /// As [`write_to_file`](Self::write_to_file).
    pub fn refetch(&self, blocks: &[BlockRange], output: &mut StagedFile) -> Result<Report, PatchError> {
        self.check_parts();
        output.set_finished(false);
        let turn = Mutex::default();
        let to = self.output(output, &turn);
        let bytes = blocks.iter().map(|&blocks| self.plan.cut().bytes(blocks).len()).sum();
        self.progress.begin(Phase::Fetch, bytes);
        let halt = Halt::new(self.progress);
        let fetcher = Fetcher { sums: self.sums, source: self.source, halt: &halt };
        let transfer = self.fetch_over(blocks, &to, fetcher)?;
        output.set_finished(true);
        let refetched_blocks = blocks.iter().map(|blocks| blocks.len() as u64).sum();
        Ok(Report { fetched: bytes, transfer, refetched_blocks, ..Report::default() })
    }

    /// Writes the target to `out` from its first byte to its last, in bounded memory:
    /// about 24 MiB, or a few blocks where they are large.
    ///
    /// Blocks from seeds are verified too before they are written, and fetched where a
    /// seed has changed. The hash of the whole can only be compared at the end: whoever
    /// reads `out` must not trust it before this returns.
    ///
    /// # Errors
    ///
    /// When the source fails or what it has is not the target, `out` cannot be written,
    /// or `progress` cancels.
    ///
    /// # Panics
    ///
    /// When the plan is for another cut than the sums, or copies from a seed
    /// that is not there.
    pub fn write_to_stream(&self, out: &mut dyn io::Write) -> Result<Report, PatchError> {
        self.check_parts();
        stream::write(self, out)
    }

    fn output<'a>(&'a self, staged: &'a StagedFile, turn: &'a Mutex<()>) -> Output<'a> {
        Output {
            file: staged.file(),
            path: staged.path(),
            cut: self.plan.cut(),
            has_fetched: staged.fetched_flag(),
            turn,
        }
    }

    fn check_parts(&self) {
        assert_eq!(self.plan.cut(), self.sums.cut(), "the plan is for these blocks");
        let has_seed = |step: &Step| match step {
            Step::Copy { seed, .. } => usize::from(seed.0) < self.seeds.len(),
            _ => true,
        };
        assert!(self.plan.steps().iter().all(has_seed), "every seed of the plan is there");
    }

    /// Leaves out what stands in `output` already.
    fn resume(&self, output: &Output<'_>) -> Result<Report, PatchError> {
        output.extend()?;
        let halt = Halt::new(self.progress);
        let rest = remaining(self.plan, &absent_blocks(self.sums, output, &halt, self.progress)?);
        let to_do = rest.matched_bytes() + rest.fetched_bytes();
        let report = Patch { plan: &rest, ..*self }.write(output)?;
        Ok(Report { kept: self.plan.cut().length() - to_do, ..report })
    }

    fn write(&self, output: &Output<'_>) -> Result<Report, PatchError> {
        output.extend()?;
        self.progress.begin(Phase::Copy, self.plan.matched_bytes());
        self.progress.begin(Phase::Fetch, self.plan.fetched_bytes());

        let halt = Halt::new(self.progress);
        let fetcher = Fetcher { sums: self.sums, source: self.source, halt: &halt };
        let known = Known::new(self);
        let (reflinked, fetched) = self.copy_and_fetch(output, fetcher, &known)?;

        let unreadable = |source| PatchError::ReadBack { path: output.path.to_owned(), source };
        let written = output.file.try_clone().and_then(|file| LocalFile::new(output.path, file)).map_err(unreadable)?;
        write_repeats(self.plan, self.sums, &written, output, &halt, self.progress)?;

        let mut report = Report {
            copied: self.plan.copied_bytes() - fetched.spoilt,
            reflinked,
            repeated: self.plan.repeated_bytes(),
            fetched: self.plan.fetched_bytes() + fetched.spoilt,
            transfer: fetched.transfer,
            kept: 0,
            refetched_blocks: fetched.refetched,
        };
        let unverified = |error| match error {
            VerifyError::Read(source) => unreadable(source),
            VerifyError::Cancelled => PatchError::Cancelled,
        };
        let mut verdict = match fetched.spoilt {
            0 => verify_rest(&written, self.sums, known.rest(), self.progress),
            // What was known of copies no longer holds.
            _ => verify(&written, self.sums, self.file_hash, self.progress),
        }
        .map_err(unverified)?;
        if !verdict.wrong.is_empty() {
            self.repair(&verdict, output, fetcher, &mut report)?;
            verdict = verify(&written, self.sums, self.file_hash, self.progress).map_err(unverified)?;
        }
        self.accept(verdict)?;
        Ok(report)
    }

    /// Copies here and on the rayon pool, and fetches on another thread.
    fn copy_and_fetch(
        &self,
        output: &Output<'_>,
        fetcher: Fetcher<'_>,
        known: &Known<'_>,
    ) -> Result<(u64, Fetched), PatchError> {
        let fetched_steps = self.plan.steps().iter().filter_map(|step| match step {
            Step::Fetch { blocks } => Some(*blocks),
            _ => None,
        });
        let wanted: Vec<BlockRange> = fetched_steps.collect();
        let halt = fetcher.halt;
        let fetch = || {
            let write: &WriteRun<'_> = &|run| self.fill(output, run);
            fetcher.fetch(&wanted, write).inspect_err(|_| halt.raise())
        };
        let copy = || Copies::new(self, output, known, halt).run().inspect_err(|_| halt.raise());
        if fetcher.source.reads_rebuilt() {
            let reflinked = copy()?;
            return Ok((reflinked, self.fetch_on_rebuilt(&wanted, output, fetcher)?));
        }
        let (copied, fetched) = std::thread::scope(|scope| {
            let fetching = (!wanted.is_empty()).then(|| scope.spawn(fetch));
            let copied = copy();
            let fetched = fetching.map_or(Ok(Fetched::default()), |thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            (copied, fetched)
        });
        match (copied, fetched) {
            (Ok(reflinked), Ok(fetched)) => Ok((reflinked, fetched)),
            // One of them may only have stopped because the other failed.
            (Err(PatchError::Cancelled), Err(error)) | (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// Fetches from a source that needs what is rebuilt. Where blocks come out wrong, a seed
    /// may have changed and spoilt what they are made with: then all that is wrong is fetched.
    fn fetch_on_rebuilt(
        &self,
        wanted: &[BlockRange],
        output: &Output<'_>,
        fetcher: Fetcher<'_>,
    ) -> Result<Fetched, PatchError> {
        let write: &WriteRun<'_> = &|run| self.fill(output, run);
        let (mut fetched, wrong) = fetcher.fetch_once(wanted, write)?;
        if wrong.is_empty() {
            return Ok(fetched);
        }
        let cut = self.plan.cut();
        let rest = remaining(self.plan, &absent_blocks(self.sums, output, fetcher.halt, self.progress)?);
        let wrong: Vec<BlockRange> = rest
            .steps()
            .iter()
            .filter_map(|step| match *step {
                Step::Copy { target, .. } => Some(cut.within(target)),
                Step::Fetch { blocks } => Some(blocks),
                Step::Repeat { .. } => None,
            })
            .collect();
        self.progress.begin(Phase::Fetch, rest.copied_bytes() + rest.fetched_bytes());
        fetched.refetched += wrong.iter().map(|blocks| blocks.len() as u64).sum::<u64>();
        fetched.spoilt = rest.copied_bytes();
        fetched += fetcher.fetch(&wrong, write)?;
        Ok(fetched)
    }

    /// Writes what was fetched for where nothing stands.
    fn fill(&self, output: &Output<'_>, run: VerifiedRun<'_>) -> Result<(), PatchError> {
        output.fill(run)?;
        self.progress.advance(Phase::Fetch, run.data().len() as u64);
        Ok(())
    }

    /// Fetches what is wrong.
    fn repair(
        &self,
        verdict: &Verdict,
        output: &Output<'_>,
        fetcher: Fetcher<'_>,
        report: &mut Report,
    ) -> Result<(), PatchError> {
        let wrong: Vec<BlockRange> = verdict.wrong.iter().map(|&range| self.plan.cut().within(range)).collect();
        self.progress.begin(Phase::Fetch, verdict.wrong_bytes());
        report.transfer += self.fetch_over(&wrong, output, fetcher)?;
        report.refetched_blocks += wrong.iter().map(|blocks| blocks.len() as u64).sum::<u64>();
        report.copied = report.copied.saturating_sub(verdict.wrong_bytes());
        report.fetched += verdict.wrong_bytes();
        Ok(())
    }

    /// Fetches `blocks` over what stands there.
    fn fetch_over(
        &self,
        blocks: &[BlockRange],
        output: &Output<'_>,
        fetcher: Fetcher<'_>,
    ) -> Result<Transfer, PatchError> {
        let write: &WriteRun<'_> = &|run| {
            output.replace(run)?;
            self.progress.advance(Phase::Fetch, run.data().len() as u64);
            Ok(())
        };
        Ok(fetcher.fetch(blocks, write)?.transfer)
    }

    fn accept(&self, verdict: Verdict) -> Result<(), PatchError> {
        match (self.file_hash, verdict.wrong_hash) {
            _ if !verdict.wrong.is_empty() => Err(PatchError::Corrupt { ranges: verdict.wrong }),
            (Some(expected), Some(actual)) => Err(PatchError::FileHash { expected, actual }),
            _ => Ok(()),
        }
    }
}
