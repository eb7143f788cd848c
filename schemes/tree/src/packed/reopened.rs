//! Packed files that are here as they were published, as the flat target has them: opened.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use gosync_chunks::ReadAt;
use gosync_packed::{Plain, Spool, reopen};

use super::recipes::Recipes;
use crate::contents::Place;
use crate::flat::Opens;

/// A packed file of a tree, which is opened when it is read first. Mostly it never is: it is only read
/// where a frame of the payload is decoded by it.
pub(crate) struct Reopened {
    pub(crate) tree: Arc<dyn Opens>,
    pub(crate) recipes: Arc<Recipes>,
    pub(crate) place: Place,
    /// What all of them are opened to.
    pub(crate) spools: Arc<Spools>,
    pub(crate) opened: Mutex<Option<Arc<Plain>>>,
}

/// A temporary file that is made when it is needed.
#[derive(Default)]
pub(crate) struct Spools(Mutex<Option<Arc<Spool>>>);

impl Spools {
    pub(crate) fn get(&self) -> io::Result<Arc<Spool>> {
        let mut spool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spool) = &*spool {
            return Ok(spool.clone());
        }
        Ok(spool.insert(Spool::new(None)?).clone())
    }
}

impl Opens for Reopened {
    fn open(&self, entry: usize) -> io::Result<Arc<dyn ReadAt>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let file = self.tree.open(entry)?;
        let Some(recipe) = self.place.recipe(&self.recipes).map_err(io::Error::other)? else { return Ok(file) };
        let plain = reopen(&recipe, &*file, &self.spools.get()?, &()).map_err(io::Error::other)?;
        Ok(opened.insert(Arc::new(plain)).clone())
    }
}
