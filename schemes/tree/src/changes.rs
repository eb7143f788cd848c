//! What has to be done to a directory, so that it is what a listing says.

use gosync_chunks::FileHash;
use hashbrown::{HashMap, HashSet};

use crate::error::Error;
use crate::listing::Listing;
use crate::listing::entry::{Attributes, Content, Entry, Kind, Time};
use crate::listing::path::{shown, split};
use crate::platform;
use crate::root::{Stat, StatKind};
use crate::scan::Scan;

/// How many files (links among them) become what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// They were as they should be.
    pub unchanged: u64,
    /// Something else was at their path, or their mode or time was another one.
    pub changed: u64,
    /// Nothing was at their path.
    pub added: u64,
    /// They are not in the new version, at no path.
    pub removed: u64,
    /// Nothing was at their path, and what is in them was in a file that goes.
    pub moved: u64,
}

/// A file, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// What.
    pub change: Change,
    /// Its path.
    pub path: Vec<u8>,
    /// Where it was, if it moves.
    pub from: Option<Vec<u8>>,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It replaces another one, or its mode or time is set.
    Changed,
    /// It was at another path.
    Moved,
    /// It goes.
    Removed,
}

/// One thing to do. Each can be done again without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Removes what is at `path`, as long as it is what it was.
    Remove { path: Vec<u8>, was: Stat },
    /// Makes a directory.
    Create { path: Vec<u8> },
    /// Moves what was made under this number to `path`, as long as that is what it was.
    Place { number: u64, path: Vec<u8>, was: Option<Stat> },
    /// Gives a file or directory its mode and time; a file, as long as it is what it was.
    Set { path: Vec<u8>, attributes: Attributes, was: Option<Stat> },
}

/// Something to be made, before anything is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A file with this in it.
    File(Attributes, Content),
    /// A symbolic link, of a time.
    Link(Time, Vec<u8>),
    /// One more name of what was made under another number.
    SameAs(u64),
    /// One more name of the file that is at this path.
    NameOf(Vec<u8>),
}

/// All that has to be done.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// What is to be made; the numbers of steps count through it.
    pub(crate) made: Vec<Made>,
    /// In the order in which they are to be done.
    pub(crate) steps: Vec<Step>,
    pub(crate) counts: FileCounts,
    /// What becomes of which file.
    pub(crate) files: Vec<FileChange>,
}

impl Changes {
    /// What makes of the directory `own` what `new` lists. What is not listed is removed if
    /// `delete` says so.
    pub(crate) fn plan(new: &Listing, own: &Scan, delete: bool) -> Result<Self, Error> {
        let mut planner = Planner {
            new,
            own,
            going: if delete { going(new, own) } else { HashMap::new() },
            numbers: HashMap::new(),
            inodes: HashMap::new(),
            touched: HashSet::new(),
            late: Vec::new(),
            changes: Self::default(),
        };
        planner.remove(delete)?;
        for at in 0..new.entries.len() {
            planner.entry(at);
        }
        Ok(planner.finish())
    }

    /// Whether nothing has to be done.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// The files that are not listed, by what is in them. The first to be taken comes last.
fn going<'a>(new: &Listing, own: &'a Scan) -> HashMap<FileHash, Vec<&'a [u8]>> {
    let mut going: HashMap<FileHash, Vec<&[u8]>> = HashMap::new();
    for (at, entry) in own.listing.entries.iter().enumerate().rev() {
        if let Some(content) = own.content(at).filter(|content| content.length > 0)
            && new.find(&entry.path).is_none()
        {
            going.entry(content.hash).or_default().push(&entry.path);
        }
    }
    going
}

struct Planner<'a> {
    new: &'a Listing,
    own: &'a Scan,
    /// The paths of what goes, by what is in it.
    going: HashMap<FileHash, Vec<&'a [u8]>>,
    /// What each entry that has to be made is made under.
    numbers: HashMap<usize, u64>,
    /// For files here that have several names, by the first of these: the listed file that keeps
    /// them.
    inodes: HashMap<usize, usize>,
    /// Directories in which something changes.
    touched: HashSet<Vec<u8>>,
    /// Removals that make no way for anything.
    late: Vec<Step>,
    changes: Changes,
}

