//! The command, as `python -m gosync`.

use std::ffi::OsString;
use std::process::ExitCode;

use pyo3::prelude::*;

/// Runs the command and returns its exit code. Signals have to be as a program that is
/// not Python's would find them.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, args: Vec<OsString>) -> u8 {
    let code = py.detach(|| gosync_cli::main(args));
    // An `ExitCode` can be compared, but tells its number to the system only.
    (0..=u8::MAX).find(|&number| ExitCode::from(number) == code).unwrap_or(1)
}
