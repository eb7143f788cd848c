//! Work that the other side waits for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use gosync_chunks::Progress;

/// How often the other side hears that work is being done for it.
const INTERVAL: Duration = Duration::from_secs(5);

/// Does `work`, and has `tell` tell the other side from time to time that it is being done. Where that
/// is not there any more, the work is given up.
pub(crate) fn while_working<T>(tell: &(dyn Fn() -> bool + Sync), work: impl FnOnce(&dyn Progress) -> T) -> T {
    let is_gone = AtomicBool::new(false);
    let (working, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let is_gone = &is_gone;
        scope.spawn(move || {
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if !tell() {
                    is_gone.store(true, Ordering::Relaxed);
                    return;
                }
            }
        });
        let done = work(&Unheard(is_gone));
        drop(working);
        done
    })
}

/// Work that somebody else waits for.
struct Unheard<'a>(&'a AtomicBool);

impl Progress for Unheard<'_> {
    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