impl Planner<'_> {
    /// Removes what is not listed, what is deepest first.
    fn remove(&mut self, delete: bool) -> Result<(), Error> {
        for (entry, stat) in self.own.listing.entries.iter().zip(&self.own.stats).rev() {
            let (is_listed, is_in_the_way) = self.fate(entry);
            if !is_in_the_way && (is_listed || !delete) {
                continue;
            }
            if !is_listed && is_in_the_way && !delete {
                let (mut path, _) = split(&entry.path);
                while self.new.find(path).is_none() {
                    path = split(path).0;
                }
                return Err(Error::InTheWay { path: self.own.root.at(path).display().to_string() });
            }
            let step = Step::Remove { path: entry.path.clone(), was: *stat };
            let steps = if is_in_the_way { &mut self.changes.steps } else { &mut self.late };
            steps.push(step);
            self.touched.insert(split(&entry.path).0.to_vec());
            if !is_listed && stat.kind != StatKind::Directory {
                self.changes.counts.removed += 1;
                self.changes.files.push(FileChange { change: Change::Removed, path: entry.path.clone(), from: None });
            }
        }
        Ok(())
    }

    /// Whether something is listed at the path of what is here, and whether that has to go first:
    /// a directory for something else, something else for a directory, what is in the first.
    fn fate(&self, entry: &Entry) -> (bool, bool) {
        let is_directory = |kind: &Kind| matches!(kind, Kind::Directory(_));
        if let Some(listed) = self.new.find(&entry.path) {
            return (true, is_directory(&self.new.entries[listed].kind) != is_directory(&entry.kind));
        }
        let mut above = split(&entry.path).0;
        loop {
            if let Some(listed) = self.new.find(above) {
                return (false, !is_directory(&self.new.entries[listed].kind));
            }
            above = split(above).0;
        }
    }

    fn entry(&mut self, at: usize) {
        let entry = &self.new.entries[at];
        let old = self.own.find(&entry.path);
        match &entry.kind {
            Kind::Directory(_) => {
                if !matches!(old, Some((_, Entry { kind: Kind::Directory(_), .. }, _))) {
                    self.touch(&entry.path);
                    self.touched.insert(entry.path.clone());
                    self.changes.steps.push(Step::Create { path: entry.path.clone() });
                }
            }
            Kind::File(attributes, content) => {
                let here = old.filter(|(old, ..)| self.own.content(*old) == Some(*content) && self.keeps(*old, at));
                match here {
                    Some((_, _, stat)) => self.set(&entry.path, *attributes, stat),
                    None => self.make(at, Made::File(*attributes, *content)),
                }
            }
            Kind::Link { modified, target } => match old.map(|(_, old, _)| &old.kind) {
                Some(old) if *old == entry.kind => self.changes.counts.unchanged += 1,
                _ => self.make(at, Made::Link(*modified, target.clone())),
            },
            Kind::HardLink { of } => {
                let first = &self.new.entries[*of].path;
                let made = match self.numbers.get(of) {
                    Some(&number) => Made::SameAs(number),
                    None => Made::NameOf(first.clone()),
                };
                let is_same = |stat: &Stat| {
                    self.own.find(first).is_some_and(|(_, _, first)| {
                        stat.kind == StatKind::File && (first.device, first.inode) == (stat.device, stat.inode)
                    })
                };
                match (&made, old) {
                    (Made::NameOf(_), Some((_, _, stat))) if is_same(stat) => self.changes.counts.unchanged += 1,
                    _ => self.make(at, made),
                }
            }
        }
    }

    /// Whether the file here that `old` is an entry of may stay, as the one that is listed as
    /// `at`: of a file with several names only the names that stay together may.
    fn keeps(&mut self, old: usize, at: usize) -> bool {
        let first = match self.own.listing.entries[old].kind {
            Kind::HardLink { of } => of,
            _ => old,
        };
        *self.inodes.entry(first).or_insert(at) == at
    }

    fn set(&mut self, path: &[u8], attributes: Attributes, stat: &Stat) {
        let is_same = stat.modified == attributes.modified && (stat.mode == attributes.mode || !platform::HAS_MODES);
        if is_same {
            self.changes.counts.unchanged += 1;
            return;
        }
        self.changes.counts.changed += 1;
        self.changes.files.push(FileChange { change: Change::Changed, path: path.to_vec(), from: None });
        self.changes.steps.push(Step::Set { path: path.to_vec(), attributes, was: Some(*stat) });
    }

    fn make(&mut self, at: usize, made: Made) {
        let entry = &self.new.entries[at];
        let old = self.own.find(&entry.path).filter(|(_, old, _)| !matches!(old.kind, Kind::Directory(_)));
        let from = match &made {
            Made::File(_, content) if old.is_none() => self.going.get_mut(&content.hash).and_then(Vec::pop),
            _ => None,
        };
        let counts = &mut self.changes.counts;
        let (change, count) = match (old, from) {
            (Some(_), _) => (Change::Changed, &mut counts.changed),
            (None, Some(_)) => (Change::Moved, &mut counts.moved),
            (None, None) => (Change::Added, &mut counts.added),
        };
        *count += 1;
        let from = from.map(<[u8]>::to_vec);
        self.changes.files.push(FileChange { change, path: entry.path.clone(), from });
        let number = self.changes.made.len() as u64;
        self.numbers.insert(at, number);
        self.touch(&entry.path);
        let was = old.map(|(_, _, stat)| *stat);
        self.changes.steps.push(Step::Place { number, path: entry.path.clone(), was });
        self.changes.made.push(made);
    }

    fn touch(&mut self, path: &[u8]) {
        self.touched.insert(split(path).0.to_vec());
    }

    /// Directories come last, the deepest first: what is done in them changes their time.
    fn finish(self) -> Changes {
        let Self { new, own, touched, late, mut changes, .. } = self;
        let moved: HashSet<Vec<u8>> = changes.files.iter().filter_map(|file| file.from.clone()).collect();
        changes.files.retain(|file| file.change != Change::Removed || !moved.contains(&file.path));
        changes.counts.removed -= moved.len() as u64;
        changes.steps.extend(late);
        for entry in new.entries.iter().rev() {
            let Kind::Directory(attributes) = entry.kind else { continue };
            let has = |stat: &Stat| {
                stat.modified == attributes.modified && (stat.mode == attributes.mode || !platform::HAS_MODES)
            };
            let is_right = own.find(&entry.path).is_some_and(|(_, _, stat)| has(stat));
            if !is_right || touched.contains(&entry.path) {
                changes.steps.push(Step::Set { path: entry.path.clone(), attributes, was: None });
            }
        }
        changes
    }
}

