//! A folder in an object store: objects whose names begin alike.

use std::io;

use gosync_blocksources::{Location, ObjectSource, SourceOptions};
use gosync_chunks::{Source, SourceError};
use url::Url;

use crate::error::Error;
use crate::folder::{Caching, Folder, Held, WriteFile, within};

pub(super) struct Objects<'a> {
    location: Location,
    options: &'a SourceOptions,
}

impl<'a> Objects<'a> {
    pub(super) fn new(url: &Url, options: &'a SourceOptions) -> Self {
        Self { location: Location::Url(url.clone()), options }
    }

    fn object(&self, name: &str) -> Result<(ObjectSource, String), Error> {
        let location = within(&self.location, name);
        let url = match &location {
            Location::Url(url) => url.as_str(),
            Location::Path(_) => "",
        };
        let object = ObjectSource::new(url, &self.options.object_store, self.options.http.clone())?;
        Ok((object, location.to_string()))
    }
}

impl Folder for Objects<'_> {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Held>, Error> {
        match self.object(name)?.0.read_tagged(limit) {
            Ok((bytes, tag)) => Ok(Some(Held { bytes, tag })),
            Err(SourceError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn length(&self, name: &str) -> Result<Option<u64>, Error> {
        match self.object(name)?.0.size() {
            Err(SourceError::NotFound { .. }) => Ok(None),
            length => Ok(length?),
        }
    }

    fn put(&self, name: &str, caching: Caching, write: WriteFile<'_>) -> Result<(), Error> {
        let (object, location) = self.object(name)?;
        let mut writer = object.writer().with_cache_control(caching.control());
        write(&mut writer)?;
        writer.finish().map_err(|source| Error::Write { location, is_remote: true, source })
    }

    fn replace(&self, name: &str, bytes: &[u8], held: Option<&Held>) -> Result<bool, Error> {
        let (object, location) = self.object(name)?;
        let tag = held.map(|held| held.tag.as_deref());
        let replaced = object.replace(bytes, tag, Caching::Fresh.control());
        replaced.map_err(|error| Error::Write { location, is_remote: true, source: io::Error::other(error) })
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let (object, location) = self.object(name)?;
        match object.remove() {
            Ok(()) | Err(SourceError::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::Write { location, is_remote: true, source: io::Error::other(error) }),
        }
    }
}
