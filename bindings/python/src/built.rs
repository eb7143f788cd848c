//! An index that was made: signed, written and described.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use gosync::Index;
use gosync::publish::Destination;
use gosync::signing::{SecretKey, publish_signature};
use gosync::sources::{Location, SourceOptions};
use gosync_unpack::PackedInfo;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::Output;
use crate::error::sync_error;
use crate::job::Job;
use crate::stream::FileWriter;

/// A secret key's file, and its password.
#[derive(FromPyObject)]
pub(crate) struct Key(PathBuf, Option<String>);

impl Key {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn read(self) -> PyResult<SecretKey> {
        let Self(path, password) = self;
        let missing = || io::Error::other("key_password is not given");
        SecretKey::read(&path, || password.ok_or_else(missing)).map_err(sync_error)
    }
}

/// Puts an index where it is wanted, signed where there is a key. Returns what went wrong apart
/// from the content.
pub(crate) fn write_index(
    job: &Job,
    index: &Index,
    output: Output,
    key: Option<&SecretKey>,
    options: &SourceOptions,
) -> PyResult<Vec<String>> {
    match output {
        Output::Stream(stream) => {
            let mut writer = FileWriter::new(job, stream);
            index.write(&mut writer).and_then(|()| writer.flush())?;
            Ok(Vec::new())
        }
        Output::Place(location) => {
            let signature = key.map(|key| key.sign_index(index, &location)).transpose().map_err(sync_error)?;
            let notes = Destination::new(&location, options).put(|out| index.write(out)).map_err(sync_error)?;
            let published = signature.map(|signature| publish_signature(&signature, &location, options));
            published.transpose().map_err(sync_error)?;
            Ok(notes.iter().map(ToString::to_string).collect())
        }
    }
}

/// What `build` and `merge` say of the index that they made.
pub(crate) fn describe<'py>(
    py: Python<'py>,
    index: &Index,
    payload: Option<Location>,
    warnings: Vec<String>,
    start: Instant,
) -> PyResult<Bound<'py, PyDict>> {
    let result = PyDict::new(py);
    let info = index.info();
    result.set_item("format", info.format.to_string())?;
    result.set_item("target_bytes", info.length)?;
    result.set_item("index_bytes", info.index_bytes)?;
    result.set_item("payload", payload.map(|location| location.to_string()))?;
    result.set_item("payload_bytes", info.source_length())?;
    let sizes: Vec<u32> = info.layers.iter().map(|layer| layer.block_size).collect();
    result.set_item("block_sizes", sizes)?;
    result.set_item("warnings", warnings)?;
    result.set_item("blake3", info.file_hash.map(|hash| hash.to_string()))?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}

/// What an index says of a packed file.
pub(crate) fn describe_packed<'py>(py: Python<'py>, info: &PackedInfo) -> PyResult<Bound<'py, PyDict>> {
    let recipe = &info.recipe;
    let result = PyDict::new(py);
    result.set_item("bytes", recipe.packed_len())?;
    result.set_item("blake3", info.file_hash.to_string())?;
    result.set_item("streams", recipe.streams().len())?;
    result.set_item("unknown_streams", recipe.unknown().count())?;
    result.set_item("recipe_bytes", recipe.to_bytes().len())?;
    Ok(result)
}