impl Change {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "add",
            Self::Changed => "change",
            Self::Moved => "move",
            Self::Removed => "remove",
        }
    }
}

/// Refuses names that this system, or a file system that folds case, cannot have beside each other.
pub(crate) fn check_names(listing: &Listing, folds_case: bool) -> Result<(), Error> {
    let mut folded: HashMap<String, &[u8]> = HashMap::new();
    for entry in listing.entries() {
        if let Some(why) = platform::fault_of(&entry.path).filter(|_| !entry.path.is_empty()) {
            return Err(Error::Name { path: shown(&entry.path), why });
        }
        if !folds_case {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path).to_lowercase();
        if let Some(other) = folded.insert(name, &entry.path) {
            return Err(Error::Collision { one: shown(other), other: shown(&entry.path) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(paths: &[&str]) -> Listing {
        let content = Content { length: 1, hash: FileHash([1; 32]) };
        let kind = Kind::File(Attributes { mode: 0o644, modified: Time::default() }, content);
        let root =
            Entry { path: Vec::new(), kind: Kind::Directory(Attributes { mode: 0o755, modified: Time::default() }) };
        let files = paths.iter().map(|path| Entry { path: path.as_bytes().to_vec(), kind: kind.clone() });
        Listing { entries: std::iter::once(root).chain(files).collect() }
    }

    #[test]
    fn names_that_a_file_system_takes_for_one_are_refused() {
        let names = listing(&["A", "a", "b"]);
        assert!(check_names(&names, false).is_ok());
        assert!(
            matches!(check_names(&names, true), Err(Error::Collision { one, other }) if one == "A" && other == "a")
        );
        assert!(check_names(&listing(&["\u{c4}", "b", "\u{e4}"]), true).is_err());
        assert!(check_names(&listing(&["A", "b", "c"]), true).is_ok());
    }
}
