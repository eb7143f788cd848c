//! The temporary file beside a target, which takes its place once it is complete.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use gosync_chunks::{Plan, ReadAt, Step};
use gosync_files::space::Free;
use gosync_files::{LocalFile, Note, access, entry, space};

#[cfg(doc)]
use crate::patch::Patch;
use crate::place::complete::{CompleteFile, Placement, unsynced};
use crate::place::error::StageError;
use crate::place::journal::{Journal, TargetId};
use crate::place::names::{journal_path, resolve, temporary_path};
use crate::place::temporary::{TemporaryFile, open_leftover};

/// A temporary file in the target's directory, named `.NAME.gosync-part`.
///
/// It is created exclusively, for its owner alone, and locked as long as this lives, so
/// that no two processes make the same target at once. When this is dropped without
/// [`commit`](Self::commit) or [`keep`](Self::keep), the file is removed and the target
/// is as it was.
///
/// What is kept, or left by a run that was killed, the next run goes on with where both
/// [`resume`](Self::resume) the same target: its [`TargetId`] stands in
/// `.NAME.gosync-journal`. Otherwise it is a [left-over](Self::take_leftover).
///
/// A target that is a symbolic link to a file is resolved first: the file behind it is
/// replaced, and the link goes on pointing to it.
#[derive(Debug)]
pub struct StagedFile {
    placement: Placement,
    leftover: Option<LocalFile>,
    is_resumed: bool,
    has_fetched: AtomicBool,
    is_finished: bool,
}

/// Tries to win against other processes that come and go.
const ATTEMPTS: usize = 16;

impl StagedFile {
    /// Creates the temporary file of `target`, a file or the name of one to be.
    ///
    /// # Errors
    ///
    /// When `target` is anything but a file or cannot be looked at, another process has
    /// it staged, or its directory is missing or not to be written.
    pub fn create(target: &Path) -> Result<Self, StageError> {
        Self::beside(target, None)
    }

    /// As [`create`](Self::create), but goes on with what an earlier run left that was to
    /// make the same target: [`Patch::write_to_file`] verifies what is there and leaves it
    /// out. What was to become anything else is there to be [taken](Self::take_leftover).
    ///
    /// # Errors
    ///
    /// As `create`.
    pub fn resume(target: &Path, id: TargetId) -> Result<Self, StageError> {
        Self::beside(target, Some(id))
    }

