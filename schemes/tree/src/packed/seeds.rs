//! What is in the packed files that are here already: parts of new ones are looked for in it.

use std::io;
use std::sync::Arc;

use gosync_chunks::{ByteRange, Phase, Progress, ReadAt};
use gosync_files::LocalFile;
use gosync_packed::{Flat as OpenedFile, OpenError, Options, Plain, begins_packed, look_into};
use gosync_update::Error as UpdateError;
use hashbrown::HashSet;

use super::open::Begun;
use super::reopened::Spools;
use crate::error::Error;
use crate::flat::{Opens, Piece};
use crate::listing::Listing;
use crate::listing::entry::{Content, Kind};
use crate::scan::Scan;

/// Of more than so many times the length of what is wanted hardly anything is of use.
const MOST_TIMES: u64 = 8;

/// But so many bytes are opened in any case.
const LEAST: u64 = 64 << 20;

/// Opens packed files, up to a length of what is in them.
pub(crate) struct SeedOpener<'a> {
    left: u64,
    spools: &'a Spools,
    progress: &'a dyn Progress,
}

impl<'a> SeedOpener<'a> {
    /// One for new packed files that are opened to `wanted` bytes.
    pub(crate) fn new(wanted: u64, spools: &'a Spools, progress: &'a dyn Progress) -> Self {
        Self { left: LEAST.max(wanted.saturating_mul(MOST_TIMES)), spools, progress }
    }

    /// What is in the packed files of `tree`, at multiples of `unit` from `at` on. Those come first that
    /// are not in the new `listing`: they were changed, most likely. Files that cannot be opened are of
    /// no use.
    pub(crate) fn pieces(
        &mut self,
        tree: &Arc<Scan>,
        listing: &Listing,
        mut at: u64,
        unit: u64,
    ) -> Result<Vec<Piece>, UpdateError> {
        let contents = |listing: &Listing| -> Vec<(usize, Content)> {
            let entries = listing.entries().iter().enumerate();
            entries
                .filter_map(|(at, entry)| match entry.kind {
                    Kind::File(_, content) if content.length > 0 => Some((at, content)),
                    _ => None,
                })
                .collect()
        };
        let new: HashSet<Content> = contents(listing).into_iter().map(|(_, content)| content).collect();
        let mut seen = HashSet::new();
        let mut old = contents(&tree.listing);
        old.retain(|(_, content)| seen.insert(*content));
        old.sort_by_key(|(_, content)| new.contains(content));
        let mut files = Vec::new();
        for (entry, content) in old {
            match tree.open(entry) {
                Ok(file) if begins_packed(&*file).unwrap_or_default() => files.push((entry, content.length)),
                _ => {}
            }
        }
        self.progress.begin(Phase::Open, files.iter().map(|(_, length)| length).sum());
        let mut pieces = Vec::new();
        for (entry, _) in files {
            if self.left == 0 {
                break;
            }
            let Ok(file) = tree.open(entry) else { continue };
            let Some(plain) = self.open(&*file)? else { continue };
            let start = at.next_multiple_of(unit.max(1));
            let range = ByteRange::at(start, plain.size());
            at = range.end;
            pieces.push(Piece { range, tree: Arc::new(One(Arc::new(plain))), entry: 0 });
        }
        Ok(pieces)
    }

    /// What is in `file`, if that is packed.
    pub(crate) fn open_file(&mut self, file: &LocalFile) -> Result<Option<Plain>, UpdateError> {
        match self.left > 0 && begins_packed(file).unwrap_or_default() {
            true => self.open(file),
            false => Ok(None),
        }
    }

    fn open(&mut self, file: impl ReadAt) -> Result<Option<Plain>, UpdateError> {
        let options = Options { opened: self.left, ..Options::default() };
        let keep = |flat: &OpenedFile<_>| self.spools.get()?.keep(flat, |_| ());
        let opened = match look_into(file, &options, &Begun(self.progress)) {
            Ok(opened) if !opened.is_opened() => return Ok(None),
            Ok(opened) => keep(&opened),
            Err(OpenError::Cancelled(cancelled)) => return Err(cancelled.into()),
            Err(OpenError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        };
        let plain = opened.map_err(Error::write("what is in packed files to a temporary file".as_ref()))?;
        self.left = self.left.saturating_sub(plain.size());
        Ok(Some(plain))
    }
}

/// One file, whichever is asked for.
struct One(Arc<Plain>);

impl Opens for One {
    fn open(&self, _: usize) -> io::Result<Arc<dyn ReadAt>> {
        Ok(self.0.clone())
    }
}
