//! The main job: `build`, `diff` and `patch` over the scheme `gosync`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gosync::publish::{BuildOptions, PAYLOAD_SUFFIX, Publisher, Shard, build_file, keep_apart};
use gosync::signing::SIGNATURE_SUFFIX;
use gosync::sources::{Location, Source, Transfer, open_sources};
use gosync::update::{Comparison, FileOptions, Note, Seeds, Update, UpdateReport, compare};
use gosync::{Format, Index};
use gosync_files::identity::{self, is_same};
use gosync_tree::{TreeForecast, TreeReport};
use gosync_unpack::{Made, Unpack};
use gosync_zsync::Places;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{IndexArgument, Output, Place};
use crate::built::{Key, describe, describe_packed, write_index};
use crate::directory::{self, Wishes};
use crate::error::{control_error, sync_error, value_error};
use crate::job::{self, Manner};
use crate::network::Network;
use crate::published::Published;
use crate::stream::{FileWriter, file_behind};

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "those of Python's function")]
pub(crate) fn build<'py>(
    py: Python<'py>,
    file: PathBuf,
    output: Output,
    format: &str,
    block_sizes: Vec<u32>,
    compress: Option<i32>,
    part: Option<(u32, u32)>,
    unpack: Option<bool>,
    key: Option<Key>,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let format = match format {
        "gosync" => Format::Layered,
        "go-sync" => Format::GoSync,
        _ => return Err(PyValueError::new_err(format!("{format:?} is none of the formats gosync and go-sync"))),
    };
    let payload = match (compress, format, &output) {
        (None, ..) => None,
        (Some(1..=15), Format::Layered, Output::Place(location)) => {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            Some(location.beside(&format!("{name}{PAYLOAD_SUFFIX}")))
        }
        _ => {
            let text = "compress is a level from 1 to 15, of a payload beside the index, in the format gosync";
            return Err(PyValueError::new_err(text));
        }
    };
    let index = match &output {
        Output::Place(location) => Some(location.clone()),
        Output::Stream(stream) => file_behind(stream.bind(py)).map(Location::from),
    };
    let unpacked = unpacked_payload(&file, &output, format, part.is_some(), &block_sizes, compress, unpack)?;
    let outputs: Vec<&Location> =
        index.iter().chain(unpacked.as_ref().map(|(at, _)| at).or(payload.as_ref())).collect();
    let inputs: Vec<&Path> = [file.as_path()].into_iter().chain(key.as_ref().map(Key::path)).collect();
    keep_apart(&outputs, &inputs).map_err(sync_error)?;
    let can_sign = format == Format::Layered && part.is_none() && matches!(output, Output::Place(_));
    if key.is_some() && !can_sign {
        return Err(PyValueError::new_err("only a whole index in the format gosync is signed, beside its file"));
    }
    let build = BuildOptions { block_sizes, compress };
    if let Some((number, count)) = part {
        if format != Format::Layered {
            return Err(PyValueError::new_err("only an index in the format gosync has parts"));
        }
        let shard = Shard::new(number, count).map_err(|error| value_error(&error))?;
        return build_part(py, file, output, shard, build, network, &manner);
    }
    let start = Instant::now();
    let (index, payload, packed, warnings) = job::run(py, &manner, move |job| {
        let options = network.options(job.wish_to_stop())?;
        let publisher = Publisher { format, options: &build, sources: &options, progress: job };
        let key = key.map(Key::read).transpose()?;
        let made = match &unpacked {
            Some((payload, how)) => gosync_unpack::build_file(&file, payload, *how, &build, &options, job),
            None => Ok(None),
        };
        let (index, payload, packed, mut warnings) = match made.map_err(sync_error)? {
            Some(Made { index, info, notes }) => {
                let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
                (Index::Layered(index), unpacked.map(|(payload, _)| payload), Some(info), notes)
            }
            None if unpack == Some(true) => {
                let text = format!("there is nothing in {} that can be opened and packed again", file.display());
                return Err(PyValueError::new_err(text));
            }
            None => (publisher.build(&file, payload.as_ref()).map_err(sync_error)?, payload, None, Vec::new()),
        };
        warnings.extend(write_index(job, &index, output, key.as_ref(), &options)?);
        Ok((index, payload, packed, warnings))
    })?;
    let result = describe(py, &index, payload, warnings, start)?;
    if let Some(info) = packed {
        result.set_item("packed", describe_packed(py, &info)?)?;
    }
    Ok(result)
}

