//! The target in a staged file, from many threads at once.

use std::sync::Mutex;

use gosync_chunks::{BlockRange, Phase, Step, Transfer};
use gosync_files::LocalFile;

use crate::carry_out::copy::Copies;
use crate::carry_out::fetch::{Fetched, Fetcher};
use crate::carry_out::known::Known;
use crate::carry_out::output::Output;
use crate::carry_out::repeat::write_repeats;
use crate::carry_out::standing::{absent_blocks, remaining};
use crate::check::verified::{VerifiedRun, WriteRun};
use crate::check::verify::{Rest, Verdict, VerifyError, verify, verify_rest};
use crate::error::PatchError;
use crate::halt::Halt;
use crate::patch::{Patch, Report};
use crate::place::staged::StagedFile;

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

    fn output<'a>(&'a self, staged: &'a StagedFile, turn: &'a Mutex<()>) -> Output<'a> {
        Output {
            file: staged.file(),
            path: staged.path(),
            cut: self.plan.cut(),
            has_fetched: staged.fetched_flag(),
            turn,
        }
    }

    /// Leaves out what stands in `output` already.
    fn resume(&self, output: &Output<'_>) -> Result<Report, PatchError> {
        output.extend()?;
        let halt = Halt::new(self.progress);
        let rest = remaining(self.plan, &absent_blocks(self.plan, self.sums, output, &halt, self.progress)?);
        let kept = self.plan.wanted_bytes() - rest.wanted_bytes();
        match (Patch { plan: &rest, ..*self }).write(output) {
            Ok(report) => Ok(Report { kept, ..report }),
            Err(PatchError::FileHash { expected, actual, mut report }) => {
                report.kept = kept;
                Err(PatchError::FileHash { expected, actual, report })
            }
            Err(error) => Err(error),
        }
    }

    fn write(&self, output: &Output<'_>) -> Result<Report, PatchError> {
        output.extend()?;
        self.progress.begin(Phase::Copy, self.plan.matched_bytes());
        self.progress.begin(Phase::Fetch, self.plan.fetched_bytes());

        let halt = Halt::new(self.progress);
        let fetcher = Fetcher { sums: self.sums, source: self.source, halt: &halt };
        let known = Known::new(self);
        let (reflinked, fetched) = self.copy_and_fetch(output, fetcher, &known)?;

        let written = output.reader()?;
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
            VerifyError::Read(source) => output.unreadable(source),
            VerifyError::Cancelled(cancelled) => cancelled.into(),
        };
        let mut verdict = match fetched.spoilt {
            0 => verify_rest(&written, self.sums, known.rest(), self.progress),
            // What was known of copies no longer holds.
            _ => self.verify(&written),
        }
        .map_err(unverified)?;
        if !verdict.wrong.is_empty() {
            self.repair(&verdict, output, fetcher, &mut report)?;
            verdict = self.verify(&written).map_err(unverified)?;
        }
        self.accept(verdict, &report)?;
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
            (Err(PatchError::Cancelled(_)), Err(error)) | (Err(error), _) | (_, Err(error)) => Err(error),
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
        let rest = remaining(self.plan, &absent_blocks(self.plan, self.sums, output, fetcher.halt, self.progress)?);
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

    /// Verifies all that the plan has steps for.
    fn verify(&self, written: &LocalFile) -> Result<Verdict, VerifyError> {
        match self.file_hash {
            Some(_) => verify(written, self.sums, self.file_hash, self.progress),
            None => verify_rest(written, self.sums, Rest::Blocks(self.plan.blocks()), self.progress),
        }
    }

    fn accept(&self, verdict: Verdict, report: &Report) -> Result<(), PatchError> {
        match (self.file_hash, verdict.wrong_hash) {
            _ if !verdict.wrong.is_empty() => Err(PatchError::Corrupt { ranges: verdict.wrong }),
            (Some(expected), Some(actual)) => Err(PatchError::FileHash { expected, actual, report: Box::new(*report) }),
            _ => Ok(()),
        }
    }
}
