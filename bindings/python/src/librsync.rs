//! librsync's three operations, as `gosync.librsync`.

use gosync_librsync::{
    DeltaOptions, Error, PatchOptions, Signature, SignatureKind, SignatureOptions, Stream, StrongLen,
};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::error::value_error;
use crate::job::{self, Manner};
use crate::stream::{Extent, FileWriter, Input, keep_apart, name, remaining};

pyo3::import_exception!(gosync.librsync, LibrsyncError);

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "those of Python's function")]
pub(crate) fn librsync_signature(
    py: Python<'_>,
    basis: &Bound<'_, PyAny>,
    output: Py<PyAny>,
    block_size: Option<u32>,
    hash: &str,
    rollsum: &str,
    strong_length: Option<i64>,
    manner: Manner,
) -> PyResult<()> {
    let kind = match (hash, rollsum) {
        ("blake2", "rabinkarp") => SignatureKind::Blake2RabinKarp,
        ("blake2", "rollsum") => SignatureKind::Blake2Rollsum,
        ("md4", "rabinkarp") => SignatureKind::Md4RabinKarp,
        ("md4", "rollsum") => SignatureKind::Md4Rollsum,
        _ => {
            let text = format!(
                "there are no signatures of {hash:?} and {rollsum:?}: the hashes are blake2 and md4, the rolling sums rabinkarp and rollsum"
            );
            return Err(PyValueError::new_err(text));
        }
    };
    let strong_len = match strong_length {
        None => StrongLen::Maximum,
        Some(-1) => StrongLen::Minimum,
        // What is no length at all is refused with those that are too long.
        Some(length) => StrongLen::Bytes(length.try_into().unwrap_or(u32::MAX)),
    };
    keep_apart(output.bind(py), vec![basis.clone()])?;
    let basis_len = remaining(basis);
    let names = Names::of(&[(Stream::Basis, basis)]);
    let options = SignatureOptions { kind, block_len: block_size, strong_len, basis_len };
    let basis = Input::new(basis, &Extent::Rest)?;
    job::run(py, &manner, move |job| {
        let made = gosync_librsync::signature(basis.reader(job), FileWriter::new(job, output), &options);
        made.map(drop).map_err(|error| names.raise(error))
    })
}

#[pyfunction]
pub(crate) fn librsync_delta(
    py: Python<'_>,
    new: &Bound<'_, PyAny>,
    signature: &Bound<'_, PyAny>,
    output: Py<PyAny>,
    manner: Manner,
) -> PyResult<()> {
    keep_apart(output.bind(py), vec![new.clone(), signature.clone()])?;
    let names = Names::of(&[(Stream::New, new), (Stream::Signature, signature)]);
    let (new, signature) = (Input::new(new, &Extent::Rest)?, Input::new(signature, &Extent::Rest)?);
    job::run(py, &manner, move |job| {
        let made = Signature::read(signature.reader(job)).and_then(|signature| {
            let output = FileWriter::new(job, output);
            gosync_librsync::delta(&signature, new.reader(job), output, &DeltaOptions::default())
        });
        made.map(drop).map_err(|error| names.raise(error))
    })
}

#[pyfunction]
pub(crate) fn librsync_patch(
    py: Python<'_>,
    basis: &Bound<'_, PyAny>,
    delta: &Bound<'_, PyAny>,
    output: Py<PyAny>,
    limit: Option<u64>,
    manner: Manner,
) -> PyResult<()> {
    keep_apart(output.bind(py), vec![basis.clone(), delta.clone()])?;
    let names = Names::of(&[(Stream::Basis, basis), (Stream::Delta, delta)]);
    let (basis, delta) = (Input::new(basis, &Extent::Whole)?, Input::new(delta, &Extent::Rest)?);
    let options = PatchOptions { limit, ..PatchOptions::default() };
    job::run(py, &manner, move |job| {
        let output = FileWriter::new(job, output);
        let made = gosync_librsync::patch(basis.seekable(job), delta.reader(job), output, &options);
        made.map(drop).map_err(|error| names.raise(error))
    })
}

/// What the files of a call are called, where they have names.
struct Names(Vec<(Stream, String)>);

impl Names {
    fn of(objects: &[(Stream, &Bound<'_, PyAny>)]) -> Self {
        Self(objects.iter().filter_map(|(stream, object)| Some((*stream, name(object)?))).collect())
    }

    fn raise(&self, error: Error) -> PyErr {
        let named = |stream: &Stream| self.0.iter().find(|(named, _)| named == stream).map(|(_, name)| name);
        let (stream, source) = match &error {
            Error::Read { stream, source } | Error::Write { stream, source } => (Some(stream), Some(source)),
            Error::Magic { stream, .. } | Error::Truncated { stream } | Error::Corrupt { stream, .. } => {
                (Some(stream), None)
            }
            Error::BlockLen(_) | Error::StrongLen { .. } => return value_error(&error),
            _ => (None, None),
        };
        let name = stream.and_then(named);
        if let Some(source) = source.filter(|source| source.raw_os_error().is_some()) {
            return PyOSError::new_err((source.raw_os_error(), source.to_string(), name.cloned()));
        }
        let text = match name {
            Some(name) => format!("{name}: {error}"),
            None => error.to_string(),
        };
        LibrsyncError::new_err((text, error.code()))
    }
}
