//! What was published of a target: an index, or a control file of zsync.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use gosync::pointer::{Latest, Pointer, Seen};
use gosync::signing::{PublicKey, Signed};
use gosync::sources::{Location, Source, SourceOptions, Transfer, open_sources};
use gosync::update::{Beginning, Target, Verified, verify as verify_file};
use gosync::{Index, OpenedIndex, ReadOptions};
use gosync_tree::{Differences, FIRST_BYTES, SECTION as TREE, TreeInfo, keep_seen, read_seen};
use gosync_unpack::{PackedInfo, PackedTarget, SECTION as PACKED, packed_locations as places_of_packed};
use gosync_zsync::{Control, ControlTarget, OpenedControl, Places, packed_locations, source_locations};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::IndexArgument;
use crate::built::describe_packed;
use crate::directory::{self, Tree};
use crate::error::{control_error, sync_error};
use crate::job::{self, Manner};
use crate::network::Network;

/// Something that describes a target, opened.
pub(crate) enum Published {
    Index {
        index: Box<Index>,
        /// Where it is, if it is not in memory.
        place: Option<Location>,
        default_sources: Vec<Location>,
        signed: Option<Signed>,
        transfer: Transfer,
        /// What led to it, if something did.
        pointer: Option<Box<Pointer>>,
        /// What it says of a packed file, if it is of one.
        packed: Option<Box<PackedInfo>>,
    },
    Control(Box<OpenedControl>),
}

impl Published {
    /// Reads it, and verifies its signature if there is a key to do so: its text, or the file that
    /// it is in. Of one that is compared with a directory no more is read at first than that needs.
    /// A pointer is followed, unless one that was followed for any of `paths` was newer. The first of
    /// these is what is compared.
    pub(crate) fn open(
        index: IndexArgument,
        public_key: Option<PathBuf>,
        paths: &[&Path],
        options: &SourceOptions,
    ) -> PyResult<Self> {
        let limits = ReadOptions { sections: &[TREE, PACKED], ..ReadOptions::default() };
        let is_control = |start: &[u8]| matches!(Index::format_of(start), Ok(None)) && Control::is_one(start);
        match index {
            IndexArgument::Bytes(_) if public_key.is_some() => {
                Err(PyValueError::new_err("a signature is beside its index, and nothing is beside one in memory"))
            }
            IndexArgument::Bytes(bytes) if is_control(&bytes) => {
                let location = Location::from(PathBuf::from("the control file in memory"));
                let found_at = location.clone();
                let named = |source| gosync_zsync::Error::Control { location: location.to_string(), source };
                let control = Control::read(&bytes).map_err(|error| control_error(named(error)))?;
                let transfer = Transfer { bytes: bytes.len() as u64, requests: 0 };
                let bytes = bytes.to_vec();
                Ok(Self::Control(Box::new(OpenedControl {
                    control,
                    location,
                    found_at,
                    bytes,
                    modified: None,
                    transfer,
                })))
            }
            IndexArgument::Bytes(bytes) => {
                let named = |source| gosync::update::Error::Index { location: "the index in memory".into(), source };
                let index = Index::read(&*bytes, &limits).map_err(|error| sync_error(named(error)))?;
                let transfer = Transfer { bytes: bytes.len() as u64, requests: 0 };
                let (packed, _) = packed_of(&index)?;
                let (index, default_sources, pointer) = (Box::new(index), Vec::new(), None);
                Ok(Self::Index { index, place: None, default_sources, signed: None, transfer, pointer, packed })
            }
            IndexArgument::Place(location) => {
                let beginning = match paths.first().is_some_and(|path| path.is_dir()) {
                    true => Beginning::read_first(&location, FIRST_BYTES, limits.max_bytes, options),
                    false => Beginning::read(&location, limits.max_bytes, options),
                };
                let beginning = beginning.map_err(sync_error)?;
                if Pointer::begins(beginning.start()) {
                    return Self::follow(beginning, public_key, paths, &limits, options);
                }
                if is_control(beginning.start()) {
                    if public_key.is_some() {
                        return Err(PyValueError::new_err("a control file of zsync cannot be signed"));
                    }
                    let opened = OpenedControl::read(beginning);
                    return opened.map(|opened| Self::Control(Box::new(opened))).map_err(control_error);
                }
                let opened = OpenedIndex::read(beginning, &limits).map_err(sync_error)?;
                let mut transfer = opened.transfer;
                let mut signed = None;
                if let Some(key) = public_key {
                    let key = key_of(&key)?;
                    let checked = opened.check_signature(&key, options).map_err(sync_error)?;
                    transfer += checked.transfer;
                    signed = Some(checked);
                }
                let default_sources = opened.default_sources();
                let (packed, read) = packed_of(&opened.index)?;
                transfer += read;
                let (index, place) = (Box::new(opened.index), Some(opened.location));
                Ok(Self::Index { index, place, default_sources, signed, transfer, pointer: None, packed })
            }
        }
    }

