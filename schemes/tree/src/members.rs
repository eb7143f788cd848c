//! A tree that is in no file system: in an archive, a database or memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use gosync_chunks::{ByteRange, FileHash, Phase, Progress, ReadAt};
use gosync_files::ReadBuffer;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::error::Error;
use crate::flat::Opens;
use crate::listing::Listing;
use crate::listing::entry::{Attributes, Content, Entry, Kind, Time};
use crate::listing::error::ListingError;
use crate::listing::path::{fault_of, shown, split};

/// What is in a tree of the caller's own, wherever its bytes are. [`TreeBuild::of`] publishes it.
///
/// Paths have `/` between their names. Directories that nothing says anything of are as the tree's
/// own.
///
/// ```
/// # use std::sync::Arc;
/// use gosync_tree::{Attributes, Members, Time, TreeBuild};
///
/// let attributes = Attributes { mode: 0o644, modified: Time { seconds: 1_700_000_000, nanoseconds: 0 } };
/// let mut members = Members::new(Attributes { mode: 0o755, ..attributes });
/// members.file("docs/fish.txt", attributes, Arc::new(b"One fish, two fish.".to_vec()))?;
/// members.link("fish", attributes.modified, "docs/fish.txt")?;
/// let build = TreeBuild::of(members, "the archive", &())?;
/// assert_eq!((build.info().files, build.info().bytes, build.info().entries), (1, 19, 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`TreeBuild::of`]: crate::TreeBuild::of
pub struct Members {
    members: BTreeMap<Vec<u8>, Member>,
    attributes: Attributes,
}

enum Member {
    Directory(Attributes),
    File(Attributes, Arc<dyn ReadAt>),
    Link(Time, Vec<u8>),
}

impl Members {
    /// A tree that has nothing in it, and is itself as `attributes` say.
    pub fn new(attributes: Attributes) -> Self {
        Self { members: BTreeMap::from([(Vec::new(), Member::Directory(attributes))]), attributes }
    }

    /// Adds a directory.
    ///
    /// # Errors
    ///
    /// When the path is none, or in something that is no directory.
    pub fn directory(&mut self, path: impl AsRef<[u8]>, attributes: Attributes) -> Result<(), ListingError> {
        self.add(path.as_ref(), Member::Directory(attributes))
    }

    /// Adds a file with what is in `data`. It is read twice: to be hashed, and to be published.
    ///
    /// # Errors
    ///
    /// As [`directory`](Self::directory).
    pub fn file(
        &mut self,
        path: impl AsRef<[u8]>,
        attributes: Attributes,
        data: Arc<dyn ReadAt>,
    ) -> Result<(), ListingError> {
        self.add(path.as_ref(), Member::File(attributes, data))
    }

    /// Adds a symbolic link to `target`.
    ///
    /// # Errors
    ///
    /// As [`directory`](Self::directory).
    pub fn link(
        &mut self,
        path: impl AsRef<[u8]>,
        modified: Time,
        target: impl AsRef<[u8]>,
    ) -> Result<(), ListingError> {
        self.add(path.as_ref(), Member::Link(modified, target.as_ref().to_vec()))
    }

    fn add(&mut self, path: &[u8], member: Member) -> Result<(), ListingError> {
        let fault = |why: &str| ListingError::new(format!("{}: {why}", shown(path)));
        if let Some(why) = fault_of(path) {
            return Err(fault(why));
        }
        let mut above = split(path).0;
        loop {
            match self.members.get(above) {
                Some(Member::Directory(_)) => break,
                Some(_) => return Err(fault("it is in something that is no directory")),
                None => self.members.insert(above.to_vec(), Member::Directory(self.attributes)),
            };
            above = split(above).0;
        }
        match (self.members.get(path), &member) {
            // Of a directory something may be said after something was put into it.
            (None, _) | (Some(Member::Directory(_)), Member::Directory(_)) => {
                self.members.insert(path.to_vec(), member);
                Ok(())
            }
            _ => Err(fault("it is there twice")),
        }
    }

    /// The listing of all of it, and what has the contents of its files.
    pub(crate) fn listed(self, called: &str, progress: &dyn Progress) -> Result<(Listing, Contained), Error> {
        let bytes = self.members.values().map(|member| match member {
            Member::File(_, data) => data.size(),
            _ => 0,
        });
        progress.begin(Phase::Sum, bytes.sum());
        let members: Vec<(Vec<u8>, Member)> = self.members.into_iter().collect();
        let kinds: Result<Vec<Kind>, Error> = members
            .par_iter()
            .map(|(path, member)| {
                Ok(match member {
                    Member::Directory(attributes) => Kind::Directory(*attributes),
                    Member::Link(modified, target) => Kind::Link { modified: *modified, target: target.clone() },
                    Member::File(attributes, data) => {
                        let path = || format!("{called}: {}", shown(path)).into();
                        let hash = hash(&**data, progress).map_err(|error| match error {
                            Failed::Read(source) => Error::Read { path: path(), source },
                            Failed::Cancelled(error) => error,
                        })?;
                        Kind::File(*attributes, Content { length: data.size(), hash })
                    }
                })
            })
            .collect();
        let (mut entries, mut data) = (Vec::new(), Vec::new());
        for ((path, member), kind) in members.into_iter().zip(kinds?) {
            entries.push(Entry { path, kind });
            data.push(if let Member::File(_, data) = member { Some(data) } else { None });
        }
        let listing = Listing { entries, ..Listing::default() };
        // What no listing may have is refused here, and not where it is read.
        Listing::read(&listing.encode())?;
        Ok((listing, Contained(data)))
    }
}

/// The contents of files, by the numbers of their entries.
pub(crate) struct Contained(Vec<Option<Arc<dyn ReadAt>>>);

impl Opens for Contained {
    fn open(&self, entry: usize) -> io::Result<Arc<dyn ReadAt>> {
        self.0.get(entry).cloned().flatten().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

enum Failed {
    Read(io::Error),
    Cancelled(Error),
}

fn hash(data: &dyn ReadAt, progress: &dyn Progress) -> Result<FileHash, Failed> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = ReadBuffer::default();
    let length = data.size();
    for start in (0..length).step_by(1 << 20) {
        progress.check().map_err(|cancelled| Failed::Cancelled(cancelled.into()))?;
        let range = ByteRange { start, end: length.min(start + (1 << 20)) };
        hasher.update(buffer.read(data, range).map_err(Failed::Read)?);
        progress.advance(Phase::Sum, range.len());
    }
    Ok(FileHash(*hasher.finalize().as_bytes()))
}
