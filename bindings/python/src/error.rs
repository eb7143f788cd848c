//! Errors on their way to Python.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use gosync::{Error, PartError, Trouble};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

/// The exceptions of the package, which Python defines.
mod exceptions {
    pyo3::import_exception!(gosync.errors, Error);
    pyo3::import_exception!(gosync.errors, CorruptError);
    pyo3::import_exception!(gosync.errors, SourceError);
    pyo3::import_exception!(gosync.errors, CancelledError);
}

/// Trouble with files of this machine is an `OSError` of the kind that Python has for it,
/// other trouble one of the package's own.
pub(crate) fn sync_error(error: Error) -> PyErr {
    match &error {
        Error::Read { path, source } | Error::Write { path, source } if number(source).is_some() => {
            file_error(path, source)
        }
        Error::Layers { .. }
        | Error::PayloadLayers { .. }
        | Error::NoParts
        | Error::Part {
            source: PartError::Different { .. } | PartError::Missing { .. } | PartError::Overlap { .. },
            ..
        } => value_error(&error),
        Error::Sum { .. } if error.trouble() == Trouble::Other => value_error(&error),
        _ => {
            let text = chain(&error);
            match error.trouble() {
                Trouble::Corrupt => exceptions::CorruptError::new_err(text),
                Trouble::Source => exceptions::SourceError::new_err(text),
                Trouble::Cancelled => exceptions::CancelledError::new_err(text),
                _ => match causes(&error).find_map(|cause| number(cause.downcast_ref()?)) {
                    Some(number) => PyOSError::new_err((number, text)),
                    None => exceptions::Error::new_err(text),
                },
            }
        }
    }
}

/// What a callback asked for.
pub(crate) fn cancelled() -> PyErr {
    exceptions::CancelledError::new_err("cancelled")
}

/// Like those of `open`: `FileNotFoundError` and the like, with the path in `filename`.
pub(crate) fn file_error(path: &Path, error: &io::Error) -> PyErr {
    // What is in brackets at its end is the number, which Python prints too.
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default().to_owned();
    PyOSError::new_err((number(error), text, path.as_os_str().to_owned()))
}

/// The system's number for an error, by which Python chooses the exception.
fn number(error: &io::Error) -> Option<i32> {
    // Of what we find out ourselves; the same everywhere.
    const EISDIR: i32 = 21;
    error.raw_os_error().or((error.kind() == io::ErrorKind::IsADirectory).then_some(EISDIR))
}

pub(crate) fn value_error(error: &(dyn StdError + 'static)) -> PyErr {
    PyValueError::new_err(chain(error))
}

/// An error and what caused it, on one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}
