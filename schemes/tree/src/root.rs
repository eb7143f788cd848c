//! A directory, and all that is beneath it: reached one name at a time, and through no link.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, SystemTimeSpec};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions};

use crate::listing::entry::{Attributes, Time};
use crate::listing::path::{names, split};
use crate::platform;

/// A directory that was opened once, so that whatever becomes of its path, it is this one.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    directory: Dir,
    /// Told of each call by path, so that a test can come between any two of them.
    #[cfg(test)]
    pub(crate) between: Between,
}

/// What a test does before calls by path.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Between(pub(crate) Option<Box<dyn Fn() + Send + Sync>>);

#[cfg(test)]
impl std::fmt::Debug for Between {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Between")
    }
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: StatKind,
    /// Of a file, in bytes.
    pub(crate) length: u64,
    pub(crate) modified: Time,
    pub(crate) mode: u32,
    /// Which file it is.
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// How many names it has.
    pub(crate) names: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatKind {
    File,
    Directory,
    Link,
    /// A device, a socket, a pipe.
    Other,
}

impl Stat {
    fn new(metadata: &Metadata) -> io::Result<Self> {
        let kind = match metadata {
            metadata if metadata.is_file() => StatKind::File,
            metadata if metadata.is_dir() => StatKind::Directory,
            metadata if metadata.is_symlink() => StatKind::Link,
            _ => StatKind::Other,
        };
        let (device, inode, names) = platform::identity_of(metadata);
        Ok(Self {
            kind,
            length: if kind == StatKind::File { metadata.len() } else { 0 },
            modified: metadata.modified()?.into_std().into(),
            mode: platform::mode_of(metadata),
            device,
            inode,
            names,
        })
    }

    /// Whether it has mode and time of `attributes`, as far as systems keep them.
    pub(crate) fn has(&self, attributes: &Attributes) -> bool {
        attributes.modified.is_kept_as(self.modified, platform::TIME_UNIT)
            && (self.mode == attributes.mode || !platform::HAS_MODES)
    }

    /// Whether it is what it was: the same file, not written to. What is in a directory is not
    /// looked at.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_same = (self.kind, self.device, self.inode) == (other.kind, other.device, other.inode);
        let has_same = (self.length, self.modified) == (other.length, other.modified);
        is_same && (has_same || self.kind == StatKind::Directory)
    }
}

impl Root {
    fn new(path: PathBuf, directory: Dir) -> Self {
        Self {
            path,
            directory,
            #[cfg(test)]
            between: Between::default(),
        }
    }

