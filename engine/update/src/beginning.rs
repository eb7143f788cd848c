//! Opening what was published: its first bytes tell what it is, and are read once.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gosync_blocksources::{Begun, Document, Location, SourceOptions, open_beginning};
use gosync_chunks::{Source, SourceError, Transfer};
use gosync_files::entry;
use gosync_layers::format::Extent;

use crate::error::Error;

/// Bytes that are fetched at first, as many as a new connection of TCP sends at once
/// (RFC 6928): of an index of ours the header, and of small files the coarsest layer.
const START: u64 = 12 << 10;

/// What is no longer is fetched as a whole, in one more request.
const SHORT: u64 = 4 * START;

/// So long somebody may take to open a pipe that has a name.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something published, whose first bytes were read. A scheme that knows them asks for
/// [`parts`](Self::parts), or reads on as far as the beginning says that it goes.
pub struct Beginning {
    location: Location,
    /// What was read of a file.
    start: Vec<u8>,
    rest: Rest,
    limit: u64,
}

enum Rest {
    /// In an open file, or with a reader.
    Reader { reader: Box<dyn Read>, modified: Option<SystemTime> },
    /// Behind a URL.
    Remote(Box<Begun>),
}

/// What gives parts of something.
pub struct Parts {
    /// The first bytes.
    pub start: Vec<u8>,
    /// What has all of it.
    pub source: Arc<dyn Source>,
    /// Its length in bytes, if that is known.
    pub size: Option<u64>,
    /// What this cost so far.
    pub transfer: Transfer,
}

impl Beginning {
    /// Reads the first bytes of what is at `location`. Later no more than `limit` bytes are read.
    ///
    /// # Errors
    ///
    /// When it cannot be read or fetched, or is a directory.
    pub fn read(location: &Location, limit: u64, options: &SourceOptions) -> Result<Self, Error> {
        Self::read_first(location, START, limit, options)
    }

