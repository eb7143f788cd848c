//! Spreading input and output over threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use gosync_chunks::{SourceError, Transfer};
use gosync_work::hand_out_to;

/// What one thread has to itself while it takes jobs.
pub(crate) struct Worker<'a, Scratch> {
    /// For the bytes on their way from the source to the sink; empty at first.
    pub(crate) scratch: Scratch,
    /// What this thread has received for the job.
    pub(crate) transfer: Transfer,
    failed: &'a AtomicBool,
}

impl<Scratch> Worker<'_, Scratch> {
    /// Whether some job has failed, so that the rest is in vain.
    pub(crate) fn is_stopped(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Calls `work` for every job, on up to `threads` threads, of which the calling one is
/// the first. Jobs begin in order; an idle thread takes the next.
///
/// These are threads of their own, and not those of a rayon pool: see [`hand_out_to`].
///
/// # Errors
///
/// The first error stops the rest and is returned.
pub(crate) fn fan_out<Jobs, Scratch: Default>(
    threads: usize,
    jobs: Jobs,
    work: impl Fn(&mut Worker<'_, Scratch>, Jobs::Item) -> Result<(), SourceError> + Sync,
) -> Result<Transfer, SourceError>
where
    Jobs: Iterator + Send,
{
    let failed = AtomicBool::new(false);
    let total = Mutex::new(Transfer::default());
    let worker = || Worker { scratch: Scratch::default(), transfer: Transfer::default(), failed: &failed };
    hand_out_to(threads, jobs, worker, |worker, job| {
        if worker.is_stopped() {
            return Ok(());
        }
        let done = work(worker, job).inspect_err(|_| failed.store(true, Ordering::Relaxed));
        *total.lock().expect("no panic while held") += std::mem::take(&mut worker.transfer);
        done
    })?;
    Ok(total.into_inner().expect("no panic while held"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn every_job_once_on_any_number_of_threads() {
        for threads in [0, 1, 2, 9] {
            let sum = AtomicU64::new(0);
            let transfer = fan_out(threads, 1..=1000u64, |worker: &mut Worker<'_, ()>, job| {
                sum.fetch_add(job, Ordering::Relaxed);
                worker.transfer.bytes += job;
                worker.transfer.requests += 1;
                Ok(())
            });
            assert_eq!(transfer.unwrap(), Transfer { bytes: 500_500, requests: 1000 });
            assert_eq!(sum.into_inner(), 500_500);
        }
    }

    #[test]
    fn an_error_stops_the_rest() {
        let failed = fan_out(3, 0.., |_: &mut Worker<'_, ()>, job| match job {
            100 => Err(SourceError::Refused { location: "here".into(), reason: "enough".into() }),
            _ => Ok(()),
        });
        assert_eq!(failed.unwrap_err().to_string(), "here does not deliver: enough");
    }
}