    /// Opens the directory at `path`, wherever links in it lead.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let directory = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self::new(path.to_owned(), directory))
    }

    /// The directory that is open as `directory`, and called `path` in messages.
    pub(crate) fn of(path: &Path, directory: File) -> Self {
        Self::new(path.to_owned(), Dir::from_std_file(directory))
    }

    /// The directory `name` in this one, which is made where there is none.
    pub(crate) fn own_directory(&self, name: &str) -> io::Result<Self> {
        match self.directory.create_dir(name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let directory = self.directory.open_dir_nofollow(name)?;
        Ok(Self::new(self.path.join(name), directory))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where `path` in it is, for a message.
    pub(crate) fn at(&self, path: &[u8]) -> PathBuf {
        if path.is_empty() {
            return self.path.clone();
        }
        platform::path_of(path).map_or_else(|| self.path.clone(), |path| self.path.join(path))
    }

    /// What is at `path`, if anything.
    pub(crate) fn stat(&self, path: &[u8]) -> io::Result<Option<Stat>> {
        if path.is_empty() {
            return Stat::new(&self.directory.dir_metadata()?).map(Some);
        }
        let found = self.parent(path).and_then(|(parent, name)| parent.symlink_metadata(name));
        match found {
            Ok(metadata) => Stat::new(&metadata).map(Some),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The numbers of the user and the group that own what is at `path`.
    pub(crate) fn owner(&self, path: &[u8]) -> io::Result<(u32, u32)> {
        if path.is_empty() {
            return Ok(platform::owner_of(&self.directory.dir_metadata()?));
        }
        let (parent, name) = self.parent(path)?;
        Ok(platform::owner_of(&parent.symlink_metadata(name)?))
    }

    /// Gives the symbolic link at `path` to another user and group.
    pub(crate) fn give_link(&self, path: &[u8], (user, group): (u32, u32)) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        platform::set_link_owner(&parent, name, user, group)
    }

    /// Opens the file at `path`, to be read.
    pub(crate) fn open_file(&self, path: &[u8]) -> io::Result<File> {
        match platform::open_beneath(&self.directory, path, platform::Beneath::File) {
            Some(opened) => checked(opened?),
            None => self.open_with(path, OpenOptions::new().read(true)),
        }
    }

    /// Opens a file or directory at `path`, to set what it has beside its contents.
    pub(crate) fn open_to_set(&self, path: &[u8], kind: StatKind) -> io::Result<File> {
        if path.is_empty() {
            return self.handle();
        }
        match kind {
            StatKind::Directory => {
                let (parent, name) = self.parent(path)?;
                readable(&parent.open_dir_nofollow(name)?)
            }
            _ => self.open_with(path, platform::to_set(&mut OpenOptions::new())),
        }
    }

    fn open_with(&self, path: &[u8], options: &mut OpenOptions) -> io::Result<File> {
        let (parent, name) = self.parent(path)?;
        checked(parent.open_with(name, options.follow(FollowSymlinks::No))?.into_std())
    }

    /// Makes the file `name` in this directory, which is new.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        Ok(self.directory.open_with(name, &options)?.into_std())
    }

    /// Opens the file `name` in this directory and locks it; `None` where another process has.
    pub(crate) fn lock(&self, name: &str) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).follow(FollowSymlinks::No);
        let file = self.directory.open_with(name, &options)?.into_std();
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Lets the owner do everything with what is at `path`, which can then be opened.
    pub(crate) fn allow(&self, path: &[u8]) -> io::Result<()> {
        let (parent, name) =
            if path.is_empty() { (Parent::Own(&self.directory), Path::new(".")) } else { self.parent(path)? };
        let mode = self.stat(path)?.map_or(0, |stat| stat.mode);
        platform::set_mode_at(&parent, name, mode | 0o700)
    }

    pub(crate) fn create_directory(&self, path: &[u8]) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        parent.create_dir(name)
    }

    pub(crate) fn create_link(&self, target: &[u8], path: &[u8]) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        let target = platform::path_of(target).ok_or(io::ErrorKind::InvalidFilename)?;
        platform::symlink(&parent, target, name)
    }

    /// Dates the symbolic link at `path`, where the system has dates of links.
    pub(crate) fn date_link(&self, path: &[u8], modified: Time) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        let Some(modified) = modified.to_system() else { return Ok(()) };
        let modified = SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(modified));
        match parent.set_symlink_times(name, None, Some(modified)) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
            set => set,
        }
    }

    /// Where the symbolic link at `path` leads to, as it says itself.
    pub(crate) fn read_link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let (parent, name) = self.parent(path)?;
        let target = parent.read_link_contents(name)?;
        platform::bytes_of(target.as_os_str()).ok_or(io::ErrorKind::InvalidData.into())
    }

    /// Gives the file at `path` in this directory the name `to` in another one too.
    pub(crate) fn hard_link(&self, path: &[u8], other: &Self, to: &[u8]) -> io::Result<()> {
        let ((parent, name), (other, to)) = (self.parent(path)?, other.parent(to)?);
        parent.hard_link(name, &other, to)
    }

    /// Moves what is at `path` in this directory to `to` in another one, in place of what is there.
    pub(crate) fn rename(&self, path: &[u8], other: &Self, to: &[u8]) -> io::Result<()> {
        let ((parent, name), (other, to)) = (self.parent(path)?, other.parent(to)?);
        parent.rename(name, &other, to)
    }

    pub(crate) fn remove_file(&self, path: &[u8]) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        parent.remove_file_or_symlink(name)
    }

    pub(crate) fn remove_directory(&self, path: &[u8]) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        parent.remove_dir(name)
    }

    /// Removes the directory `name` in this one, with all that is in it.
    pub(crate) fn remove_own(&self, name: &str) -> io::Result<()> {
        match self.directory.remove_dir_all(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// The names in this directory.
    pub(crate) fn list(&self) -> io::Result<Vec<std::ffi::OsString>> {
        self.directory.entries()?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// The directory `name` in this one.
    pub(crate) fn beneath(&self, name: &[u8]) -> io::Result<Self> {
        let (parent, step) = self.parent(name)?;
        Ok(Self::new(self.at(name), parent.open_dir_nofollow(step)?))
    }

    /// The directory as a file, to be synced.
    pub(crate) fn handle(&self) -> io::Result<File> {
        readable(&self.directory)
    }

    /// The directory that `path` is in, and its name there. Every name before the last one is
    /// that of a directory, and not of a link to one.
    fn parent<'p>(&self, path: &'p [u8]) -> io::Result<(Parent<'_>, &'p Path)> {
        #[cfg(test)]
        if let Some(act) = &self.between.0 {
            act();
        }
        let invalid = || io::Error::from(io::ErrorKind::InvalidFilename);
        let (above, name) = split(path);
        let name = platform::path_of(name).ok_or_else(invalid)?;
        if above.is_empty() {
            return Ok((Parent::Own(&self.directory), name));
        }
        if let Some(opened) = platform::open_beneath(&self.directory, above, platform::Beneath::Directory) {
            return Ok((Parent::Opened(Dir::from_std_file(opened?)), name));
        }
        let mut directory = Parent::Own(&self.directory);
        for step in names(above) {
            let step = platform::path_of(step).ok_or_else(invalid)?;
            directory = Parent::Opened(directory.open_dir_nofollow(step)?);
        }
        Ok((directory, name))
    }
}

/// A directory as a file that can be synced and set: its own handle may be for names alone.
fn readable(directory: &Dir) -> io::Result<File> {
    let mut options = OpenOptions::new();
    Ok(directory.open_with(".", platform::to_set(&mut options).maybe_dir(true))?.into_std())
}

/// What was opened as a file, if it is one.
fn checked(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file any more")) }
}

/// The directory that something is in.
enum Parent<'a> {
    Own(&'a Dir),
    Opened(Dir),
}

impl Deref for Parent<'_> {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        match self {
            Self::Own(directory) => directory,
            Self::Opened(directory) => directory,
        }
    }
}

/// Whether an error says that nothing is there: a parent may be missing, or be no directory.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) || platform::is_loop(error)
}