    /// Follows a pointer that was begun.
    fn follow(
        beginning: Beginning,
        public_key: Option<PathBuf>,
        paths: &[&Path],
        limits: &ReadOptions,
        options: &SourceOptions,
    ) -> PyResult<Self> {
        let key = public_key.as_deref().map(key_of).transpose()?;
        let latest = Latest::read(beginning, key.as_ref()).map_err(sync_error)?;
        latest.check_time(SystemTime::now()).map_err(sync_error)?;
        let mut known = None;
        for path in paths {
            if let Some(seen) = seen(path)? {
                latest.check_seen(&seen).map_err(sync_error)?;
                known = known.or(Some(seen));
            }
        }
        let first = paths.first().filter(|path| path.is_dir()).map(|_| FIRST_BYTES);
        let opened = latest.open(known.as_ref(), first, limits, options).map_err(sync_error)?;
        let (packed, read) = packed_of(&opened.index)?;
        let mut transfer = opened.transfer;
        transfer += read;
        Ok(Self::Index {
            default_sources: opened.default_sources(),
            place: Some(opened.location.clone()),
            transfer,
            packed,
            index: Box::new(opened.index),
            signed: latest.signed,
            pointer: Some(Box::new(latest.pointer)),
        })
    }

    /// Remembers that what is at `output` was brought to this, where a pointer led here: an older
    /// version is then refused.
    pub(crate) fn remember(&self, output: &Path) -> PyResult<()> {
        if let Self::Index { index, pointer: Some(pointer), .. } = self
            && let Some(index) = index.layered()
        {
            let bytes = Seen::bytes(pointer, index);
            match output.is_dir() {
                true => keep_seen(output, &bytes)?,
                false => drop(Seen::keep_beside(output, &bytes).map_err(sync_error)?),
            }
        }
        Ok(())
    }

