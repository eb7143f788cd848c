//! Opening indexes and sources by path or URL.

use std::cmp::Ordering;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "object-store")]
use gosync_blocksources::ObjectSource;
use gosync_blocksources::{Location, SourceOptions, open_document, read_ranges};
use gosync_chunks::{ByteRange, Progress, Source, Transfer};
use gosync_patcher::StagedFile;

use crate::build::build_compressed;
use crate::format::Parts;
use crate::sync::write_file;
use crate::{BuildOptions, Error, Format, FormatError, Index, ReadOptions, SIGNATURE_SUFFIX, TargetName};

/// What is added to the name of a target to make that of its compressed payload. It is no
/// file of zstd: frames share what they have in common, and only an index tells where they are.
pub const PAYLOAD_SUFFIX: &str = ".gosync-payload";

/// An index, and what it cost to get.
#[derive(Clone, Debug)]
pub struct OpenedIndex {
    /// The index.
    pub index: Index,
    /// Where it was.
    pub location: Location,
    /// Bytes and requests; of a file, no requests.
    pub transfer: Transfer,
}

/// Reads the index at `location`, in any [`Format`](crate::Format).
///
/// # Errors
///
/// When it cannot be read or fetched, or is no sound index.
pub fn open_index(location: &Location, options: &ReadOptions, sources: &SourceOptions) -> Result<OpenedIndex, Error> {
    let index_error = |source| Error::Index { location: location.to_string(), source };
    match location {
        Location::Path(path) => {
            let read = |source| Error::Read { path: path.clone(), source };
            let mut file = Counting { inner: std::fs::File::open(path).map_err(read)?, bytes: 0 };
            if file.inner.metadata().map_err(read)?.is_dir() {
                return Err(read(io::ErrorKind::IsADirectory.into()));
            }
            let index = Index::read(&mut file, options).map_err(index_error)?;
            let transfer = Transfer { bytes: file.bytes, requests: 0 };
            Ok(OpenedIndex { index, location: location.clone(), transfer })
        }
        Location::Url(_) => {
            let mut transfer = Transfer::default();
            if let Some(index) = open_in_parts(location, options, sources, &mut transfer)? {
                return Ok(OpenedIndex { index, location: location.clone(), transfer });
            }
            let document = open_document(location, options.max_bytes, sources)?;
            transfer += document.transfer;
            let index = Index::read(document.bytes.as_slice(), options).map_err(index_error)?;
            Ok(OpenedIndex { index, location: location.clone(), transfer })
        }
    }
}

/// Bytes of an index that are fetched at first, as many as a new connection of TCP sends at
/// once (RFC 6928): the header, and of small files the coarsest layer.
const START: u64 = 12 << 10;

/// Fetches the beginning of an index of ours, and leaves the rest to who needs it. `None`
/// where it has to be fetched whole: it is small or of another format, or the server
/// does not give parts.
fn open_in_parts(
    location: &Location,
    options: &ReadOptions,
    sources: &SourceOptions,
    transfer: &mut Transfer,
) -> Result<Option<Index>, Error> {
    let source = open_source(location, sources)?;
    let Some(size) = source.size()?.filter(|&size| size > 4 * START) else { return Ok(None) };
    transfer.requests += 1;
    let place = location.to_string();
    let (start, fetched) = read_ranges(&*source, &place, &[ByteRange::at(0, START)])?;
    *transfer += fetched;
    let index_error = |source| Error::Index { location: place.clone(), source };
    if fetched.bytes > START || Index::format_of(&start).map_err(index_error)? != Format::Layered {
        return Ok(None);
    }
    let head = match Index::head_of(&start) {
        Ok(head) => head.to_vec(),
        // A long name and sections of later versions can make it longer than what is here.
        Err(FormatError::Truncated { .. }) => return Ok(None),
        Err(error) => return Err(index_error(error)),
    };
    let (source, start) = (Arc::from(source), Arc::new(start));
    let parts = Parts::There { source, location: place.as_str().into(), start };
    let index = Index::of_parts(head, parts, options).map_err(index_error)?;
    match index.encoded_len().cmp(&size) {
        Ordering::Less => Err(index_error(FormatError::Trailing { len: index.encoded_len() })),
        Ordering::Greater => Err(index_error(FormatError::Truncated { len: size })),
        Ordering::Equal => Ok(Some(index)),
    }
}

impl OpenedIndex {
    /// Where the target is when nobody says: beside the index, under the name that the
    /// index gives. An index that gives none is named after its target, as in
    /// `target.gosync`.
    pub fn default_source(&self) -> Option<Location> {
        let name = match self.index.source_name() {
            Some(name) => name.as_str().to_owned(),
            None => self.location.file_name()?.strip_suffix(".gosync").filter(|name| !name.is_empty())?.to_owned(),
        };
        Some(self.location.beside(&name))
    }
}

