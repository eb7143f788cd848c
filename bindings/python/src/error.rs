//! Errors on their way to Python.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use gosync::{Error, ErrorKind, publish, update};
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
pub(crate) fn sync_error(error: impl Into<Error>) -> PyErr {
    let error = error.into();
    match &error {
        Error::Update(update::Error::Read { path, source } | update::Error::Write { path, source })
        | Error::Read { path, source }
            if number(source).is_some() =>
        {
            return file_error(path, source);
        }
        Error::Publish(
            publish::Error::Read { target: file, source }
            | publish::Error::Write { location: file, is_remote: false, source },
        ) if number(source).is_some() => return file_error(Path::new(file), source),
        Error::Sum { .. } => return value_error(&error),
        _ => {}
    }
    of_kind(error.kind(), &error)
}

/// As [`sync_error`], of a control file of zsync.
pub(crate) fn control_error(error: gosync_zsync::Error) -> PyErr {
    match error {
        gosync_zsync::Error::Update(error) => sync_error(error),
        error => of_kind(error.kind(), &error),
    }
}

fn of_kind(kind: ErrorKind, error: &(dyn StdError + 'static)) -> PyErr {
    let text = chain(error);
    match kind {
        // Such as too many seeds, or parts that do not go together.
        ErrorKind::Usage => value_error(error),
        ErrorKind::Corrupt => exceptions::CorruptError::new_err(text),
        ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Source => exceptions::SourceError::new_err(text),
        ErrorKind::Cancelled => exceptions::CancelledError::new_err(text),
        _ => match causes(error).find_map(|cause| number(cause.downcast_ref()?)) {
            Some(number) => PyOSError::new_err((number, text)),
            None => exceptions::Error::new_err(text),
        },
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
