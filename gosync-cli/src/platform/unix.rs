//! Linux, macOS and their like.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

/// Puts the number of the first signal that asks for the end into `raised`; the second ends
/// the process at once.
pub(crate) fn watch_signals(raised: &Arc<AtomicUsize>) -> io::Result<()> {
    let again = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal arms the exit for the second.
        flag::register_conditional_shutdown(signal, 128 + signal, again.clone())?;
        flag::register(signal, again.clone())?;
        flag::register_usize(signal, raised.clone(), signal as usize)?;
    }
    Ok(())
}

/// Standard input as a file: it may be one, and then has a length and can be read in any order.
pub(crate) fn standard_input() -> io::Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Standard output without the lines that `Stdout` looks for.
pub(crate) fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Has a write beyond the largest file that is allowed (`ulimit -f`) fail, and not end the
/// process.
pub(crate) fn let_writes_fail() {
    // What cannot be had is as it was.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// Whether a terminal shows colours where its type says nothing else.
pub(crate) fn shows_colors() -> bool {
    true
}
