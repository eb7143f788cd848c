//! Opening indexes and sources by path or URL.

use std::io::{self, Read};

use gosync_blocksources::{FileSource, HttpOptions, HttpSource};
use gosync_chunks::{LocalFile, Source, SourceError, Transfer};

use crate::{Error, Index, Location, ReadOptions};

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
pub fn open_index(location: &Location, options: &ReadOptions, http: &HttpOptions) -> Result<OpenedIndex, Error> {
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
            let server = HttpSource::new(url.as_str(), http.clone())?;
            let bytes = server.read_all(options.max_bytes)?;
            let index = Index::read(bytes.as_slice(), options).map_err(index_error)?;
            let transfer = Transfer { bytes: bytes.len() as u64, requests: server.requests() };
            Ok(OpenedIndex { index, location: location.clone(), transfer })
        }
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

/// Opens the target at `location` as a source. A server is not asked anything yet.
///
/// # Errors
///
/// When a file cannot be opened, or a URL makes no valid request.
pub fn open_source(location: &Location, http: &HttpOptions) -> Result<Box<dyn Source>, Error> {
    match location {
        Location::Path(path) => match LocalFile::open(path) {
            Ok(file) => Ok(Box::new(FileSource::new(file))),
            Err(source) => Err(SourceError::Read { location: path.display().to_string(), source }.into()),
        },
        Location::Url(url) => Ok(Box::new(HttpSource::new(url.as_str(), http.clone())?)),
    }
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
