//! Where a publication is: a folder of files, each of which is replaced at once.

use std::fs::File;
use std::io::{self, Write};

use gosync_blocksources::Location;

use crate::error::Error;

/// What writes the bytes of a file.
pub type WriteFile<'a> = &'a mut dyn FnMut(&mut (dyn Write + Send)) -> Result<(), Error>;

/// A place for files that belong together, of which one is replaced now and then: a directory here
/// or where ssh leads to, or objects in a store whose names begin alike.
pub trait Folder: Send + Sync {
    /// Reads the file called `name`, if it is there.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or has more than `limit` bytes.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Held>, Error>;

    /// How many bytes the file called `name` has, if it is there.
    ///
    /// # Errors
    ///
    /// When that cannot be found out.
    fn length(&self, name: &str) -> Result<Option<u64>, Error>;

    /// Writes the file called `name`, which takes its name, and the place of what had it, only when
    /// it is complete.
    ///
    /// # Errors
    ///
    /// Those of `write`, and when it cannot be written.
    fn put(&self, name: &str, caching: Caching, write: WriteFile<'_>) -> Result<(), Error>;

    /// Replaces the file called `name`, which is to be as it was when it was `held`, or not there if
    /// it was not. Tells whether it was so: if not, nothing is written.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn replace(&self, name: &str, bytes: &[u8], held: Option<&Held>) -> Result<bool, Error>;

    /// Removes the file called `name`, and what an interrupted [`put`](Self::put) left of it. It need
    /// not be there.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    fn remove(&self, name: &str) -> Result<(), Error>;

    /// A file of no name for what is made before it is known what it will be called.
    ///
    /// # Errors
    ///
    /// When there is no room for it.
    fn scratch(&self) -> io::Result<File> {
        tempfile::tempfile()
    }
}

/// What a file was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What was in it.
    pub bytes: Vec<u8>,
    /// What the store calls this version of it.
    pub(crate) tag: Option<String>,
}

impl Held {
    /// What was in a file of a folder that has no names for its versions.
    pub fn untagged(bytes: Vec<u8>) -> Self {
        Self { bytes, tag: None }
    }
}

/// For how long caches may keep a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// For ever: it is never replaced.
    Immutable,
    /// Not without asking.
    Fresh,
}

impl Caching {
    /// The value of `Cache-Control`.
    pub fn control(self) -> &'static str {
        match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Fresh => "no-cache",
        }
    }
}

/// The location of the file called `name` in the folder at `location`.
pub fn within(location: &Location, name: &str) -> Location {
    match location {
        Location::Path(path) => Location::Path(path.join(name)),
        Location::Url(url) => {
            let mut url = url.clone();
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            Location::Url(url).beside(name)
        }
    }
}