    /// What an update brings about; of a control file also from `places`, and of a packed file from that,
    /// where something of it cannot be made here.
    pub(crate) fn target<'a>(
        &'a self,
        places: Option<&'a Places>,
        published: Option<&'a dyn Source>,
    ) -> Box<dyn Target + 'a> {
        match (self, places) {
            (Self::Index { index, packed, .. }, _) => match (index.layered(), packed) {
                (Some(index), Some(info)) => Box::new(PackedTarget::new(index, info).with_published(published)),
                _ => index.target(),
            },
            (Self::Control(opened), None) => Box::new(ControlTarget::new(&opened.control)),
            (Self::Control(opened), Some(places)) => Box::new(ControlTarget::at(&opened.control, places)),
        }
    }

    /// What it says of a packed file, if it is of one.
    pub(crate) fn packed(&self) -> Option<&PackedInfo> {
        match self {
            Self::Index { packed, .. } => packed.as_deref(),
            Self::Control(_) => None,
        }
    }

    /// The packed file itself, beside the index or `sources`, where something of it cannot be made here.
    pub(crate) fn packed_source(&self, sources: &[Location], options: &SourceOptions) -> Option<Box<dyn Source>> {
        let Self::Index { index, place, packed: Some(info), .. } = self else { return None };
        let places = places_of_packed(index.layered()?, info, place.iter().chain(sources));
        let length = Some(info.recipe.packed_len());
        (!places.is_empty()).then(|| open_sources(&places, length, options).ok()).flatten()
    }

    /// What it says of a directory, if it describes one, and the directory that is compared with
    /// that, the first of `seeds`.
    pub(crate) fn tree<'a>(&'a self, seeds: &'a [PathBuf]) -> PyResult<Option<(Tree<'a>, &'a Path)>> {
        let Some(path) = seeds.first() else { return Ok(None) };
        let Self::Index { index, place, transfer, .. } = self else { return Ok(None) };
        let opened = index.layered().map(|index| Ok((index, TreeInfo::open(index, path)?))).transpose();
        let shown = path.display();
        match opened.map_err(|error: gosync::update::Error| sync_error(error))? {
            Some((_, Some(_))) if path.exists() && !path.is_dir() => {
                Err(PyValueError::new_err(format!("{shown} is no directory, but the index describes one")))
            }
            Some((index, Some((info, read)))) => {
                let mut transfer = *transfer;
                transfer += read;
                Ok(Some((Tree { index, info, place: place.as_ref(), transfer }, path)))
            }
            _ if path.is_dir() => {
                Err(PyValueError::new_err(format!("{shown} is a directory, but the index describes a file")))
            }
            _ => Ok(None),
        }
    }

    /// What opening it took.
    pub(crate) fn transfer(&self) -> Transfer {
        match self {
            Self::Index { transfer, .. } => *transfer,
            Self::Control(opened) => opened.transfer,
        }
    }

    /// Where its target may be, if it says so; a control file says it in another way.
    pub(crate) fn default_sources(&self) -> &[Location] {
        match self {
            Self::Index { default_sources, .. } => default_sources,
            Self::Control(_) => &[],
        }
    }

    /// The places of its target, those of it as it is and those of what packs it, where `given` are
    /// the ones to fetch it from, if any.
    pub(crate) fn sources(&self, given: &[Location]) -> (Vec<Location>, Vec<Location>) {
        match self {
            Self::Control(opened) if given.is_empty() => {
                (source_locations(opened, None).unwrap_or_default(), packed_locations(opened, None))
            }
            published if published.is_compressed() => (Vec::new(), given.to_vec()),
            _ => (given.to_vec(), Vec::new()),
        }
    }

    /// How long what is there is, in bytes.
    pub(crate) fn source_length(&self) -> u64 {
        match self {
            Self::Index { index, .. } => index.info().source_length(),
            Self::Control(opened) => opened.control.signature.layout().length(),
        }
    }

    /// Whether another file than the target is published.
    fn is_compressed(&self) -> bool {
        matches!(self, Self::Index { index, .. } if index.info().payload.is_some())
    }

    /// What is wrong with it and does no harm.
    pub(crate) fn ignored(&self) -> Vec<String> {
        let Self::Control(opened) = self else { return Vec::new() };
        let text = |error: &gosync_zsync::ControlError| match error.source() {
            Some(cause) => format!("{}: {error}: {cause}", opened.location),
            None => format!("{}: {error}", opened.location),
        };
        opened.control.ignored.iter().map(text).collect()
    }
}

/// What `index` says of a packed file, and what reading that took.
fn packed_of(index: &Index) -> PyResult<(Option<Box<PackedInfo>>, Transfer)> {
    let found = index.layered().map(PackedInfo::of).transpose().map_err(sync_error)?.flatten();
    Ok(found.map_or((None, Transfer::default()), |(info, transfer)| (Some(Box::new(info)), transfer)))
}

/// By which pointer the file or directory at `path` was made last.
fn seen(path: &Path) -> PyResult<Option<Seen>> {
    if !path.is_dir() {
        return Seen::beside(path).map_err(sync_error);
    }
    let (bytes, kept_in) = read_seen(path)?;
    bytes.map(|bytes| Seen::read(&bytes, &kept_in)).transpose().map_err(sync_error)
}

/// A public key, as text or in a file.
fn key_of(key: &Path) -> PyResult<PublicKey> {
    let text = key.to_str().and_then(|text| text.parse().ok());
    text.map_or_else(|| PublicKey::read(key), Ok).map_err(sync_error)
}

