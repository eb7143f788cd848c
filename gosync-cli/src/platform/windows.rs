//! Windows.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of the signal that Ctrl-C is elsewhere, for the same exit code.
const INTERRUPT: usize = 2;

/// Puts [`INTERRUPT`] into `raised` at the first Ctrl-C or Ctrl-Break; the second ends the
/// process at once. The system ends it when the console is closed: what that leaves the next
/// run goes on with, as after a kill.
pub(crate) fn watch_signals(raised: &Arc<AtomicUsize>) -> io::Result<()> {
    let raised = raised.clone();
    let handle = move || {
        if raised.swap(INTERRUPT, Ordering::Relaxed) != 0 {
            exit(128 + INTERRUPT as i32);
        }
    };
    ctrlc::set_handler(handle).map_err(io::Error::other)
}

/// Standard input as a file: it may be one, and then has a length and can be read in any order.
pub(crate) fn standard_input() -> io::Result<File> {
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

/// Standard output without the lines that `Stdout` looks for.
pub(crate) fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// A write that fails ends no process here.
pub(crate) fn let_writes_fail() {}

/// Whether a terminal shows colours: older consoles print their codes.
pub(crate) fn shows_colors() -> bool {
    ["WT_SESSION", "ConEmuANSI", "TERM"].iter().any(|name| std::env::var_os(name).is_some())
}