    /// Creates the temporary file of `target` at `path`, on the same file system: one of many
    /// that the caller keeps a journal of. `target` is taken as it is: a link is replaced and
    /// not followed.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_at(target: &Path, path: &Path) -> Result<Self, StageError> {
        Self::open(target.to_owned(), path, None, false)
    }

    /// As [`create_at`](Self::create_at), but goes on with what is at `path`, of which the
    /// caller's journal tells that it was to make the same target. Tells by
    /// [`is_resumed`](Self::is_resumed) whether there was anything.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn resume_at(target: &Path, path: &Path) -> Result<Self, StageError> {
        Self::open(target.to_owned(), path, None, true)
    }

    fn beside(target: &Path, id: Option<TargetId>) -> Result<Self, StageError> {
        let target = resolve(target)?;
        let path = temporary_path(&target);
        let journal = Journal::new(journal_path(&target), id);
        Self::open(target, &path, Some(journal), false)
    }

    fn open(target: PathBuf, path: &Path, journal: Option<Journal>, is_noted: bool) -> Result<Self, StageError> {
        if entry::is_in_use(&target) {
            return Err(StageError::InUse { path: target });
        }
        if let Some(why) = entry::obstacle(&target) {
            return Err(StageError::Irreplaceable { path: target, why });
        }
        let failed = |source| StageError::Leftover { path: path.to_owned(), source };
        let mut leftover = None;
        for _ in 0..ATTEMPTS {
            let (temporary, is_old) = match TemporaryFile::create(path)? {
                Some(created) => {
                    journal.as_ref().map_or(Ok(()), Journal::write)?;
                    (created, false)
                }
                None => {
                    let Some(old) = open_leftover(path)? else { continue };
                    let is_noted = is_noted || journal.as_ref().is_some_and(Journal::holds);
                    if !is_noted || !access::is_ours(&old, &target) {
                        entry::remove(path).map_err(failed)?;
                        let old = LocalFile::new(path, old).map_err(failed)?;
                        leftover = Some(old).filter(|old| old.size() > 0).or(leftover);
                        continue;
                    }
                    // Where modes cannot be set, it has the one that it can have.
                    let _ = access::restrict(&old);
                    (TemporaryFile::own(path, old), true)
                }
            };
            let is_resumed = is_old && temporary.file().metadata().is_ok_and(|metadata| metadata.len() > 0);
            return Ok(Self {
                placement: Placement { target, temporary, journal, is_synced: true },
                leftover,
                is_resumed,
                has_fetched: AtomicBool::new(is_resumed),
                is_finished: true,
            });
        }
        Err(StageError::Busy { path: path.to_owned() })
    }

    /// Does not wait for the disk when it is committed: after a power failure there may then be
    /// neither the old file nor the new.
    #[must_use]
    pub fn without_sync(mut self) -> Self {
        self.placement.is_synced = false;
        self
    }

    /// What an earlier run left that was killed or [kept](Self::keep) its file, and that
    /// this one does not go on with: good for one more seed. Its name is gone, so its bytes are lost with the returned value.
    pub fn take_leftover(&mut self) -> Option<LocalFile> {
        self.leftover.take()
    }

    /// The file that is or will be replaced, behind symbolic links.
    pub fn target(&self) -> &Path {
        &self.placement.target
    }

    /// Where the temporary file is.
    pub fn path(&self) -> &Path {
        self.placement.temporary.path()
    }

    /// The temporary file, open for reading and writing. Callers that write to it answer
    /// for what is committed.
    pub fn file(&self) -> &File {
        self.placement.temporary.file()
    }

    /// The temporary file as data.
    ///
    /// # Errors
    ///
    /// When it cannot be opened once more.
    pub fn reader(&self) -> io::Result<LocalFile> {
        LocalFile::new(self.path(), self.file().try_clone()?)
    }

    /// Whether this goes on with what an earlier run left.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Whether the file holds something that was fetched, by this run or the one that it
    /// goes on with: what is worth being [kept](Self::keep).
    pub fn has_fetched(&self) -> bool {
        self.has_fetched.load(Ordering::Relaxed)
    }

    /// Puts the file in the target's place, so that even after a power failure there is
    /// the old file or the new.
    ///
    /// A replaced file's owner, mode, access control list and attributes are kept as far as
    /// this process may set them; a new one gets what any new file gets. What could not be done
    /// apart from the content is in what is returned.
    ///
    /// # Errors
    ///
    /// When a patch into it failed or it cannot be written to disk or renamed. In the latter
    /// cases the temporary file is kept, for a later run to go on with.
    pub fn commit(self) -> Result<Vec<Note>, StageError> {
        let target = self.target().to_owned();
        let is_synced = self.placement.is_synced;
        let mut notes = self.complete()?.put_in_place()?;
        if is_synced {
            let synced = entry::sync_directory(entry::directory_of(&target));
            notes.extend(synced.err().map(|error| unsynced(&target, &error)));
        }
        Ok(notes)
    }

    /// Looks whether `plan`, with these `seeds`, fits where the file is, and `more` bytes beside it.
    ///
    /// # Errors
    ///
    /// [`StageError::NoRoom`] where it surely does not. What is fetched is reckoned with, and what
    /// is copied where that takes room; not so holes and what the file has already.
    pub fn check_room(&self, plan: &Plan, seeds: &[&dyn ReadAt], more: u64) -> Result<(), StageError> {
        let Some(Free { bytes: free, may_share }) = space::free(self.file()) else { return Ok(()) };
        let standing = space::taken(self.file());
        let needed = |copied: u64| (plan.fetched_bytes() + copied).saturating_sub(standing).saturating_add(more);
        // Holes are looked for only where it may depend on them.
        if needed(plan.copied_bytes()) <= free {
            return Ok(());
        }
        let copied = if may_share { 0 } else { copied_data(plan, seeds) };
        match needed(copied) {
            needed if needed > free => Err(StageError::NoRoom {
                path: self.target().to_owned(),
                directory: entry::directory_of(self.target()).to_owned(),
                needed,
                free,
            }),
            _ => Ok(()),
        }
    }

    /// The first half of [`commit`](Self::commit): gives the file its owner and mode and
    /// writes it to disk. What fails for want of room or rights has failed when this is done
    /// for each of many, before the first of them takes its name.
    ///
    /// # Errors
    ///
    /// As `commit`.
    pub fn complete(self) -> Result<CompleteFile, StageError> {
        if !self.is_finished {
            return Err(StageError::Unfinished { path: self.path().to_owned() });
        }
        CompleteFile::new(self.placement)
    }

    /// Leaves the temporary file for a later run to go on with.
    pub fn keep(mut self) {
        self.placement.temporary.keep();
    }

    pub(crate) fn fetched_flag(&self) -> &AtomicBool {
        &self.has_fetched
    }

    pub(crate) fn set_finished(&mut self, is_finished: bool) {
        self.is_finished = is_finished;
    }
}

/// Bytes that `plan` copies from `seeds` and that are in no hole there.
fn copied_data(plan: &Plan, seeds: &[&dyn ReadAt]) -> u64 {
    let copies = plan.steps().iter().filter_map(|step| match *step {
        Step::Copy { target, seed, offset } => Some((usize::from(seed.0), offset, offset + target.len())),
        _ => None,
    });
    let data = copies.map(|(seed, mut offset, end)| {
        let mut data = 0;
        // A plan may copy from seeds of its target's own, which stand for zeros.
        let Some(seed) = seeds.get(seed) else { return 0 };
        while offset < end {
            let Ok(Some(range)) = seed.next_data(offset) else { break };
            data += range.end.min(end).saturating_sub(range.start.max(offset));
            offset = range.end;
        }
        data
    });
    data.sum()
}
