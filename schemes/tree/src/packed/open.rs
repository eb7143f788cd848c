//! Opening the packed files of a tree that is to be published.

use std::io;
use std::sync::Arc;

use gosync_chunks::{FileHash, Phase, Progress, ReadAt};
use gosync_packed::{OpenError, Options, Plain, Recipe, SHORT, Spool, begins_packed, open};
use hashbrown::HashMap;

use crate::contents::{Contents, Place};
use crate::error::Error;
use crate::flat::Opens;

/// Packed files that were opened.
pub(crate) struct OpenedFiles {
    /// By the numbers of their contents, each with the hash of what is opened.
    pub(crate) recipes: Vec<(usize, FileHash, Recipe)>,
    /// By the entries of the files.
    pub(crate) opened: HashMap<usize, Arc<Plain>>,
    pub(crate) packed_bytes: u64,
}

/// Those of `contents`, files of `tree`, that begin like packed files and are long enough to be opened.
pub(crate) fn candidates<'c>(contents: &'c Contents, tree: &dyn Opens) -> io::Result<Vec<(usize, &'c Place)>> {
    let long = contents.places.iter().enumerate().filter(|(_, place)| place.content.length > SHORT);
    let mut found = Vec::new();
    for (number, place) in long {
        if begins_packed(&*tree.open(place.entry)?)? {
            found.push((number, place));
        }
    }
    Ok(found)
}

/// Opens those of `contents`, files of `tree`, where that pays. What is in them is put into a temporary
/// file.
pub(crate) fn open_files(
    contents: &Contents,
    tree: &dyn Opens,
    called: &dyn Fn(usize) -> String,
    progress: &dyn Progress,
) -> Result<OpenedFiles, Error> {
    let listed = |source| Error::Read { path: called(0).into(), source };
    let candidates = candidates(contents, tree).map_err(listed)?;
    progress.begin(Phase::Open, candidates.iter().map(|(_, place)| place.content.length).sum());
    let progress = &Begun(progress);
    let spool = Spool::new(None).map_err(no_room)?;
    let mut files = OpenedFiles { recipes: Vec::new(), opened: HashMap::new(), packed_bytes: 0 };
    for (number, place) in candidates {
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => no_room(source),
            _ => Error::Read { path: called(place.entry).into(), source },
        };
        let file = tree.open(place.entry).map_err(unreadable)?;
        let opened = open(&*file, &Options::default(), progress).map_err(|error| match error {
            OpenError::Cancelled(cancelled) => cancelled.into(),
            OpenError::Io(source) => unreadable(source),
            error => unreadable(io::Error::other(error)),
        })?;
        if !opened.recipe().pays() {
            continue;
        }
        let mut hasher = blake3::Hasher::new();
        let plain = spool.keep(&opened, |bytes| _ = hasher.update_rayon(bytes)).map_err(unreadable)?;
        let hash = FileHash(*hasher.finalize().as_bytes());
        files.recipes.push((number, hash, opened.recipe().clone()));
        files.opened.insert(place.entry, Arc::new(plain));
        files.packed_bytes += place.content.length;
    }
    Ok(files)
}

fn no_room(source: io::Error) -> Error {
    Error::Write {
        path: "what is in packed files to a temporary file: there has to be room for all of it".into(),
        source,
    }
}

/// A tree with packed files that were opened.
pub(crate) struct WithOpened {
    pub(crate) tree: Arc<dyn Opens>,
    pub(crate) opened: HashMap<usize, Arc<Plain>>,
}

impl Opens for WithOpened {
    fn open(&self, entry: usize) -> io::Result<Arc<dyn ReadAt>> {
        match self.opened.get(&entry) {
            Some(opened) => Ok(opened.clone()),
            None => self.tree.open(entry),
        }
    }
}

/// A phase that has begun already, for all files together.
pub(crate) struct Begun<'a>(pub(crate) &'a dyn Progress);

impl Progress for Begun<'_> {
    fn begin(&self, _: Phase, _: u64) {}

    fn advance(&self, phase: Phase, bytes: u64) {
        self.0.advance(phase, bytes);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
