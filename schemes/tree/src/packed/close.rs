//! Closing the packed files that were brought together.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use gosync_chunks::{ByteRange, ErrorKind, FileHash, Progress, ReadAt, Source, SourceError, Transfer};
use gosync_files::LocalFile;
use gosync_packed::{Close, CloseError, FetchError, Recipe, closing_time, fetch_unknown};
use gosync_update::Error as UpdateError;
use rayon::current_num_threads;

use super::open::Begun;
use crate::contents::Place;
use crate::error::Error;
use crate::listing::path::shown;
use crate::published::Opened;

/// A packed file that is to be made of what was fetched.
pub(crate) struct Closing {
    /// Where it is opened in the flat target.
    pub(crate) range: ByteRange,
    pub(crate) recipe: Recipe,
    /// Its streams that cannot be made here, as they were published.
    pub(crate) unknown: Option<LocalFile>,
}

/// What closing packed files will take, or took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClosedFiles {
    /// How many packed files are made of what is in them.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many bytes of streams are fetched as they were published, because the encoders are not known
    /// here.
    pub unknown_bytes: u64,
    /// How long it is expected to take to make the others; nothing where it is done.
    pub time: Duration,
}

impl ClosedFiles {
    /// Those of `recipes`.
    pub(crate) fn of(recipes: &[Recipe]) -> Self {
        let unknown = recipes.iter().flat_map(Recipe::unknown).map(|stream| stream.packed.len());
        Self {
            files: recipes.len() as u64,
            bytes: recipes.iter().map(Recipe::packed_len).sum(),
            unknown_bytes: unknown.sum(),
            time: closing_time(recipes, current_num_threads()),
        }
    }

    /// Counts one that is made of what was fetched.
    pub(crate) fn add(&mut self, Closing { recipe, .. }: &Closing) {
        self.files += 1;
        self.bytes += recipe.packed_len();
        self.unknown_bytes += recipe.unknown().map(|stream| stream.packed.len()).sum::<u64>();
    }
}

/// What is needed to make the packed file of `recipe`, at `place`; `open` opens it as it was published,
/// where something is needed of that.
pub(crate) fn prepare(
    opened: &Opened,
    place: &Place,
    recipe: Recipe,
    open: &dyn Fn(usize) -> Option<Result<Box<dyn Source>, SourceError>>,
) -> Result<(Closing, Transfer), UpdateError> {
    let streams = recipe.unknown().count();
    if streams == 0 {
        return Ok((Closing { range: place.range(), recipe, unknown: None }, Transfer::default()));
    }
    let path = || shown(&opened.listing.entries()[place.entry].path);
    let Some(published) = open(place.entry) else {
        return Err(Error::UnknownEncoder { path: path(), streams }.into());
    };
    let (file, transfer) = fetch_unknown(&recipe, &*published?).map_err(|error| match error {
        FetchError::Source(error) => error.into(),
        FetchError::Io(error) => Error::write("a temporary file".as_ref())(error).into(),
        error => UpdateError::target(ErrorKind::Other, error),
    })?;
    Ok((Closing { range: place.range(), recipe, unknown: Some(file) }, transfer))
}

impl Closing {
    /// Makes the packed file in `to`, which is called `path`, of the flat target `fetched`: it is to have
    /// this `hash`.
    pub(crate) fn write(
        &self,
        fetched: &LocalFile,
        hash: FileHash,
        to: &File,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let opened = Part { data: fetched, range: self.range };
        let packed = self.unknown.as_ref().map(|packed| packed as &dyn ReadAt);
        let close = Close { recipe: &self.recipe, opened: &opened, packed, progress: &Begun(progress) };
        let mut out = Hashed { out: BufWriter::with_capacity(1 << 20, to), hasher: blake3::Hasher::new() };
        let wrong = || Error::WrongPacked { path: path.display().to_string() };
        close.write(&mut out).map_err(|error| match error {
            CloseError::Cancelled(cancelled) => cancelled.into(),
            CloseError::Io(source) => Error::write(path)(source),
            _ => wrong(),
        })?;
        out.out.flush().map_err(Error::write(path))?;
        if *out.hasher.finalize().as_bytes() == hash.0 { Ok(()) } else { Err(wrong()) }
    }
}

/// A range of data, as all of it.
struct Part<'a> {
    data: &'a LocalFile,
    range: ByteRange,
}

impl ReadAt for Part<'_> {
    fn size(&self) -> u64 {
        self.range.len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.size()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.data.read_exact_at(self.range.start + offset, buffer)
    }
}

struct Hashed<'a> {
    out: BufWriter<&'a File>,
    hasher: blake3::Hasher,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
