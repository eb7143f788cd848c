//! What is in a directory: a listing of it, and what tells whether it is still so.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use gosync_chunks::{FileHash, Phase, Progress};
use hashbrown::HashMap;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::error::Error;
use crate::excludes::Excludes;
use crate::listing::Listing;
use crate::listing::entry::{Attributes, Content, Entry, Kind};
use crate::listing::extras::{Extras, Owner, Owners, Principal};
use crate::listing::path::{fault_of, join};
use crate::platform;
use crate::root::{Root, Stat, StatKind};

/// A directory that was looked at.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) root: Root,
    pub(crate) listing: Listing,
    /// What was at the path of each entry.
    pub(crate) stats: Vec<Stat>,
    /// What is neither file, directory nor link, and names that no listing can have.
    pub(crate) left_out: Vec<PathBuf>,
    /// How many names files have here that have several, by device and number there.
    names: HashMap<(u64, u64), u64>,
}

/// What of a directory to look at, and how.
pub(crate) struct ScanOptions<'a> {
    pub(crate) excludes: &'a Excludes,
    /// A listing of the directory as it once was: files of the same length and time are believed
    /// to be the same still.
    pub(crate) known: Option<&'a Listing>,
    /// Looks at owners too.
    pub(crate) owner: bool,
    /// Looks at extended attributes too.
    pub(crate) xattrs: bool,
    pub(crate) progress: &'a dyn Progress,
}

#[cfg(test)]
impl<'a> ScanOptions<'a> {
    /// Contents, modes and times, of which nothing is known.
    pub(crate) fn plain(excludes: &'a Excludes, progress: &'a dyn Progress) -> Self {
        Self { excludes, known: None, owner: false, xattrs: false, progress }
    }
}

impl Scan {
    /// Looks at all that is in `root`. Files are read and hashed on all threads of the current
    /// rayon pool.
    pub(crate) fn of(root: Root, options: &ScanOptions<'_>) -> Result<Self, Error> {
        let stat = root
            .stat(b"")
            .map_err(Error::read(root.path()))?
            .ok_or_else(|| Error::Changed { path: root.path().into() })?;
        let mut walk = Walk { options, found: vec![(Vec::new(), stat)], left_out: Vec::new() };
        walk.directory(&root, b"", options.excludes)?;
        let Walk { mut found, left_out, .. } = walk;
        found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let entries = entries_of(&root, &found, options)?;
        let stats: Vec<Stat> = found.into_iter().map(|(_, stat)| stat).collect();
        let extras = extras_of(&root, &entries, options)?;
        let mut names = HashMap::new();
        for stat in stats.iter().filter(|stat| stat.names > 1 && stat.kind == StatKind::File) {
            *names.entry((stat.device, stat.inode)).or_insert(0) += 1;
        }
        Ok(Self { root, listing: Listing { entries, extras }, stats, left_out, names })
    }

    /// What is at `path`, if anything.
    pub(crate) fn find(&self, path: &[u8]) -> Option<(usize, &Entry, &Stat)> {
        let at = self.listing.find(path)?;
        Some((at, &self.listing.entries[at], &self.stats[at]))
    }

    /// What is in the file of an entry, whichever of its names that is.
    pub(crate) fn content(&self, at: usize) -> Option<Content> {
        self.listing.content(at)
    }

    /// How many names the file of an entry has in this directory.
    pub(crate) fn names(&self, at: usize) -> u64 {
        let stat = &self.stats[at];
        self.names.get(&(stat.device, stat.inode)).copied().unwrap_or(1)
    }

    /// The first entry that has changed meanwhile.
    pub(crate) fn changed(&self) -> Option<PathBuf> {
        let entries = self.listing.entries.iter().zip(&self.stats);
        let changed = |(entry, stat): &(&Entry, &Stat)| !matches!(self.root.stat(&entry.path), Ok(Some(now)) if now.is_same(stat));
        entries
            .filter(|(_, stat)| stat.kind == StatKind::File)
            .find(changed)
            .map(|(entry, _)| self.root.at(&entry.path))
    }
}

struct Walk<'a> {
    options: &'a ScanOptions<'a>,
    found: Vec<(Vec<u8>, Stat)>,
    left_out: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Looks at what is in `directory`, which is at `path` in the tree.
    fn directory(&mut self, directory: &Root, path: &[u8], excludes: &Excludes) -> Result<(), Error> {
        self.options.progress.check()?;
        let excludes = excludes.beneath(directory, path)?;
        for name in directory.list().map_err(Error::read(directory.path()))? {
            let Some(bytes) = platform::bytes_of(&name) else {
                self.left_out.push(directory.path().join(name));
                continue;
            };
            let path = join(path, &bytes);
            let place = || directory.at(&bytes);
            // It may have gone meanwhile.
            let Some(stat) = directory.stat(&bytes).map_err(|error| Error::read(&place())(error))? else { continue };
            let is_directory = stat.kind == StatKind::Directory;
            if excludes.has(&path, is_directory) {
                continue;
            }
            if stat.kind == StatKind::Other || fault_of(&path).is_some() {
                self.left_out.push(place());
                continue;
            }
            self.found.push((path.clone(), stat));
            if is_directory {
                let beneath = directory.beneath(&bytes).map_err(|error| Error::read(&place())(error))?;
                self.directory(&beneath, &path, &excludes)?;
            }
        }
        Ok(())
    }
}

