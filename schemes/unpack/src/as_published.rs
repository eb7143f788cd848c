//! Streams that cannot be made here, as they are in the published file.

use std::fs::File;
use std::io;

use gosync_blocksources::Location;
use gosync_chunks::{ByteRange, Sink, SinkError, Source, Transfer};
use gosync_files::{LocalFile, write_all_at};
use gosync_layers::format::LayeredIndex;
use gosync_packed::Recipe;
use gosync_update::Error;

use crate::section::PackedInfo;

/// Where the packed file of `index`, which says `info` of it, is looked for: by its name beside
/// `places`, where the index and its payload are. There is none where nothing is needed of it,
/// because all its encoders are known here.
pub fn packed_locations<'l>(
    index: &LayeredIndex,
    info: &PackedInfo,
    places: impl IntoIterator<Item = &'l Location>,
) -> Vec<Location> {
    let (Some(name), Some(_)) = (index.target_name(), info.recipe.unknown().next()) else { return Vec::new() };
    let mut locations: Vec<Location> = places.into_iter().map(|place| place.beside(name.as_str())).collect();
    locations.dedup();
    locations
}

/// Fetches the streams of `recipe` that no encoder here makes from `published`, the packed file. They
/// lie at their places in a file without a name, between holes.
pub(crate) fn fetch(recipe: &Recipe, published: &dyn Source) -> Result<(LocalFile, Transfer), Error> {
    let path = "a temporary file".as_ref();
    let unwritable = |source| Error::Write { path: "a temporary file".into(), source };
    let make = || -> io::Result<File> {
        let file = tempfile::tempfile()?;
        file.set_len(recipe.packed_len())?;
        Ok(file)
    };
    let file = make().map_err(unwritable)?;
    let ranges: Vec<ByteRange> = recipe.unknown().map(|stream| stream.packed).collect();
    let transfer = published.fetch(&ranges, &ToFile(&file))?;
    Ok((LocalFile::new(path, file).map_err(unwritable)?, transfer))
}

struct ToFile<'a>(&'a File);

impl Sink for ToFile<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        Ok(write_all_at(self.0, data, offset)?)
    }
}
