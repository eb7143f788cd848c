//! Directories: what the calls do with them in place of files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gosync::publish::{BuildOptions, Destination, PAYLOAD_SUFFIX, PayloadOut, TargetName};
use gosync::sources::{Location, SourceOptions, Transfer, open_sources};
use gosync::{Index, LayeredIndex};
use gosync_files::identity::SameFile;
use gosync_tree::{
    Differences, FileCounts, Kept, LISTING_SUFFIX, MANY_FILES, Time, TreeBuild, TreeBuildOptions, TreeForecast,
    TreeInfo, TreeOptions, TreeReport, TreeSource, TreeUpdate, Unset, shown,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::Place;
use crate::built::{Key, describe, write_index};
use crate::error::{sync_error, value_error};
use crate::job::{self, Job, Manner};
use crate::network::Network;

/// The level of zstd where nobody says another one.
const LEVEL: i32 = 3;

/// What of a directory is published.
#[derive(FromPyObject)]
pub(crate) struct Contents {
    #[pyo3(item)]
    exclude: Vec<String>,
    #[pyo3(item)]
    owner: bool,
    #[pyo3(item)]
    xattrs: bool,
    /// Seconds since 1970: what is newer is said to be as old.
    #[pyo3(item)]
    latest: Option<i64>,
}

/// How a directory is brought about.
#[derive(FromPyObject)]
pub(crate) struct Wishes {
    #[pyo3(item)]
    delete: bool,
    #[pyo3(item)]
    checksum: bool,
    #[pyo3(item)]
    owner: bool,
    #[pyo3(item)]
    xattrs: bool,
    #[pyo3(item)]
    link: bool,
}

impl Wishes {
    /// Refuses them for a file.
    pub(crate) fn check_file(&self) -> PyResult<()> {
        let all = [
            (self.delete, "delete"),
            (self.checksum, "checksum"),
            (self.owner, "owner"),
            (self.xattrs, "xattrs"),
            (self.link, "link"),
        ];
        match all.iter().find(|(is_wished, _)| *is_wished) {
            None => Ok(()),
            Some((_, wish)) => {
                Err(PyValueError::new_err(format!("{wish} is for directories, and the index describes a file")))
            }
        }
    }
}

impl From<&Wishes> for TreeOptions {
    fn from(wishes: &Wishes) -> Self {
        let Wishes { delete, checksum, owner, xattrs, link } = *wishes;
        Self { delete, checksum, owner, xattrs, link }
    }
}

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "those of Python's function")]
pub(crate) fn build_tree<'py>(
    py: Python<'py>,
    directory: PathBuf,
    output: Place,
    contents: Contents,
    block_sizes: Vec<u32>,
    compress: Option<i32>,
    unpack: Option<bool>,
    key: Option<Key>,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let start = Instant::now();
    if !matches!(compress, None | Some(0..=15)) {
        return Err(PyValueError::new_err("compress is a level from 1 to 15, or 0 for files as they are"));
    }
    if unpack == Some(true) && compress == Some(0) {
        return Err(PyValueError::new_err("unpack makes a payload of what is in packed files; leave out compress=0"));
    }
    let Place(location) = output;
    let (index, info, payload, warnings) = job::run(py, &manner, move |job| {
        let sources = network.options(job.wish_to_stop())?;
        let key = key.map(Key::read).transpose()?;
        let wanted = TreeBuildOptions {
            excludes: contents.exclude.iter().map(|pattern| format!("{pattern}\n")).collect(),
            latest: contents.latest.map(|seconds| Time { seconds, nanoseconds: 0 }),
            owner: contents.owner,
            xattrs: contents.xattrs,
            trust_times: false,
        };
        let mut tree = TreeBuild::scan(&directory, &wanted, job).map_err(sync_error)?;
        let is_many = tree.info().files > MANY_FILES;
        let files_only = compress == Some(0);
        let mut compress = compress.map_or(is_many.then_some(LEVEL), |level| Some(level).filter(|&level| level > 0));
        let is_tried = match unpack {
            Some(wish) => wish,
            None if files_only => false,
            None => compress.is_some() || block_sizes.is_empty() && tree.is_mostly_packed().map_err(sync_error)?,
        };
        if is_tried && tree.unpack(job).map_err(sync_error)? > 0 {
            compress = compress.or(Some(LEVEL));
        } else if unpack == Some(true) {
            let text = format!("there is no packed file in {} that is worth being opened", directory.display());
            return Err(PyValueError::new_err(text));
        }
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let target = TargetName::new(name.as_str()).map_err(|error| value_error(&error))?;
        let suffix = if compress.is_some() { PAYLOAD_SUFFIX } else { LISTING_SUFFIX };
        let beside = location.beside(&format!("{name}{suffix}"));
        for output in [&location, &beside].into_iter().filter_map(|location| location.as_path()) {
            if let Some(input) = tree.file_at(output) {
                return Err(value_error(&SameFile { output: output.to_owned(), input }));
            }
        }
        let options = BuildOptions { block_sizes, compress };
        let destination = Destination::new(&beside, &sources);
        let (index, notes) = match compress {
            Some(_) => {
                let name = TargetName::new(format!("{name}{PAYLOAD_SUFFIX}")).map_err(|error| value_error(&error))?;
                let made =
                    destination.write(|out| tree.index(Some(target), &options, Some(PayloadOut { name, out }), job));
                made.map_err(sync_error)?
            }
            None => {
                let index = tree.index(Some(target), &options, None, job).map_err(sync_error)?;
                let notes = destination.put(|out| out.write_all(tree.listing())).map_err(sync_error)?;
                (index, notes)
            }
        };
        let index = Index::Layered(index);
        let mut warnings: Vec<String> = notes.iter().map(ToString::to_string).collect();
        let left_out = tree.left_out().iter();
        warnings
            .extend(left_out.map(|path| format!("{} is left out: it is no file, directory or link", path.display())));
        let output = crate::arguments::Output::Place(location);
        warnings.extend(write_index(job, &index, output, key.as_ref(), &sources)?);
        Ok((index, tree.info().clone(), compress.map(|_| beside), warnings))
    })?;
    let result = describe(py, &index, payload, warnings, start)?;
    result.set_item("files", info.files)?;
    Ok(result)
}

