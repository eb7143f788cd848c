//! Opening indexes and sources by path or URL.

use std::cmp::Ordering;
use std::io::{self, Read};
use std::sync::Arc;

use gosync_blocksources::{
    FileSource, Mirrors, Pauses, Rate, RetryOptions, Retrying, Throttled, read_all, read_ranges,
};
#[cfg(feature = "http")]
use gosync_blocksources::{HttpOptions, HttpSource, Retry};
#[cfg(feature = "object-store")]
use gosync_blocksources::{ObjectSettings, ObjectSource};
#[cfg(feature = "ssh")]
use gosync_blocksources::{SshOptions, SshSource};
use gosync_chunks::{ByteRange, LocalFile, Source, SourceError, Transfer};
use url::Url;

use crate::format::Parts;
use crate::{Error, Format, FormatError, Index, Location, ReadOptions, write_index};

/// How to reach what is not on this machine.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// For `http` and `https` URLs.
    #[cfg(feature = "http")]
    pub http: HttpOptions,
    /// For `ssh` URLs.
    #[cfg(feature = "ssh")]
    pub ssh: SshOptions,
    /// For `s3`, `gs` and `az` URLs.
    #[cfg(feature = "object-store")]
    pub object_store: ObjectSettings,
    /// When to try again.
    pub retry: RetryOptions,
    /// How fast bytes may come, if not as fast as they can.
    pub rate: Option<Rate>,
    /// The clock that decorators pause by, and the wish to stop that ends their pauses.
    pub pauses: Pauses,
}

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
        Location::Url(url) => {
            let mut transfer = Transfer::default();
            if let Some(index) = open_in_parts(url, location, options, sources, &mut transfer)? {
                return Ok(OpenedIndex { index, location: location.clone(), transfer });
            }
            let (bytes, whole) = document(url, location, options.max_bytes, sources)?;
            transfer += whole;
            let index = Index::read(bytes.as_slice(), options).map_err(index_error)?;
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
    url: &Url,
    location: &Location,
    options: &ReadOptions,
    sources: &SourceOptions,
    transfer: &mut Transfer,
) -> Result<Option<Index>, Error> {
    let source = limited(persistent(open_url(url, location, sources)?, sources), sources);
    let Some(size) = source.size()?.filter(|&size| size > 4 * START) else { return Ok(None) };
    transfer.requests += 1;
    let place = location.to_string();
    let (start, fetched) = read_ranges(&*source, &place, &[ByteRange::at(0, START)])?;
    *transfer += fetched;
    let index_error = |source| Error::Index { location: place.clone(), source };
    if fetched.bytes > START || Index::format_of(&start).map_err(index_error)? != Format::Gosync {
        return Ok(None);
    }
    let head = Index::head_of(&start).map_err(index_error)?.to_vec();
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
        let name = match self.index.target_name() {
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
    let _ = options;
    let publish = |source| Error::Publish { location: location.to_string(), source };
    match location {
        Location::Path(path) => write_index(index, path),
        #[cfg(feature = "object-store")]
        Location::Url(url) if matches!(url.scheme(), "s3" | "gs" | "az") => {
            let target = ObjectSource::new(url.as_str(), &options.object_store, options.http.clone())?;
            let mut writer = target.writer();
            index.write(&mut writer).and_then(|()| writer.finish()).map_err(publish)
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
    let source = open_unlimited(location, options)?;
    Ok(if matches!(location, Location::Url(_)) { limited(source, options) } else { source })
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
    if let [location] = locations {
        return open_source(location, options);
    }
    let places = locations.iter().map(|location| Ok((location.to_string(), open_unlimited(location, options)?)));
    let mirrors = Mirrors::new(places.collect::<Result<Vec<_>, Error>>()?, expected);
    Ok(limited(Box::new(mirrors), options))
}

fn open_unlimited(location: &Location, options: &SourceOptions) -> Result<Box<dyn Source>, Error> {
    match location {
        Location::Path(path) => match LocalFile::open(path) {
            Ok(file) => Ok(Box::new(FileSource::new(file))),
            Err(source) => Err(SourceError::Read { location: path.display().to_string(), source }.into()),
        },
        Location::Url(url) => Ok(persistent(open_url(url, location, options)?, options)),
    }
}

fn open_url(url: &Url, location: &Location, options: &SourceOptions) -> Result<Box<dyn Source>, SourceError> {
    let _ = options;
    match url.scheme() {
        #[cfg(feature = "http")]
        "http" | "https" => Ok(Box::new(HttpSource::new(url.as_str(), options.http.clone())?)),
        #[cfg(feature = "ssh")]
        "ssh" => Ok(Box::new(SshSource::new(url.as_str(), options.ssh.clone())?)),
        #[cfg(feature = "object-store")]
        "s3" | "gs" | "az" => {
            Ok(Box::new(ObjectSource::new(url.as_str(), &options.object_store, options.http.clone())?))
        }
        scheme => Err(SourceError::Refused {
            location: location.to_string(),
            reason: format!("this program was built without support for {scheme} URLs"),
        }),
    }
}

fn persistent(source: Box<dyn Source>, options: &SourceOptions) -> Box<dyn Source> {
    Box::new(Retrying::new(source, options.retry, options.pauses.clone()))
}

fn limited(source: Box<dyn Source>, options: &SourceOptions) -> Box<dyn Source> {
    match options.rate {
        Some(rate) => Box::new(Throttled::new(source, rate, options.pauses.clone())),
        None => source,
    }
}

/// All that is at `url`.
fn document(
    url: &Url,
    location: &Location,
    limit: u64,
    options: &SourceOptions,
) -> Result<(Vec<u8>, Transfer), SourceError> {
    // A server need not tell the length of a document, unless there is a rate to keep to.
    #[cfg(feature = "http")]
    if matches!(url.scheme(), "http" | "https") && options.rate.is_none() {
        let server = HttpSource::new(url.as_str(), options.http.clone())?;
        let bytes = Retry::new(options.retry, options.pauses.clone()).run(|| server.read_all(limit))?;
        let transfer = Transfer { bytes: bytes.len() as u64, requests: server.requests() };
        return Ok((bytes, transfer));
    }
    let source = limited(persistent(open_url(url, location, options)?, options), options);
    read_all(&source, &location.to_string(), limit)
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
