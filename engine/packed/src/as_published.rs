//! Streams that cannot be made here, as they are in the published file.

use std::fs::File;

use gosync_chunks::{ByteRange, Sink, SinkError, Source, Transfer};
use gosync_files::{LocalFile, write_all_at};

use crate::error::FetchError;
use crate::recipe::Recipe;

/// Fetches the streams of `recipe` that no encoder here makes from `published`, the packed file. They
/// lie at their places in a file without a name, between holes, as [`Close`](crate::Close) takes them.
///
/// # Errors
///
/// When `published` does not deliver, or the temporary file cannot be written.
pub fn fetch_unknown(recipe: &Recipe, published: &dyn Source) -> Result<(LocalFile, Transfer), FetchError> {
    let file = tempfile::tempfile()?;
    file.set_len(recipe.packed_len())?;
    let ranges: Vec<ByteRange> = recipe.unknown().map(|stream| stream.packed).collect();
    let transfer = published.fetch(&ranges, &ToFile(&file))?;
    Ok((LocalFile::new("a temporary file".as_ref(), file)?, transfer))
}

struct ToFile<'a>(&'a File);

impl Sink for ToFile<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        Ok(write_all_at(self.0, data, offset)?)
    }
}
