//! All old data, opened: what of the target may already be here.

use std::io;
use std::path::{Path, PathBuf};

use gosync_chunks::ReadAt;
use gosync_files::LocalFile;

use crate::error::Error;
use crate::seed::Seed;
use crate::target::Target;

/// All old data. A [`SeedId`](gosync_chunks::SeedId) counts through it.
#[derive(Default)]
pub struct Seeds {
    seeds: Vec<Seed>,
    missing: Vec<PathBuf>,
}

impl Seeds {
    /// Opens the files at `paths` as `target` sees them. Those that do not exist are no error:
    /// they have nothing to offer, and [`Self::missing`] tells which they are.
    ///
    /// # Errors
    ///
    /// When a file exists but cannot be opened.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, target: &dyn Target) -> Result<Self, Error> {
        let mut seeds = Self::default();
        for path in paths {
            let path = path.as_ref();
            match LocalFile::open(path) {
                Ok(file) => seeds.seeds.push(target.seed(file)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => seeds.missing.push(path.to_owned()),
                Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
            }
        }
        Ok(seeds)
    }

    /// Seeds that are no files.
    pub fn of(seeds: Vec<Seed>) -> Self {
        Self { seeds, missing: Vec::new() }
    }

    /// Those that exist, in the order in which they were given.
    pub fn all(&self) -> &[Seed] {
        &self.seeds
    }

    /// The paths where there is no file.
    pub fn missing(&self) -> &[PathBuf] {
        &self.missing
    }

    pub(crate) fn data(&self) -> Vec<&dyn ReadAt> {
        self.seeds.iter().map(Seed::data).collect()
    }
}