/// The index of a directory, and what is needed beside it.
pub(crate) struct Tree<'a> {
    pub(crate) index: &'a LayeredIndex,
    pub(crate) info: TreeInfo,
    /// Where the index is, if it is not in memory.
    pub(crate) place: Option<&'a Location>,
    /// What opening it took.
    pub(crate) transfer: Transfer,
}

impl Tree<'_> {
    /// Does something with an update, whose source is at `locations`.
    fn with<T>(
        &self,
        locations: &[Location],
        seeds: &[PathBuf],
        wishes: &Wishes,
        (sources, job): (&SourceOptions, &Job),
        act: impl FnOnce(&TreeUpdate<'_>) -> Result<T, gosync::update::Error>,
    ) -> PyResult<T> {
        let missing = || PyValueError::new_err("the index does not say where its directory is; give the source");
        let tree = locations.first().ok_or_else(missing)?;
        let update = |source| {
            let options = wishes.into();
            act(&TreeUpdate { index: self.index, info: &self.info, source, seeds, options, progress: job })
                .map_err(sync_error)
        };
        if self.index.payload().is_some() {
            let source = open_sources(locations, Some(self.index.source_length()), sources);
            let source = source.map_err(|error| sync_error(gosync::Error::source(error)))?;
            let files = self.index.target_name().map(|name| tree.beside(name.as_str()));
            let files = files.as_ref();
            return update(TreeSource::Payload { source: &*source, location: tree, files, options: sources });
        }
        if locations.len() > 1 {
            return Err(PyValueError::new_err("a directory that is published file by file has one source"));
        }
        let listing = TreeSource::listing_beside(self.place.unwrap_or(tree), self.index, tree);
        update(TreeSource::Files { listing: &listing, tree, options: sources })
    }

    pub(crate) fn patch(
        &self,
        output: &Path,
        seeds: &[PathBuf],
        locations: &[Location],
        wishes: &Wishes,
        how: (&SourceOptions, &Job),
    ) -> PyResult<TreeReport> {
        if wishes.link && seeds.is_empty() {
            return Err(PyValueError::new_err("link makes links to an old directory; give another output"));
        }
        self.with(locations, seeds, wishes, how, |update| update.to_directory(output))
    }

    pub(crate) fn diff(
        &self,
        directory: &Path,
        seeds: &[PathBuf],
        locations: &[Location],
        how: (&SourceOptions, &Job),
    ) -> PyResult<TreeForecast> {
        self.with(locations, seeds, &Wishes::NONE, how, |update| update.compare(directory))
    }

    pub(crate) fn verify(
        &self,
        directory: &Path,
        locations: &[Location],
        how: (&SourceOptions, &Job),
    ) -> PyResult<Differences> {
        self.with(locations, &[], &Wishes::NONE, how, |update| update.verify(directory))
    }
}