/// Where the payload of a packed file goes, and when it is opened, if that is asked for or can be
/// tried.
fn unpacked_payload(
    file: &Path,
    output: &Output,
    format: Format,
    is_part: bool,
    block_sizes: &[u32],
    compress: Option<i32>,
    unpack: Option<bool>,
) -> PyResult<Option<(Location, Unpack)>> {
    let location = match output {
        Output::Place(location) if format == Format::Layered && !is_part => Some(location),
        _ => None,
    };
    let how = match unpack {
        Some(true) if location.is_none() => {
            let text = "unpack is for a whole index in the format gosync, which goes to a place";
            return Err(PyValueError::new_err(text));
        }
        Some(true) => Some(Unpack::IfItCan),
        None if compress.is_some() || block_sizes.is_empty() => Some(Unpack::IfItPays),
        _ => None,
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(location.map(|location| location.beside(&format!("{name}{PAYLOAD_SUFFIX}"))).zip(how))
}

/// Makes a part of an index.
fn build_part<'py>(
    py: Python<'py>,
    file: PathBuf,
    output: Output,
    shard: Shard,
    build: BuildOptions,
    network: Network,
    manner: &Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let start = Instant::now();
    let payload = match &output {
        Output::Place(location) => build.compress.map(|_| location.with_suffix(PAYLOAD_SUFFIX).to_string()),
        Output::Stream(_) => None,
    };
    let part = job::run(py, manner, move |job| {
        let options = network.options(job.wish_to_stop())?;
        match output {
            Output::Stream(stream) => {
                let part = build_file(&file, &build, job, |build| build.part(shard, None)).map_err(sync_error)?;
                let mut writer = FileWriter::new(job, stream);
                part.write(&mut writer).and_then(|()| writer.flush())?;
                Ok(part)
            }
            Output::Place(location) => {
                let publisher =
                    Publisher { format: Format::Layered, options: &build, sources: &options, progress: job };
                publisher.part(&file, shard, &location).map_err(sync_error)
            }
        }
    })?;
    let result = PyDict::new(py);
    result.set_item("format", Format::Layered.to_string())?;
    result.set_item("target_bytes", part.target_length())?;
    result.set_item("index_bytes", part.encoded_len())?;
    result.set_item("payload", payload)?;
    result.set_item("payload_bytes", part.payload_length().unwrap_or(part.range().len()))?;
    result.set_item("block_sizes", part.block_sizes())?;
    result.set_item("warnings", Vec::<String>::new())?;
    result.set_item("blake3", None::<String>)?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}

#[pyfunction]
pub(crate) fn merge<'py>(
    py: Python<'py>,
    parts: Vec<PathBuf>,
    output: Place,
    key: Option<Key>,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let start = Instant::now();
    let Place(location) = output;
    let place = location.clone();
    let (index, warnings) = job::run(py, &manner, move |job| {
        let options = network.options(job.wish_to_stop())?;
        let build = BuildOptions::default();
        let publisher = Publisher { format: Format::Layered, options: &build, sources: &options, progress: job };
        let key = key.map(Key::read).transpose()?;
        let index = publisher.merge(&parts, &place).map_err(sync_error)?;
        let warnings = write_index(job, &index, Output::Place(place), key.as_ref(), &options)?;
        Ok((index, warnings))
    })?;
    let payload = index.info().payload.map(|payload| location.beside(payload.name.as_str()));
    describe(py, &index, payload, warnings, start)
}

