//! All old data, opened: what of the target may already be here.

use std::io;
use std::path::{Path, PathBuf};

use gosync_chunks::{Progress, ReadAt};
use gosync_files::{LocalFile, Note};

use crate::error::Error;
use crate::seed::Seed;
use crate::target::Target;

/// All old data. A [`SeedId`](gosync_chunks::SeedId) counts through it.
#[derive(Default)]
pub struct Seeds {
    seeds: Vec<Seed>,
    missing: Vec<PathBuf>,
    unreadable: Vec<(PathBuf, io::Error)>,
}

impl Seeds {
    /// Opens the files at `paths` as `target` sees them. Those that do not exist or cannot be
    /// opened are no error: they have nothing to offer, and [`Self::missing`] and
    /// [`Self::unreadable`] tell which they are.
    ///
    /// # Errors
    ///
    /// When there is no room to unpack one, or `progress` cancels.
    pub fn open<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        target: &dyn Target,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let mut seeds = Self::default();
        for path in paths {
            let path = path.as_ref();
            match LocalFile::open(path) {
                Ok(file) => match target.seed(file, progress) {
                    Ok(seed) => seeds.seeds.push(seed),
                    Err(Error::Read { path, source }) => seeds.unreadable.push((path, source)),
                    Err(error) => return Err(error),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => seeds.missing.push(path.to_owned()),
                Err(error) => seeds.unreadable.push((path.to_owned(), error)),
            }
        }
        Ok(seeds)
    }

    /// Seeds that are no files.
    pub fn of(seeds: Vec<Seed>) -> Self {
        Self { seeds, ..Self::default() }
    }

    /// Those that exist, in the order in which they were given.
    pub fn all(&self) -> &[Seed] {
        &self.seeds
    }

    /// The paths where there is no file.
    pub fn missing(&self) -> &[PathBuf] {
        &self.missing
    }

    /// The paths of what cannot be read, and why.
    pub fn unreadable(&self) -> &[(PathBuf, io::Error)] {
        &self.unreadable
    }

    /// What there is to say of those that cannot be read.
    pub fn notes(&self) -> Vec<Note> {
        let note = |(path, error): &(PathBuf, io::Error)| {
            Note::new(path, format!("it cannot be read ({error}); what it has is fetched instead"))
        };
        self.unreadable.iter().map(note).collect()
    }

    pub(crate) fn data(&self) -> Vec<&dyn ReadAt> {
        self.seeds.iter().map(Seed::data).collect()
    }
}