/// What is in an index.
#[pyfunction]
pub(crate) fn inspect<'py>(
    py: Python<'py>,
    index: IndexArgument,
    public_key: Option<PathBuf>,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let (published, tree) = job::run(py, &manner, move |job| {
        let published = Published::open(index, public_key, &[], &network.options(job.wish_to_stop())?)?;
        let layered = if let Published::Index { index, .. } = &published { index.layered() } else { None };
        let tree = layered.map(TreeInfo::of).transpose().map_err(sync_error)?.flatten();
        Ok((published, tree))
    })?;
    let result = PyDict::new(py);
    result.set_item("ignored", published.ignored())?;
    match &published {
        Published::Index { index, signed, .. } => {
            let info = index.info();
            result.set_item("format", info.format.to_string())?;
            result.set_item("version", &info.version)?;
            result.set_item("target", info.target_name.as_ref().map(|name| name.as_str()))?;
            result.set_item("target_bytes", info.length)?;
            result.set_item("index_bytes", info.index_bytes)?;
            result.set_item("block_sizes", info.layers.iter().map(|layer| layer.block_size).collect::<Vec<_>>())?;
            result.set_item("payload", info.payload.as_ref().map(|payload| payload.name.as_str()))?;
            result.set_item("payload_bytes", info.source_length())?;
            result.set_item(
                "hashes",
                info.file_hash.iter().map(|hash| ("BLAKE3", hash.to_string())).collect::<Vec<_>>(),
            )?;
            result.set_item("urls", Vec::<String>::new())?;
            if let Some(info) = published.packed() {
                result.set_item("packed", describe_packed(py, info)?)?;
            }
            if let Some(tree) = tree {
                let all = [("entries", tree.entries), ("files", tree.files), ("bytes", tree.bytes)];
                let directory = PyDict::new(py);
                all.into_iter().try_for_each(|(name, number)| directory.set_item(name, number))?;
                directory.set_item("packed_files", tree.packed.as_ref().map_or(0, |packed| packed.files))?;
                directory.set_item("excludes", tree.excludes.lines().collect::<Vec<_>>())?;
                result.set_item("directory", directory)?;
            }
            result.set_item("signed_by", signed.as_ref().map(|signed| signed.key.to_string()))?;
            result.set_item("trusted_comment", signed.as_ref().map(|signed| signed.comment.as_str()))?;
        }
        Published::Control(opened) => {
            let control = &opened.control;
            let layout = control.signature.layout();
            let hashes = control.digests.iter().map(|digest| (digest.algorithm(), digest.to_string()));
            result.set_item("format", "zsync")?;
            result.set_item("version", &control.version)?;
            result.set_item("target", control.file_name.as_ref().map(|name| name.as_str()))?;
            result.set_item("target_bytes", layout.length())?;
            result.set_item("index_bytes", opened.bytes.len())?;
            result.set_item("block_sizes", vec![layout.block_size()])?;
            result.set_item("payload", None::<String>)?;
            result.set_item("payload_bytes", layout.length())?;
            result.set_item("hashes", hashes.collect::<Vec<_>>())?;
            result.set_item("urls", [&control.urls[..], &control.z_urls[..]].concat())?;
            result.set_item("signed_by", None::<String>)?;
            result.set_item("trusted_comment", None::<String>)?;
        }
    }
    Ok(result)
}

/// Whether a file is the target of an index.
#[pyfunction]
pub(crate) fn verify<'py>(
    py: Python<'py>,
    file: PathBuf,
    index: IndexArgument,
    public_key: Option<PathBuf>,
    network: Network,
    manner: Manner,
) -> PyResult<Bound<'py, PyDict>> {
    let start = Instant::now();
    let found = job::run(py, &manner, move |job| {
        let options = network.options(job.wish_to_stop())?;
        let published = Published::open(index, public_key, &[&file], &options)?;
        let files = [file];
        if let Some((tree, directory)) = published.tree(&files)? {
            let found = tree.verify(directory, published.default_sources(), (&options, job))?;
            return Ok(Found::Tree(found, tree.info));
        }
        let [file] = &files;
        let verified = verify_file(&*published.target(None, None), file, job).map_err(sync_error)?;
        Ok(Found::File(published.ignored(), verified))
    })?;
    let (ignored, verified) = match found {
        Found::Tree(found, info) => return directory::describe_verdict(py, &found, &info, start),
        Found::File(ignored, verified) => (ignored, verified),
    };
    let is_good = verified.is_good();
    let Verified { verdict, .. } = verified;
    let result = PyDict::new(py);
    result.set_item("ignored", ignored)?;
    result.set_item("ok", is_good)?;
    result.set_item("file_bytes", verdict.length)?;
    result.set_item("target_bytes", verdict.expected_length)?;
    result.set_item("wrong_bytes", verdict.wrong_bytes())?;
    result.set_item("wrong_ranges", verdict.wrong.iter().map(|range| (range.start, range.end)).collect::<Vec<_>>())?;
    result.set_item("seconds", start.elapsed().as_secs_f64())?;
    Ok(result)
}

/// What came of a verification.
enum Found {
    File(Vec<String>, Verified),
    Tree(Differences, TreeInfo),
}