#[pyfunction]
pub(crate) fn diff<'py>(
    py: Python<'py>,
    seeds: Vec<PathBuf>,
    index: IndexArgument,
    public_key: Option<PathBuf>,
    sources: Vec<Place>,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let start = Instant::now();
    let found = job::run(py, &manner, move |job| {
        let options = network.options(job.wish_to_stop())?;
        let paths: Vec<&Path> = seeds.first().map(PathBuf::as_path).into_iter().collect();
        let published = Published::open(index, public_key, &paths, &options)?;
        if let Some((tree, directory)) = published.tree(&seeds)? {
            let locations = locations(sources, &published);
            let forecast = tree.diff(directory, &seeds[1..], &locations, (&options, job))?;
            return Ok(Found::Tree(Box::new(forecast), tree.transfer));
        }
        if !sources.is_empty() {
            return Err(PyValueError::new_err("source is for directories, and the index describes a file"));
        }
        let target = published.target(None, None);
        let seeds = Seeds::open(seeds, &*target, job).map_err(sync_error)?;
        let comparison = compare(&*target, &seeds, job).map_err(sync_error)?;
        let closing = published.packed().map(|info| info.recipe.closing_time(rayon::current_num_threads()));
        Ok(Found::File(published.transfer(), published.ignored(), Box::new(comparison), seeds.notes(), closing))
    })?;
    let (transfer, ignored, comparison, notes, closing) = match found {
        Found::Tree(forecast, transfer) => return directory::describe_diff(py, &forecast, transfer, start),
        Found::File(transfer, ignored, comparison, notes, closing) => (transfer, ignored, comparison, notes, closing),
    };
    let plan = &comparison.plan;
    let result = PyDict::new(py);
    result.set_item("matched_bytes", plan.matched_bytes())?;
    result.set_item("missing_bytes", plan.fetched_bytes())?;
    result.set_item("missing_ranges", plan.fetch_ranges().len())?;
    result.set_item("repeated_bytes", plan.repeated_bytes())?;
    result.set_item("target_bytes", plan.cut().length())?;
    result.set_item("ignored", ignored)?;
    result.set_item("seed_bytes", comparison.statistics.seed_bytes)?;
    if let Some(time) = closing {
        result.set_item("closing_seconds", time.as_secs_f64())?;
    }
    result.set_item("warnings", notes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    result.set_item("index_bytes", transfer.bytes + comparison.index_transfer.bytes)?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "those of Python's function")]
pub(crate) fn patch<'py>(
    py: Python<'py>,
    seeds: Vec<PathBuf>,
    index: IndexArgument,
    public_key: Option<PathBuf>,
    sources: Vec<Place>,
    output: Output,
    wishes: Wishes,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let start = Instant::now();
    let behind_stream = match &output {
        Output::Stream(stream) => file_behind(stream.bind(py)),
        Output::Place(_) => None,
    };
    let done = job::run(py, &manner, move |job| {
        let mut locations: Vec<Location> = sources.into_iter().map(|Place(location)| location).collect();
        let first = if let IndexArgument::Place(location) = &index { Some(location) } else { None };
        let options = network.options(job.wish_to_stop())?.with_secrets_for(first.into_iter().chain(&locations));
        let read = files_of(&index, public_key.as_deref());
        let place = if let Output::Place(location) = &output { location.as_path().map(Path::to_owned) } else { None };
        let paths: Vec<&Path> = seeds.first().into_iter().chain(&place).map(PathBuf::as_path).collect();
        let published = Published::open(index, public_key, &paths, &options)?;
        if let Some((tree, seed)) = published.tree(&seeds)? {
            let Output::Place(Location::Path(output)) = &output else {
                return Err(PyValueError::new_err("a directory is brought about at a path"));
            };
            if locations.is_empty() {
                locations = published.default_sources().to_vec();
            }
            let seeds = if output == seed { &seeds[1..] } else { &seeds[..] };
            let report = tree.patch(output, seeds, &locations, &wishes, (&options, job))?;
            published.remember(output)?;
            return Ok(Done::Tree(Box::new(report), tree.transfer));
        }
        wishes.check_file()?;
        let places = match &published {
            Published::Control(opened) if locations.is_empty() => {
                Some(Places::open(opened, None, &options).map_err(control_error)?)
            }
            _ => None,
        };
        if locations.is_empty() && places.is_none() {
            locations = published.default_sources().to_vec();
            if locations.is_empty() {
                return Err(PyValueError::new_err("the index does not say where its target is; give the source"));
            }
        }
        let (plain, packed) = published.sources(&locations);
        if let Output::Place(Location::Path(path)) = &output {
            keep_target_apart(path, &seeds, &read, &plain, &packed)?;
        } else if let Some(path) = &behind_stream {
            let sources = plain.iter().chain(&packed).filter_map(Location::as_path);
            let inputs = read.iter().chain(&seeds).map(PathBuf::as_path).chain(sources);
            identity::keep_apart(path, inputs).map_err(|error| value_error(&error))?;
        }
        let source: Box<dyn Source + '_> = match &places {
            Some(places) => Box::new(places.plain()),
            None => {
                let source = open_sources(&locations, Some(published.source_length()), &options);
                source.map_err(|error| sync_error(gosync::Error::source(error)))?
            }
        };
        let packed_source = published.packed_source(&locations, &options);
        let target = published.target(places.as_ref(), packed_source.as_deref());
        let seeds = Seeds::open(seeds, &*target, job).map_err(sync_error)?;
        let update = Update { target: &*target, seeds: &seeds, source: &*source, progress: job };
        let report = match output {
            Output::Stream(stream) => {
                let mut writer = FileWriter::new(job, stream);
                let report = update.to_stream(&mut writer).map_err(sync_error)?;
                writer.flush()?;
                report
            }
            Output::Place(Location::Path(path)) => {
                update.to_file(&path, &FileOptions::default()).map_err(sync_error)?
            }
            Output::Place(location @ Location::Url(_)) => {
                let text = format!("cannot write {location}: the output has to be a path or a stream");
                return Err(PyValueError::new_err(text));
            }
        };
        if let Some(place) = &place {
            published.remember(place)?;
        }
        let packed = published.packed().map(|info| info.recipe.packed_len());
        Ok(Done::File(published.transfer(), published.ignored(), Box::new(report), packed))
    })?;
    let (transfer, ignored, report, packed) = match done {
        Done::Tree(report, transfer) => return directory::describe_patch(py, &report, transfer, start),
        Done::File(transfer, ignored, report, packed) => (transfer, ignored, report, packed),
    };
    let as_published = report.finished.map(|finished| finished.transfer).unwrap_or_default();
    let mut work = report.report;
    work.transfer += as_published;
    let result = PyDict::new(py);
    result.set_item("matched_bytes", report.matched_bytes())?;
    result.set_item("ignored", ignored)?;
    result.set_item("kept_bytes", work.kept)?;
    result.set_item("fetched_bytes", work.transfer.bytes)?;
    let layers = report.comparison.index_transfer;
    result.set_item("index_bytes", transfer.bytes + layers.bytes)?;
    result.set_item("output_bytes", packed.unwrap_or(report.output_bytes()))?;
    if packed.is_some() {
        result.set_item("opened_bytes", report.output_bytes())?;
        result.set_item("as_published_bytes", as_published.bytes)?;
    }
    result.set_item("requests", work.transfer.requests + transfer.requests + layers.requests)?;
    result.set_item("refetched_blocks", work.refetched_blocks)?;
    result.set_item("changed", report.changed)?;
    result.set_item("warnings", report.notes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}