/// Makes a listing of what was found, which is in its order.
fn entries_of(root: &Root, found: &[(Vec<u8>, Stat)], options: &ScanOptions<'_>) -> Result<Vec<Entry>, Error> {
    let known = |path: &[u8], stat: &Stat| {
        let known = options.known?;
        match &known.entries[known.find(path)?].kind {
            Kind::File(attributes, content)
                if content.length == stat.length
                    && attributes.modified.is_kept_as(stat.modified, platform::TIME_UNIT) =>
            {
                Some(*content)
            }
            _ => None,
        }
    };
    // The first name of each file that has several.
    let mut firsts: HashMap<(u64, u64), usize> = HashMap::new();
    let mut kinds: Vec<Option<Kind>> = Vec::with_capacity(found.len());
    let mut unknown = Vec::new();
    for (at, (path, stat)) in found.iter().enumerate() {
        let attributes = Attributes { mode: stat.mode, modified: stat.modified };
        kinds.push(match stat.kind {
            StatKind::Directory => Some(Kind::Directory(attributes)),
            StatKind::Link => {
                let target = root.read_link(path).map_err(Error::read(&root.at(path)))?;
                Some(Kind::Link { modified: stat.modified, target })
            }
            StatKind::File | StatKind::Other => {
                let first = if stat.names > 1 { *firsts.entry((stat.device, stat.inode)).or_insert(at) } else { at };
                if first < at {
                    Some(Kind::HardLink { of: first })
                } else {
                    let content = known(path, stat);
                    if content.is_none() {
                        unknown.push(at);
                    }
                    content.map(|content| Kind::File(attributes, content))
                }
            }
        });
    }
    options.progress.begin(Phase::Sum, unknown.iter().map(|&at| found[at].1.length).sum());
    let hashed: Result<Vec<(usize, FileHash)>, Error> = unknown
        .par_iter()
        .map(|&at| Ok((at, hash(root, &found[at].0, found[at].1.length, options.progress)?)))
        .collect();
    for (at, hash) in hashed? {
        let stat = &found[at].1;
        let attributes = Attributes { mode: stat.mode, modified: stat.modified };
        kinds[at] = Some(Kind::File(attributes, Content { length: stat.length, hash }));
    }
    let entries =
        found.iter().zip(kinds).filter_map(|((path, _), kind)| Some(Entry { path: path.clone(), kind: kind? }));
    Ok(entries.collect())
}

/// What was asked for of the entries beside contents, modes and times.
fn extras_of(root: &Root, entries: &[Entry], options: &ScanOptions<'_>) -> Result<Extras, Error> {
    let mut extras = Extras::default();
    if options.owner && platform::HAS_MODES {
        let mut known: HashMap<(u32, u32), Owner> = HashMap::new();
        let mut owners = Owners::default();
        for entry in entries {
            if matches!(entry.kind, Kind::HardLink { .. }) {
                owners.push(None);
                continue;
            }
            let ids = root.owner(&entry.path).map_err(Error::read(&root.at(&entry.path)))?;
            let owner = known.entry(ids).or_insert_with(|| Owner {
                user: Principal { id: ids.0, name: platform::user_name(ids.0).unwrap_or_default() },
                group: Principal { id: ids.1, name: platform::group_name(ids.1).unwrap_or_default() },
            });
            owners.push(Some(owner.clone()));
        }
        extras.owners = Some(owners);
    }
    if options.xattrs {
        let mut all = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let kind = match entry.kind {
                Kind::Directory(_) => StatKind::Directory,
                Kind::File(..) => StatKind::File,
                Kind::Link { .. } | Kind::HardLink { .. } => continue,
            };
            let xattrs = root.open_to_set(&entry.path, kind).and_then(|file| platform::xattrs(&file));
            let xattrs = xattrs.map_err(Error::read(&root.at(&entry.path)))?;
            if !xattrs.is_empty() {
                all.insert(at, xattrs);
            }
        }
        extras.xattrs = Some(all);
    }
    Ok(extras)
}

/// The BLAKE3 of a file that has `length` bytes.
fn hash(root: &Root, path: &[u8], length: u64, progress: &dyn Progress) -> Result<FileHash, Error> {
    let place = root.at(path);
    let mut file = root.open_file(path).map_err(Error::read(&place))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; length.clamp(1, 1 << 20) as usize];
    let mut left = length;
    while left > 0 {
        progress.check()?;
        let len = left.min(buffer.len() as u64) as usize;
        match file.read(&mut buffer[..len]) {
            Ok(0) => return Err(Error::Changed { path: place }),
            Ok(read) => {
                hasher.update_rayon(&buffer[..read]);
                progress.advance(Phase::Sum, read as u64);
                left -= read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::read(&place)(error)),
        }
    }
    Ok(FileHash(*hasher.finalize().as_bytes()))
}