impl Wishes {
    const NONE: Self = Self { delete: false, checksum: false, owner: false, xattrs: false, link: false };
}

fn counts<'py>(py: Python<'py>, counts: &FileCounts) -> PyResult<Bound<'py, PyDict>> {
    let FileCounts { unchanged, changed, added, removed, moved } = *counts;
    let result = PyDict::new(py);
    let all =
        [("unchanged", unchanged), ("changed", changed), ("added", added), ("removed", removed), ("moved", moved)];
    all.into_iter().try_for_each(|(name, count)| result.set_item(name, count))?;
    Ok(result)
}

/// What is said of a patch.
pub(crate) fn describe_patch<'py>(
    py: Python<'py>,
    report: &TreeReport,
    mut index: Transfer,
    start: Instant,
) -> PyResult<Bound<'py, PyDict>> {
    index += report.index;
    let TreeReport { work, unset, .. } = report;
    let mut warnings: Vec<String> =
        report.kept.iter().map(|Kept { path, why }| format!("{}: {why}", shown(path))).collect();
    if *unset != Unset::default() {
        let Unset { owners, xattrs } = unset;
        warnings.push(format!("the owners of {owners} paths and attributes of {xattrs} could not be set"));
    }
    let result = PyDict::new(py);
    result.set_item("ignored", Vec::<String>::new())?;
    result.set_item("matched_bytes", report.matched_bytes)?;
    result.set_item("kept_bytes", work.kept)?;
    result.set_item("fetched_bytes", work.transfer.bytes)?;
    result.set_item("index_bytes", index.bytes)?;
    result.set_item("output_bytes", report.output_bytes)?;
    if report.closed.files > 0 {
        result.set_item("opened_bytes", report.opened_bytes)?;
    }
    result.set_item("requests", work.transfer.requests + index.requests)?;
    result.set_item("refetched_blocks", work.refetched_blocks)?;
    result.set_item("changed", report.changed)?;
    result.set_item("warnings", warnings)?;
    result.set_item("files", counts(py, &report.counts)?)?;
    result.set_item("files_kept", report.kept.iter().map(|kept| shown(&kept.path)).collect::<Vec<_>>())?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}

/// What is said of a comparison.
pub(crate) fn describe_diff<'py>(
    py: Python<'py>,
    forecast: &TreeForecast,
    index: Transfer,
    start: Instant,
) -> PyResult<Bound<'py, PyDict>> {
    let missing = forecast.missing_bytes;
    let changes = forecast.paths.iter().map(|path| {
        let from = path.from.as_ref().map(|from| shown(from));
        let slash = if path.is_directory { "/" } else { "" };
        (path.change.name(), format!("{}{slash}", shown(&path.path)), from)
    });
    let result = PyDict::new(py);
    result.set_item("ignored", Vec::<String>::new())?;
    result.set_item("matched_bytes", forecast.opened_bytes.saturating_sub(missing))?;
    result.set_item("missing_bytes", missing)?;
    result.set_item("missing_ranges", forecast.missing_ranges)?;
    result.set_item("repeated_bytes", 0)?;
    result.set_item("target_bytes", forecast.opened_bytes)?;
    if forecast.closed.files > 0 {
        result.set_item("closing_seconds", forecast.closed.time.as_secs_f64())?;
    }
    result.set_item("seed_bytes", forecast.seed_bytes)?;
    result.set_item("index_bytes", index.bytes + forecast.index.bytes)?;
    result.set_item("warnings", Vec::<String>::new())?;
    result.set_item("files", counts(py, &forecast.counts)?)?;
    result.set_item("changes", changes.collect::<Vec<_>>())?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}

/// What is said of a directory that was checked.
pub(crate) fn describe_verdict<'py>(
    py: Python<'py>,
    found: &Differences,
    info: &TreeInfo,
    start: Instant,
) -> PyResult<Bound<'py, PyDict>> {
    let all = |paths: &[Vec<u8>]| paths.iter().map(|path| shown(path)).collect::<Vec<_>>();
    let result = PyDict::new(py);
    result.set_item("ignored", Vec::<String>::new())?;
    result.set_item("ok", found.is_good())?;
    result.set_item("file_bytes", None::<u64>)?;
    result.set_item("target_bytes", info.bytes)?;
    result.set_item("wrong_bytes", None::<u64>)?;
    result.set_item("wrong_ranges", Vec::<(u64, u64)>::new())?;
    result.set_item("missing", all(&found.missing))?;
    result.set_item("different", all(&found.different))?;
    result.set_item("modes", all(&found.modes))?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}