    /// The same with `len` bytes at first, where it is known how many will mostly do.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_first(location: &Location, len: u64, limit: u64, options: &SourceOptions) -> Result<Self, Error> {
        match location {
            Location::Path(path) => {
                let read = |source| Error::Read { path: path.clone(), source };
                let file = entry::open_waiting(path, PATIENCE).map_err(read)?;
                let metadata = file.metadata().map_err(read)?;
                if metadata.is_dir() {
                    return Err(read(io::ErrorKind::IsADirectory.into()));
                }
                Self::of(file, location, metadata.modified().ok(), limit)
            }
            Location::Url(_) => {
                let begun = Box::new(open_beginning(location, len, limit, options)?);
                Ok(Self { location: location.clone(), start: Vec::new(), rest: Rest::Remote(begun), limit })
            }
        }
    }

    /// Reads the first bytes of what `reader` gives, which is called `location`: messages do so, and
    /// what belongs to it is looked for beside that.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of(
        reader: impl Read + 'static,
        location: &Location,
        modified: Option<SystemTime>,
        limit: u64,
    ) -> Result<Self, Error> {
        let rest = Rest::Reader { reader: Box::new(reader), modified };
        let mut beginning = Self { location: location.clone(), start: Vec::new(), rest, limit };
        beginning.read_to(START.min(limit))?;
        Ok(beginning)
    }

    /// The path or URL that was asked for.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Where it was found, redirects followed.
    pub fn found_at(&self) -> &Location {
        match &self.rest {
            Rest::Reader { .. } => &self.location,
            Rest::Remote(begun) => begun.found_at(),
        }
    }

    /// The first bytes: some kilobytes, or as many as were asked for, or all there are.
    pub fn start(&self) -> &[u8] {
        match &self.rest {
            Rest::Reader { .. } => &self.start,
            Rest::Remote(begun) => begun.bytes(),
        }
    }

    /// Makes sure that the first `len` bytes are here, or all, where that is less.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are more than the limit.
    pub fn read_to(&mut self, len: u64) -> Result<(), Error> {
        match &mut self.rest {
            Rest::Remote(_) if len > self.limit => {
                Err(SourceError::TooLong { location: self.location.to_string(), limit: self.limit }.into())
            }
            Rest::Remote(begun) => Ok(begun.read_to(len)?),
            Rest::Reader { reader, .. } => {
                let location = &self.location;
                let read = |source| Error::Read { path: location.to_string().into(), source };
                if len > self.limit {
                    return Err(read(io::Error::other(format!("it has more than {} bytes", self.limit))));
                }
                let more = len.saturating_sub(self.start.len() as u64);
                reader.take(more).read_to_end(&mut self.start).map_err(read)?;
                Ok(())
            }
        }
    }

    /// Reads on until `extent` tells from the beginning how many bytes the whole has; `None` where
    /// it ends before that.
    ///
    /// # Errors
    ///
    /// Those of `extent`, and as [`read_to`](Self::read_to).
    pub fn length<E: From<Error>>(&mut self, extent: impl Fn(&[u8]) -> Result<Extent, E>) -> Result<Option<u64>, E> {
        loop {
            match extent(self.start())? {
                Extent::Whole(len) => return Ok(Some(len)),
                Extent::Head(len) => {
                    let had = self.start().len();
                    self.read_to(len)?;
                    if self.start().len() == had {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Length of the whole in bytes, where a server tells it.
    pub fn size(&self) -> Option<u64> {
        match &self.rest {
            Rest::Reader { .. } => None,
            Rest::Remote(begun) => begun.size(),
        }
    }

    /// Reads as many of the next `more` bytes as are known to be there, or with a reader: what
    /// follows something to its end, and does not belong to it.
    ///
    /// # Errors
    ///
    /// As [`read_to`](Self::read_to).
    pub fn read_behind(&mut self, more: u64) -> Result<(), Error> {
        let len = (self.start().len() as u64 + more).min(self.limit);
        match &self.rest {
            Rest::Remote(begun) if begun.size().is_none() => Ok(()),
            _ => self.read_to(len),
        }
    }

    /// Whether more follows than was read.
    pub fn is_followed(&mut self) -> bool {
        match &mut self.rest {
            Rest::Reader { reader, .. } => reader.take(1).read_to_end(&mut Vec::new()).is_ok_and(|read| read > 0),
            Rest::Remote(begun) => begun.is_followed(),
        }
    }

    /// A way to the rest by parts, where that is worth it.
    pub fn parts(&self) -> Option<Parts> {
        let Rest::Remote(begun) = &self.rest else { return None };
        let (source, size) = (begun.source()?, begun.size());
        let is_long = size.is_none_or(|size| size > SHORT.max(self.start().len() as u64));
        is_long.then(|| Parts { start: self.start().to_vec(), source, size, transfer: begun.transfer() })
    }

    /// What this cost so far; of a file, no requests.
    pub fn transfer(&self) -> Transfer {
        match &self.rest {
            Rest::Reader { .. } => Transfer { bytes: self.start.len() as u64, requests: 0 },
            Rest::Remote(begun) => begun.transfer(),
        }
    }

    /// Everything in one pass, and not held in memory, where it is in a file or with a reader.
    pub fn reader(&mut self) -> Option<impl Read> {
        match &mut self.rest {
            Rest::Reader { reader, .. } => Some(Cursor::new(&self.start).chain(reader)),
            Rest::Remote(_) => None,
        }
    }

    /// What was read.
    pub fn into_document(self) -> Document {
        let (found_at, transfer) = (self.found_at().clone(), self.transfer());
        let document = |bytes, modified| Document { bytes, location: found_at.clone(), modified, transfer };
        match self.rest {
            Rest::Reader { modified, .. } => document(self.start, modified),
            Rest::Remote(begun) => begun.into_document().unwrap_or_else(|| document(Vec::new(), None)),
        }
    }
}
