//! Making all that is new, before anything is touched.

use std::fs::{File, FileTimes};
use std::io;
use std::num::NonZeroU64;
use std::sync::Arc;

use gosync_chunks::{ByteRange, Phase, Progress, ReadAt, is_zeros};
use gosync_files::{LocalFile, ReadBuffer, write_all_at};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::changes::{Changes, Made};
use crate::contents::LARGE_UNIT;
use crate::error::Error;
use crate::extra::{Extra, Refusals};
use crate::listing::entry::{Attributes, Content};
use crate::packed::close::Closing;
use crate::platform;
use crate::root::Root;
use crate::scan::Scan;

/// Where the contents of files are taken from.
pub(crate) enum Origin {
    /// A file of a tree: the number of its entry there.
    File(Arc<Scan>, usize),
    /// What was fetched: a range of the staged flat target, which was checked.
    Fetched(ByteRange),
    /// What was fetched of a packed file, which is to be made of it.
    Opened(Arc<Closing>),
}

/// Makes what is to be put in place, each under its number.
pub(crate) struct Stage<'a> {
    /// The directory to be changed.
    pub(crate) root: &'a Root,
    /// The directory that all is made in.
    pub(crate) new: &'a Root,
    /// What was fetched.
    pub(crate) fetched: Option<&'a LocalFile>,
    /// Where each content is.
    pub(crate) origin: &'a (dyn Fn(&Content) -> Option<Origin> + Sync),
    /// Bytes of packed files that are made of what was fetched.
    pub(crate) closed_bytes: u64,
    /// Makes files that are the same in another tree further names of those.
    pub(crate) link: bool,
    /// Counts what could not be set.
    pub(crate) refusals: &'a Refusals,
    pub(crate) progress: &'a dyn Progress,
}

/// Files that are synced one by one, at most. Syncing all that was written to a file system is
/// quicker for many, and waits for what others wrote too.
const FEW: usize = 4;

/// Read and written at once, in bytes.
const PIECE: u64 = 1 << 20;

/// What is zeros all over becomes a hole, in bytes.
const HOLE: usize = 64 << 10;