/// Writes `index` to `location`, a file or an object, which it replaces only when it is
/// complete.
///
/// # Errors
///
/// When it cannot be written, or `location` is no place that can be written to.
pub fn publish_index(index: &Index, location: &Location, options: &SourceOptions) -> Result<(), Error> {
    publish(location, options, &|writer| index.write(writer))
}

/// Writes `signature` beside the index at `index`, where whoever is to trust the index
/// looks for it, and tells where that is.
///
/// # Errors
///
/// As [`publish_index`].
pub fn publish_signature(signature: &str, index: &Location, options: &SourceOptions) -> Result<Location, Error> {
    let location = index.with_suffix(SIGNATURE_SUFFIX);
    publish(&location, options, &|writer| writer.write_all(signature.as_bytes()))?;
    Ok(location)
}

/// Makes the index of the file at `target`, and at `payload`, a file or an object beside
/// where the index will be, its compressed payload.
///
/// # Errors
///
/// As [`build_compressed`], and as [`publish_index`]; and where the last part of
/// `payload` is no file name for an index to give.
pub fn publish_payload(
    target: &Path,
    options: &BuildOptions,
    payload: &Location,
    sources: &SourceOptions,
    progress: &dyn Progress,
) -> Result<Index, Error> {
    let name = TargetName::new(payload.file_name().unwrap_or_default());
    let name = name.map_err(|error| unwritten(payload, io::Error::other(error)))?;
    publish_made(payload, sources, |out| build_compressed(target, options, name, out, progress))
}

/// Writes to a file or an object what `make` makes, which is there only when all of it is.
pub(crate) fn publish_made<T>(
    location: &Location,
    sources: &SourceOptions,
    make: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, Error>,
) -> Result<T, Error> {
    let _ = sources;
    let failed = |source| unwritten(location, source);
    // What only knows the name cannot say where it is.
    let placed = |error| match error {
        Error::Publish { source, .. } => failed(source),
        error => error,
    };
    match location {
        Location::Path(path) => {
            let staged = StagedFile::create(path)?;
            let made = make(&mut staged.file()).map_err(placed)?;
            staged.commit()?;
            Ok(made)
        }
        #[cfg(feature = "object-store")]
        Location::Url(url) if matches!(url.scheme(), "s3" | "gs" | "az") => {
            let object = ObjectSource::new(url.as_str(), &sources.object_store, sources.http.clone())?;
            let mut writer = object.writer();
            let made = make(&mut writer).map_err(placed)?;
            writer.finish().map_err(failed)?;
            Ok(made)
        }
        Location::Url(_) => Err(failed(io::Error::other("only files and object stores can be written to"))),
    }
}

/// Writes `bytes`, an index of some other kind, as [`publish_index`] does.
///
/// # Errors
///
/// As [`publish_index`].
pub fn publish_bytes(bytes: &[u8], location: &Location, options: &SourceOptions) -> Result<(), Error> {
    publish(location, options, &|writer| writer.write_all(bytes))
}

/// That `location` cannot be written: a local disk is no place that may be back later.
fn unwritten(location: &Location, source: io::Error) -> Error {
    match location {
        Location::Path(path) => Error::Write { path: path.clone(), source },
        Location::Url(_) => Error::Publish { location: location.to_string(), source },
    }
}

pub(crate) type WriteTo<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

pub(crate) fn publish(location: &Location, options: &SourceOptions, write: WriteTo<'_>) -> Result<(), Error> {
    let _ = options;
    let publish = |source| unwritten(location, source);
    match location {
        // Nobody knows the name that it has until it is complete.
        Location::Path(path) => write_file(path, write).map_err(|error| match error {
            Error::Write { source, .. } => publish(source),
            error => error,
        }),
        #[cfg(feature = "object-store")]
        Location::Url(url) if matches!(url.scheme(), "s3" | "gs" | "az") => {
            let target = ObjectSource::new(url.as_str(), &options.object_store, options.http.clone())?;
            let mut writer = target.writer();
            write(&mut writer).and_then(|()| writer.finish()).map_err(publish)
        }
        Location::Url(_) => Err(publish(io::Error::other("only files and object stores can be written to"))),
    }
}

/// Opens the target at `location` as a source, which tries again when what fails may
/// pass, and keeps to the rate. A server is not asked anything yet.
///
/// # Errors
///
/// When a file cannot be opened, or a URL makes no valid request.
pub fn open_source(location: &Location, options: &SourceOptions) -> Result<Box<dyn Source>, Error> {
    Ok(gosync_blocksources::open_source(location, options)?)
}

/// Opens the places at `locations`, which all have the target of `expected` bytes, as
/// one source: the first that is good serves, and the others wait until it is not.
///
/// # Errors
///
/// As [`open_source`], for any of them.
pub fn open_sources(
    locations: &[Location],
    expected: Option<u64>,
    options: &SourceOptions,
) -> Result<Box<dyn Source>, Error> {
    Ok(gosync_blocksources::open_sources(locations, expected, options)?)
}

struct Counting<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}
