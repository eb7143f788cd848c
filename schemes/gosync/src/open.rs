//! Opening indexes by path or URL.

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::Transfer;
use gosync_layers::format::{LayeredIndex, ReadOptions};
use gosync_update::{Beginning, Parts};

use crate::error::Error;
use crate::index::Index;

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

/// Reads the index at `location`, in any [`Format`](crate::Format). Of a long one in our own format
/// that is behind a URL only the beginning is read, and the rest when it is needed.
///
/// # Errors
///
/// When it cannot be read or fetched, or is no sound index.
pub fn open(location: &Location, options: &ReadOptions, sources: &SourceOptions) -> Result<OpenedIndex, Error> {
    OpenedIndex::read(Beginning::read(location, options.max_bytes, sources)?, location, options)
}

impl OpenedIndex {
    /// Reads the index at `location`, which was begun.
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub fn read(beginning: Beginning<'_>, location: &Location, options: &ReadOptions) -> Result<Self, Error> {
        let unusable = |source| Error::from(gosync_update::Error::Index { location: location.to_string(), source });
        let opened = |index, transfer| Self { index, location: location.clone(), transfer };
        if LayeredIndex::begins(beginning.start()).map_err(unusable)?
            && let Some(Parts { source, start, size, transfer }) = beginning.parts()
            && let Some(index) =
                LayeredIndex::open(source, &location.to_string(), start, size, options).map_err(unusable)?
        {
            return Ok(opened(Index::Layered(index), transfer));
        }
        let is_file = matches!(location, Location::Path(_));
        let (reader, mut transfer) = beginning.reader(options.max_bytes)?;
        let index = Index::read(reader, options).map_err(unusable)?;
        if is_file {
            transfer.bytes = index.info().index_bytes;
        }
        Ok(opened(index, transfer))
    }

    /// Where the target is when nobody says: beside the index, under the name that the
    /// index gives. An index that gives none is named after its target, as in
    /// `target.gosync`.
    pub fn default_source(&self) -> Option<Location> {
        let name = match (self.index.info().source_name(), &self.location) {
            (Some(name), _) => name.as_str().to_owned(),
            // It need not be text.
            (None, Location::Path(path)) => {
                let is_index = path.extension().is_some_and(|extension| extension == "gosync");
                return is_index.then(|| Location::Path(path.with_extension("")));
            }
            (None, Location::Url(_)) => {
                self.location.file_name()?.strip_suffix(".gosync").filter(|name| !name.is_empty())?.to_owned()
            }
        };
        Some(self.location.beside(&name))
    }
}
