//! Opening what was published: its first bytes tell what it is, and are read once.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::SystemTime;

use gosync_blocksources::{Location, SourceOptions, open_document, open_source, read_ranges};
use gosync_chunks::{ByteRange, Source, Transfer};

use crate::error::Error;

/// Bytes that are fetched at first, as many as a new connection of TCP sends at once
/// (RFC 6928): of an index of ours the header, and of small files the coarsest layer.
const START: u64 = 12 << 10;

/// Something published, whose first bytes were read. A scheme that knows them goes on with
/// [`parts`](Self::parts), [`reader`](Self::reader) or [`read_all`](Self::read_all).
pub struct Beginning<'a> {
    location: &'a Location,
    options: &'a SourceOptions,
    start: Vec<u8>,
    rest: Rest,
    transfer: Transfer,
}

enum Rest {
    /// There is none: it was read whole.
    None { location: Location, modified: Option<SystemTime> },
    /// In an open file.
    File(File),
    /// Behind a source that gives parts, of so many bytes in all.
    There { source: Arc<dyn Source>, size: u64 },
}

/// Something that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where it was found, redirects followed: what relative URLs in it are relative to.
    pub location: Location,
    /// When it was last changed, as far as that is known.
    pub modified: Option<SystemTime>,
    /// What it cost; of a file, no requests.
    pub transfer: Transfer,
}

/// What gives parts of something.
pub struct Parts {
    /// The first bytes.
    pub start: Vec<u8>,
    /// What has all of it.
    pub source: Arc<dyn Source>,
    /// Its length in bytes.
    pub size: u64,
    /// What this cost so far.
    pub transfer: Transfer,
}

impl<'a> Beginning<'a> {
    /// Reads the first bytes of what is at `location`; where it is short and behind a URL, all of
    /// it, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// When it cannot be read or fetched, or is a directory.
    pub fn read(location: &'a Location, limit: u64, options: &'a SourceOptions) -> Result<Self, Error> {
        let (start, rest, transfer) = match location {
            Location::Path(path) => {
                let read = |source| Error::Read { path: path.clone(), source };
                let mut file = File::open(path).map_err(read)?;
                if file.metadata().map_err(read)?.is_dir() {
                    return Err(read(io::ErrorKind::IsADirectory.into()));
                }
                let mut start = Vec::new();
                file.by_ref().take(START).read_to_end(&mut start).map_err(read)?;
                (start, Rest::File(file), Transfer::default())
            }
            Location::Url(_) => {
                let source: Arc<dyn Source> = Arc::from(open_source(location, options)?);
                match source.size()?.filter(|&size| size > 4 * START) {
                    Some(size) => {
                        let place = location.to_string();
                        let (start, mut transfer) = read_ranges(&*source, &place, &[ByteRange::at(0, START)])?;
                        transfer.requests += 1;
                        // A server that has no parts would send all of it for each.
                        match transfer.bytes > START {
                            false => (start, Rest::There { source, size }, transfer),
                            true => fetched(location, limit, options, transfer)?,
                        }
                    }
                    None => fetched(location, limit, options, Transfer::default())?,
                }
            }
        };
        Ok(Self { location, options, start, rest, transfer })
    }

    /// The first bytes: some kilobytes, or all there are.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// A way to the rest by parts, where that is worth it.
    pub fn parts(&self) -> Option<Parts> {
        match &self.rest {
            Rest::There { source, size } => {
                Some(Parts { start: self.start.clone(), source: source.clone(), size: *size, transfer: self.transfer })
            }
            Rest::None { .. } | Rest::File(_) => None,
        }
    }

    /// Everything, in one pass, and what fetching it cost. A file is not held in memory.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched, or has more than `limit` bytes where it is behind a URL.
    pub fn reader(self, limit: u64) -> Result<(Box<dyn Read>, Transfer), Error> {
        match self.rest {
            Rest::File(file) => Ok((Box::new(io::Cursor::new(self.start).chain(file)), self.transfer)),
            _ => {
                let document = self.read_all(limit)?;
                Ok((Box::new(io::Cursor::new(document.bytes)), document.transfer))
            }
        }
    }

    /// Everything, of up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or has more.
    pub fn read_all(self, limit: u64) -> Result<Document, Error> {
        let Self { location, options, start: mut bytes, rest, mut transfer } = self;
        match rest {
            Rest::None { location, modified } => Ok(Document { bytes, location, modified, transfer }),
            Rest::File(file) => {
                let read = |source| Error::Read { path: location.to_string().into(), source };
                let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
                let left = limit.saturating_sub(bytes.len() as u64);
                file.take(left.saturating_add(1)).read_to_end(&mut bytes).map_err(read)?;
                if bytes.len() as u64 > limit {
                    let source = io::Error::other(format!("it has more than {limit} bytes"));
                    return Err(read(source));
                }
                transfer.bytes = bytes.len() as u64;
                Ok(Document { bytes, location: location.clone(), modified, transfer })
            }
            // Its place and its date come with the whole of it only.
            Rest::There { .. } => {
                let document = open_document(location, limit, options)?;
                transfer += document.transfer;
                let gosync_blocksources::Document { bytes, location, modified, .. } = document;
                Ok(Document { bytes, location, modified, transfer })
            }
        }
    }
}

/// The whole of it, after what it cost to find that out.
fn fetched(
    location: &Location,
    limit: u64,
    options: &SourceOptions,
    mut transfer: Transfer,
) -> Result<(Vec<u8>, Rest, Transfer), Error> {
    let document = open_document(location, limit, options)?;
    transfer += document.transfer;
    let gosync_blocksources::Document { bytes, location, modified, .. } = document;
    Ok((bytes, Rest::None { location, modified }, transfer))
}