/// What came of a comparison.
enum Found {
    File(Transfer, Vec<String>, Box<Comparison>, Vec<Note>, Option<Duration>),
    Tree(Box<TreeForecast>, Transfer),
}

/// What came of a patch.
enum Done {
    File(Transfer, Vec<String>, Box<UpdateReport>, Option<u64>),
    Tree(Box<TreeReport>, Transfer),
}

/// Where a directory is fetched from: where the caller says, or else the index.
fn locations(sources: Vec<Place>, published: &Published) -> Vec<Location> {
    match sources.is_empty() {
        true => published.default_sources().to_vec(),
        false => sources.into_iter().map(|Place(location)| location).collect(),
    }
}

/// The files that opening an index reads.
fn files_of(index: &IndexArgument, public_key: Option<&Path>) -> Vec<PathBuf> {
    let IndexArgument::Place(location) = index else { return Vec::new() };
    let signature = public_key.map(|_| location.with_suffix(SIGNATURE_SUFFIX));
    let places = [location].into_iter().chain(&signature).filter_map(Location::as_path);
    places.chain(public_key).map(Path::to_owned).collect()
}

/// Refuses to write over what is `read`, a seed other than the first, which may be brought to
/// the new version in place, or a source: the target as it is, or what packs it.
fn keep_target_apart(
    output: &Path,
    seeds: &[PathBuf],
    read: &[PathBuf],
    plain: &[Location],
    packed: &[Location],
) -> PyResult<()> {
    let is_in_place = seeds.first().is_some_and(|seed| is_same(output, seed));
    let (seeds, plain) = if is_in_place { (&[][..], &[][..]) } else { (seeds, plain) };
    let sources = plain.iter().chain(packed).filter_map(Location::as_path);
    let inputs = read.iter().chain(seeds).map(PathBuf::as_path).chain(sources);
    identity::keep_apart(output, inputs).map_err(|error| value_error(&error))
}