impl Stage<'_> {
    /// Makes all that `changes` say, and has it on disk.
    pub(crate) fn make(&self, changes: &Changes) -> Result<(), Error> {
        let Changes { made, extras, .. } = changes;
        let nothing = Extra::default();
        let extra = |number: usize| extras.get(&(number as u64)).unwrap_or(&nothing);
        let syncs_each = made.len() <= FEW || !platform::SYNCS_ALL;
        // All threads work on each packed file.
        self.progress.begin(Phase::Close, self.closed_bytes);
        for (number, made) in made.iter().enumerate() {
            if let Made::File(attributes, content) = made
                && let Some(origin @ Origin::Opened(_)) = self.origin_of(content)
            {
                self.file(&name(number as u64), (attributes, extra(number)), content, Some(origin), syncs_each)?;
            }
        }
        let bytes = made.iter().map(|made| if let Made::File(_, content) = made { content.length } else { 0 });
        self.progress.begin(Phase::Copy, bytes.sum::<u64>() - self.closed_bytes);
        made.par_iter().enumerate().try_for_each(|(number, made)| match made {
            Made::File(attributes, content) => match self.origin_of(content) {
                Some(Origin::Opened(_)) => Ok(()),
                origin => self.file(&name(number as u64), (attributes, extra(number)), content, origin, syncs_each),
            },
            Made::Link(modified, target) => {
                let name = name(number as u64);
                let made = self.new.create_link(target, name.as_bytes());
                made.and_then(|()| {
                    let owner = extra(number).owner;
                    let given = owner.map(|owner| self.new.give_link(name.as_bytes(), owner));
                    given.map_or(Ok(()), |given| self.refusals.note_owner(given))
                })
                .and_then(|()| self.new.date_link(name.as_bytes(), *modified))
                .map_err(Error::write(&self.new.path().join(name)))
            }
            Made::SameAs(_) | Made::NameOf(_) | Made::Taken => Ok(()),
        })?;
        for (number, made) in made.iter().enumerate() {
            let name = name(number as u64);
            let linked = match made {
                Made::SameAs(other) => self.new.hard_link(self::name(*other).as_bytes(), self.new, name.as_bytes()),
                Made::NameOf(path) => self.root.hard_link(path, self.new, name.as_bytes()),
                Made::File(..) | Made::Link(..) | Made::Taken => continue,
            };
            linked.map_err(Error::write(&self.new.path().join(name)))?;
        }
        let new = self.new.handle().map_err(Error::write(self.new.path()))?;
        let synced = if syncs_each { platform::sync_directory(&new) } else { platform::sync_all(&new) };
        synced.map_err(Error::write(self.new.path()))
    }

    fn origin_of(&self, content: &Content) -> Option<Origin> {
        if content.length > 0 { (self.origin)(content) } else { None }
    }

    fn file(
        &self,
        name: &str,
        (attributes, extra): (&Attributes, &Extra),
        content: &Content,
        origin: Option<Origin>,
        is_synced: bool,
    ) -> Result<(), Error> {
        let path = self.new.path().join(name);
        if self.link
            && let Some(Origin::File(tree, entry)) = &origin
            && extra.is_empty()
            && self.link_to(tree, *entry, attributes, name)
        {
            self.progress.advance(Phase::Copy, content.length);
            return Ok(());
        }
        let file = self.new.create(name).map_err(Error::write(&path))?;
        file.set_len(content.length).map_err(Error::write(&path))?;
        if content.length > 0 {
            match origin {
                Some(Origin::Fetched(range)) => {
                    let fetched = self.fetched.ok_or_else(|| Error::Changed { path: path.clone() })?;
                    let shared = share(fetched, range, &file);
                    let rest = ByteRange { start: shared, end: content.length };
                    self.copy(fetched, range.start, &file, rest, &path, None)?;
                }
                Some(Origin::Opened(closing)) => {
                    let fetched = self.fetched.ok_or_else(|| Error::Changed { path: path.clone() })?;
                    closing.write(fetched, content.hash, &file, &path, self.progress)?;
                }
                Some(Origin::File(tree, entry)) => self.copy_file(&tree, entry, &file, content, &path)?,
                None => return Err(Error::Changed { path }),
            }
        }
        let synced = || if is_synced { file.sync_all() } else { Ok(()) };
        extra
            .set(&file, self.refusals)
            .and_then(|()| set(&file, attributes))
            .and_then(|()| synced())
            .map_err(Error::write(&path))
    }

    /// Makes `name` one more name of a file of a tree, where that has the mode and the time wanted and
    /// is what it was. Tells whether that could be.
    fn link_to(&self, tree: &Scan, entry: usize, attributes: &Attributes, name: &str) -> bool {
        let (was, path) = (&tree.stats[entry], &tree.listing.entries()[entry].path);
        if !was.has(attributes) {
            return false;
        }
        if tree.root.hard_link(path, self.new, name.as_bytes()).is_err() {
            return false;
        }
        let is_it = matches!(self.new.stat(name.as_bytes()), Ok(Some(now)) if now.is_same(was));
        if !is_it {
            let _ = self.new.remove_file(name.as_bytes());
        }
        is_it
    }

    /// Copies a file of a tree, by sharing its bytes where the file system can, and checks that it
    /// is still what it was.
    fn copy_file(
        &self,
        tree: &Scan,
        entry: usize,
        to: &File,
        content: &Content,
        path: &std::path::Path,
    ) -> Result<(), Error> {
        let old = &tree.listing.entries()[entry].path;
        let place = tree.root.at(old);
        let from = tree.root.open_file(old).map_err(Error::read(&place))?;
        let length = NonZeroU64::new(content.length);
        let shared = length.map(|length| reflink_copy::ReflinkBlockBuilder::new(&from, to, length).reflink_block());
        let is_shared = matches!(shared, Some(Ok(())));
        let from = LocalFile::new(&place, from).map_err(Error::read(&place))?;
        let mut hasher = blake3::Hasher::new();
        if is_shared {
            let file = to.try_clone().and_then(|file| LocalFile::new(path, file)).map_err(Error::read(path))?;
            let mut buffer = ReadBuffer::default();
            for range in pieces(ByteRange::at(0, content.length)) {
                self.progress.check()?;
                hasher.update_rayon(buffer.read(&file, range).map_err(Error::read(path))?);
                self.progress.advance(Phase::Copy, range.len());
            }
        } else {
            self.copy(&from, 0, to, ByteRange::at(0, content.length), path, Some(&mut hasher))?;
        }
        match *hasher.finalize().as_bytes() == content.hash.0 {
            true => Ok(()),
            false => Err(Error::Changed { path: place }),
        }
    }

    /// Copies `part` of a file, which is in `from` from `offset` on.
    fn copy(
        &self,
        from: &LocalFile,
        offset: u64,
        to: &File,
        part: ByteRange,
        path: &std::path::Path,
        mut hasher: Option<&mut blake3::Hasher>,
    ) -> Result<(), Error> {
        let mut buffer = ReadBuffer::default();
        for range in pieces(part) {
            self.progress.check()?;
            let moved = ByteRange { start: range.start + offset, end: range.end + offset };
            let data = match buffer.read(from, moved) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(Error::Changed { path: from.path().to_owned() });
                }
                read => read.map_err(Error::read(from.path()))?,
            };
            if let Some(hasher) = &mut hasher {
                hasher.update_rayon(data);
            }
            let mut at = range.start;
            for piece in data.chunks(HOLE) {
                if piece.len() < HOLE || !is_zeros(piece) {
                    write_all_at(to, piece, at).map_err(Error::write(path))?;
                }
                at += piece.len() as u64;
            }
            self.progress.advance(Phase::Copy, range.len());
        }
        Ok(())
    }
}

/// What is made under a number is called so.
pub(crate) fn name(number: u64) -> String {
    number.to_string()
}

/// Gives a file or directory what it has beside its contents.
pub(crate) fn set(file: &File, attributes: &Attributes) -> io::Result<()> {
    platform::set_mode(file, attributes.mode)?;
    match attributes.modified.to_system() {
        Some(modified) => file.set_times(FileTimes::new().set_modified(modified)),
        None => Ok(()),
    }
}

/// Shares what of `range` of `from` is whole units with `to`, and tells how many bytes that is.
fn share(from: &LocalFile, range: ByteRange, to: &File) -> u64 {
    let length = range.len() / LARGE_UNIT * LARGE_UNIT;
    let (Some(file), Some(len)) = (from.file(), NonZeroU64::new(length)) else { return 0 };
    let share = || reflink_copy::ReflinkBlockBuilder::new(file, to, len).from_offset(range.start).reflink_block();
    if range.start.is_multiple_of(LARGE_UNIT) && share().is_ok() { length } else { 0 }
}

fn pieces(part: ByteRange) -> impl Iterator<Item = ByteRange> {
    let piece = move |start| ByteRange { start, end: part.end.min(start + PIECE) };
    (part.start..part.end).step_by(PIECE as usize).map(piece)
}
