//! `publish`: a new version where a pointer leads to the newest.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use gosync::Error;
use gosync::publication::{Publication, Source};
use gosync::publish::{Build, BuildOptions, TargetName, open_folder, read_unchanged, within};
use gosync_unpack::PackedBuild;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::Place;
use crate::built::Key;
use crate::error::{sync_error, value_error};
use crate::job::{self, Manner};
use crate::network::Network;

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "those of Python's function")]
pub(crate) fn publish<'py>(
    py: Python<'py>,
    file: PathBuf,
    to: Place,
    name: String,
    keep: Option<NonZeroUsize>,
    expires: Option<u64>,
    compress: Option<i32>,
    unpack: Option<bool>,
    key: Option<Key>,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let start = Instant::now();
    let Place(location) = to;
    let name = TargetName::new(name).map_err(|error| value_error(&error))?;
    let folder_location = location.clone();
    let made = job::run(py, &manner, move |job| {
        let options = network.options(job.wish_to_stop())?;
        let key = key.map(Key::read).transpose()?;
        let who = format!("a process of Python, {}", std::process::id());
        let folder = open_folder(&location, name.as_str(), &who, &options).map_err(sync_error)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let publication = Publication {
            folder: &*folder,
            location: &location,
            name: &name,
            key: key.as_ref(),
            now,
            expires_at: expires.map(|expires| now.saturating_add(expires)),
            keep,
            progress: job,
        };
        let options = &BuildOptions { block_sizes: Vec::new(), compress };
        let made = read_unchanged(&file, |target| {
            let (called, wanted) = (&file.display().to_string(), unpack == Some(true));
            let packed = match unpack {
                Some(false) => None,
                _ => PackedBuild::open(target, called, job)?.filter(|packed| wanted || packed.pays()),
            };
            if let Some(packed) = packed {
                let source = Source::Opened(target, packed.info().file_hash);
                let made = publication.publish(source, |payload, call| {
                    let Some(payload) = payload else { unreachable!("what is opened is published with a payload") };
                    Ok(packed.index_by_content(called, Some(name.clone()), options, (payload, call), job)?)
                });
                return made.map(Some);
            }
            if wanted {
                return Ok(None);
            }
            let source = if compress.is_some() { Source::Payload } else { Source::Plain(target) };
            let made = publication.publish(source, |payload, call| {
                let name = Some(name.clone());
                let build = Build { target, called, name, sections: Vec::new(), options, progress: job };
                Ok(build.index_by_content(payload, call)?)
            });
            made.map(Some)
        });
        let nothing = || {
            let text = format!("there is nothing in {} that can be opened and packed again", file.display());
            PyValueError::new_err(text)
        };
        made.map_err(|error: Error| sync_error(error))?.ok_or_else(nothing)
    })?;
    let result = PyDict::new(py);
    result.set_item("pointer", made.location.to_string())?;
    result.set_item("changed", made.is_new)?;
    result.set_item("serial", made.pointer.serial)?;
    result.set_item("published_at", made.pointer.published_at)?;
    result.set_item("expires_at", made.pointer.expires_at)?;
    result.set_item("index", within(&folder_location, made.pointer.index.as_str()).to_string())?;
    result.set_item("files", made.names)?;
    result.set_item("removed", made.removed)?;
    result.set_item("target_bytes", made.index.length())?;
    result.set_item("payload_bytes", made.index.source_length())?;
    result.set_item("index_bytes", made.index.encoded_len())?;
    let warnings: Vec<String> = made.left.iter().map(|(name, reason)| format!("{name} stays: {reason}")).collect();
    result.set_item("warnings", warnings)?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}
