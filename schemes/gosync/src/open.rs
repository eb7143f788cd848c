//! Opening indexes by path or URL, or from a reader.

use std::io::Read;

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::Transfer;
use gosync_files::entry::kind_of_name;
use gosync_layers::format::{FormatError, LayeredIndex, ReadOptions};
use gosync_update::{Beginning, Parts};

use crate::error::Error;
use crate::index::Index;

/// An index, and what it cost to get.
#[derive(Clone, Debug)]
pub struct OpenedIndex {
    /// The index.
    pub index: Index,
    /// Where it was asked for.
    pub location: Location,
    /// Where it was found, redirects followed.
    pub found_at: Location,
    /// Bytes and requests; of a file, no requests.
    pub transfer: Transfer,
}

/// Reads the index at `location`, in any [`Format`](crate::Format). Of a long one in our own format
/// that is behind a URL only the beginning is read, and the rest when it is needed. Of any other
/// as much is read as it says that it has.
///
/// # Errors
///
/// When it cannot be read or fetched, or is no sound index.
pub fn open(location: &Location, options: &ReadOptions, sources: &SourceOptions) -> Result<OpenedIndex, Error> {
    OpenedIndex::read(Beginning::read(location, options.max_bytes, sources)?, options)
}

/// Reads an index from `reader`. Messages call it `location`, and its target is beside that.
///
/// ```
/// use gosync::publish::{BuildOptions, Publisher};
/// use gosync::{Format, ReadOptions, sources::SourceOptions};
///
/// # let (options, sources) = (BuildOptions::default(), SourceOptions::default());
/// let publisher = Publisher { format: Format::Layered, options: &options, sources: &sources, progress: &() };
/// let index = publisher.build_of(&b"One fish, two fish.".to_vec(), Some("fish.txt"))?;
/// let mut bytes = Vec::new();
/// index.write(&mut bytes)?;
///
/// let location = "https://example.org/fish.txt.gosync".parse()?;
/// let opened = gosync::open_reader(std::io::Cursor::new(bytes), &location, &ReadOptions::default())?;
/// assert_eq!(opened.index, index);
/// assert_eq!(opened.default_sources()[0].to_string(), "https://example.org/fish.txt");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`open`].
pub fn open_reader(
    reader: impl Read + 'static,
    location: &Location,
    options: &ReadOptions,
) -> Result<OpenedIndex, Error> {
    OpenedIndex::read(Beginning::of(reader, location, None, options.max_bytes)?, options)
}

impl OpenedIndex {
    /// Reads an index that was begun.
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub fn read(mut beginning: Beginning, options: &ReadOptions) -> Result<Self, Error> {
        let location = beginning.location().clone();
        let unusable = |source| Error::from(gosync_update::Error::Index { location: location.to_string(), source });
        if let Some(reader) = beginning.reader() {
            let index = Index::read(reader, options).map_err(unusable)?;
            let transfer = Transfer { bytes: index.info().index_bytes, requests: 0 };
            return Ok(Self { index, found_at: location.clone(), location, transfer });
        }
        let len = beginning.length(|start| Index::extent(start, options).map_err(unusable))?;
        let len = len.ok_or_else(|| unusable(FormatError::Truncated { len: beginning.start().len() as u64 }))?;
        // What has another length is not fetched to find that out.
        match beginning.size() {
            Some(size) if size < len => return Err(unusable(FormatError::Truncated { len: size })),
            Some(size) if size > len => return Err(unusable(FormatError::Trailing { len })),
            _ => {}
        }
        let found_at = beginning.found_at().clone();
        if LayeredIndex::begins(beginning.start()).map_err(unusable)?
            && let Some(Parts { source, start, transfer, .. }) = beginning.parts()
        {
            let index = LayeredIndex::open(source, &location.to_string(), start, options).map_err(unusable)?;
            return Ok(Self { index: Index::Layered(index), location, found_at, transfer });
        }
        beginning.read_to(len)?;
        if beginning.is_followed() {
            return Err(unusable(FormatError::Trailing { len }));
        }
        let index = Index::read(beginning.start(), options).map_err(unusable)?;
        Ok(Self { index, transfer: beginning.transfer(), location, found_at })
    }

    /// Where the target may be when nobody says, the likeliest place first: beside the index, under
    /// the name that the index gives, and where redirects led, beside that. An index that
    /// gives none is named after its target, as in `target.gosync`. Where this system takes the name
    /// for anything but a file's, there is none.
    pub fn default_sources(&self) -> Vec<Location> {
        let info = self.index.info();
        let beside = |index: &Location| match (info.source_name(), index) {
            (Some(name), _) => Some(index.beside(name.as_str())),
            // It need not be text.
            (None, Location::Path(path)) => {
                let is_index = path.extension().is_some_and(|extension| extension == "gosync");
                is_index.then(|| Location::Path(path.with_extension("")))
            }
            (None, Location::Url(_)) => {
                let name = index.file_name()?;
                let name = name.strip_suffix(".gosync").filter(|name| !name.is_empty())?;
                Some(index.beside(name))
            }
        };
        let is_file = |place: &Location| place.as_path().is_none_or(|path| kind_of_name(path).is_none());
        let beside_each = [&self.location, &self.found_at].into_iter().filter_map(beside);
        let mut sources: Vec<Location> = beside_each.filter(is_file).collect();
        sources.dedup();
        sources
    }

    /// The first of [`default_sources`](Self::default_sources).
    pub fn default_source(&self) -> Option<Location> {
        self.default_sources().into_iter().next()
    }
}
