//! What has to be done to a directory, so that it is what a listing says.

use gosync_chunks::FileHash;
use hashbrown::{HashMap, HashSet};

use crate::error::Error;
use crate::extra::{Extra, Unset};
use crate::listing::Listing;
use crate::listing::entry::{Attributes, Content, Entry, Kind, Time};
use crate::listing::path::split;
use crate::platform;
use crate::root::{Stat, StatKind};
use crate::scan::Scan;
use crate::step::Step;
use crate::wishes::{PlanOptions, Wishes};

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

/// A file or directory, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathChange {
    /// What.
    pub change: Change,
    /// Its path.
    pub path: Vec<u8>,
    /// Where it was, if it moves. Directories do not: their files do.
    pub from: Option<Vec<u8>>,
    /// Whether it is a directory, or was one where it goes.
    pub is_directory: bool,
}

/// What becomes of a file or directory.
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

/// Something to be made, before anything is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A file with this in it.
    File(Attributes, Content),
    /// A file that is here, and will be taken from where it is.
    Taken,
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
    /// What becomes of which file or directory.
    pub(crate) paths: Vec<PathChange>,
    /// What is to be set of what is made, by its number.
    pub(crate) extras: HashMap<u64, Extra>,
    /// What this user may not set.
    pub(crate) unset: Unset,
}

impl Changes {
    /// What makes of the directory `own` what `new` lists.
    pub(crate) fn plan(new: &Listing, own: &Scan, options: &PlanOptions) -> Result<Self, Error> {
        let PlanOptions { delete, .. } = *options;
        let mut planner = Planner {
            new,
            own,
            wishes: Wishes::of(new, own, options),
            going: if delete { going(new, own) } else { HashMap::new() },
            movable: movable(new, own, delete),
            numbers: HashMap::new(),
            inodes: HashMap::new(),
            taken: HashMap::new(),
            touched: HashSet::new(),
            early: Vec::new(),
            late: Vec::new(),
            sets: Vec::new(),
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

    fn tell(&mut self, change: Change, path: &[u8], is_directory: bool) {
        self.paths.push(PathChange { change, path: path.to_vec(), from: None, is_directory });
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

/// The files that can be taken from where they are, by what is in them: files with one name, on the
/// file system of the directory, whose content does not stay at their path.
fn movable(new: &Listing, own: &Scan, delete: bool) -> HashMap<FileHash, Vec<usize>> {
    let mut movable: HashMap<FileHash, Vec<usize>> = HashMap::new();
    let device = own.stats.first().map(|root| root.device);
    for (at, (entry, stat)) in own.listing.entries.iter().zip(&own.stats).enumerate().rev() {
        let Kind::File(_, content) = entry.kind else { continue };
        let leaves = match new.find(&entry.path) {
            None => delete,
            Some(listed) => new.content(listed).is_some_and(|listed| listed != content),
        };
        if leaves && content.length > 0 && stat.names == 1 && Some(stat.device) == device {
            movable.entry(content.hash).or_default().push(at);
        }
    }
    movable
}

struct Planner<'a> {
    new: &'a Listing,
    own: &'a Scan,
    wishes: Wishes<'a>,
    /// The files that can be taken, the first to be taken last.
    movable: HashMap<FileHash, Vec<usize>>,
    /// Those that are, by the number that each is made under.
    taken: HashMap<u64, usize>,
    /// What takes them.
    early: Vec<Step>,
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
    /// Modes and times of files that stay. They come after all that replaces or removes files: another
    /// name of the same file may be among these, and has to be what it was.
    sets: Vec<Step>,
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
            if !is_listed {
                let is_directory = stat.kind == StatKind::Directory;
                self.changes.counts.removed += u64::from(!is_directory);
                self.changes.tell(Change::Removed, &entry.path, is_directory);
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
                    self.changes.tell(old.map_or(Change::Added, |_| Change::Changed), &entry.path, true);
                }
            }
            Kind::File(attributes, content) => {
                let here = old.filter(|(old, ..)| self.own.content(*old) == Some(*content) && self.keeps(*old, at));
                match here {
                    Some((old, _, stat)) => self.set(at, old, *attributes, stat, *content),
                    None => self.make(at, Made::File(*attributes, *content)),
                }
            }
            Kind::Link { modified, target } => {
                let is_it = |here: &Kind| match here {
                    Kind::Link { modified: kept, target: here } => {
                        here == target && modified.is_kept_as(*kept, platform::TIME_UNIT)
                    }
                    _ => false,
                };
                match old {
                    Some((old, here, _)) if is_it(&here.kind) && !self.wishes.differ(at, old) => {
                        self.changes.counts.unchanged += 1;
                    }
                    _ => self.make(at, Made::Link(*modified, target.clone())),
                }
            }
            Kind::HardLink { of } => {
                let first = &self.new.entries[*of].path;
                let made = match self.numbers.get(of) {
                    Some(number) if self.taken.contains_key(number) => {
                        Made::NameOf(self.own.listing.entries[self.taken[number]].path.clone())
                    }
                    Some(&number) => Made::SameAs(number),
                    None => Made::NameOf(first.clone()),
                };
                let is_same = |stat: &Stat| {
                    self.own.find(first).is_some_and(|(_, _, first)| {
                        stat.kind == StatKind::File && (first.device, first.inode) == (stat.device, stat.inode)
                    })
                };
                match (&made, old) {
                    (Made::NameOf(of), Some((_, _, stat))) if of == first && is_same(stat) => {
                        self.changes.counts.unchanged += 1;
                    }
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

    fn set(&mut self, at: usize, old: usize, attributes: Attributes, stat: &Stat, content: Content) {
        let is_same = stat.has(&attributes);
        let differs = self.wishes.differ(at, old);
        if is_same && !differs {
            self.changes.counts.unchanged += 1;
            return;
        }
        // Another directory may have a name of this file too, and is not to be changed with it.
        if stat.names > self.own.names(old) {
            return self.make(at, Made::File(attributes, content));
        }
        let path = self.new.entries[at].path.clone();
        self.changes.counts.changed += 1;
        self.changes.tell(Change::Changed, &path, false);
        let extra = if differs { self.wishes.of_entry(at) } else { Extra::default() };
        self.sets.push(Step::Set { path, attributes, extra, was: Some(*stat) });
    }

    /// Has a file that is here, and whose content is needed only elsewhere, taken from its place.
    fn take(&mut self, at: usize, made: Made, number: u64, from: Option<&[u8]>) -> Made {
        let Made::File(attributes, content) = made else { return made };
        let Some(of) = self.movable.get_mut(&content.hash) else { return made };
        let own = self.own;
        // The file that is told to have moved, where it is that.
        let told = of.iter().rposition(|&old| from.is_some_and(|from| own.listing.entries[old].path == from));
        let Some(last) = of.len().checked_sub(1) else { return made };
        let old = of.remove(told.unwrap_or(last));
        if self.wishes.differ(at, old) {
            return made;
        }
        let (path, was) = (own.listing.entries[old].path.clone(), own.stats[old]);
        self.touch(&path);
        self.taken.insert(number, old);
        self.early.push(Step::Take { number, path, attributes, was });
        Made::Taken
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
        let number = self.changes.made.len() as u64;
        let made = self.take(at, made, number, from);
        let from = from.map(<[u8]>::to_vec);
        self.changes.paths.push(PathChange { change, path: entry.path.clone(), from, is_directory: false });
        self.numbers.insert(at, number);
        self.touch(&entry.path);
        let was = old.map(|(_, _, stat)| *stat);
        self.changes.steps.push(Step::Place { number, path: entry.path.clone(), was });
        let extra = self.wishes.of_entry(at);
        if !extra.is_empty() && matches!(made, Made::File(..) | Made::Link(..)) {
            self.changes.extras.insert(number, extra);
        }
        self.changes.made.push(made);
    }

    fn touch(&mut self, path: &[u8]) {
        self.touched.insert(split(path).0.to_vec());
    }

    /// Directories come last, the deepest first: what is done in them changes their time.
    fn finish(self) -> Changes {
        let Self { new, own, wishes, taken, touched, early, late, sets, mut changes, .. } = self;
        // Where a file is taken from, nothing is left to be removed or replaced.
        let taken: HashSet<&[u8]> = taken.into_values().map(|at| own.listing.entries[at].path.as_slice()).collect();
        for step in &mut changes.steps {
            if let Step::Place { path, was, .. } = step
                && taken.contains(path.as_slice())
            {
                *was = None;
            }
        }
        let is_left = |step: &Step| !matches!(step, Step::Remove { path, .. } if taken.contains(path.as_slice()));
        changes.steps = early.into_iter().chain(changes.steps).filter(is_left).collect();
        let late = late.into_iter().filter(is_left);
        let moved: HashSet<Vec<u8>> = changes.paths.iter().filter_map(|path| path.from.clone()).collect();
        changes.paths.retain(|path| path.change != Change::Removed || !moved.contains(&path.path));
        changes.counts.removed -= moved.len() as u64;
        changes.steps.extend(late);
        changes.steps.extend(sets);
        for (at, entry) in new.entries.iter().enumerate().rev() {
            let Kind::Directory(attributes) = entry.kind else { continue };
            let here = own.find(&entry.path).filter(|(_, here, _)| matches!(here.kind, Kind::Directory(_)));
            let differs = here.is_none_or(|(here, ..)| wishes.differ(at, here));
            let is_right = here.is_some_and(|(_, _, stat)| stat.has(&attributes));
            // What is done in a directory changes its time, and that is not worth a word.
            let is_touched = touched.contains(&entry.path);
            let has_mode = here.is_none_or(|(_, _, stat)| stat.mode == attributes.mode);
            if here.is_some() && (differs || !has_mode || !is_right && !is_touched) {
                changes.tell(Change::Changed, &entry.path, true);
            }
            if differs && here.is_some() || !is_right || is_touched {
                let extra = if differs { wishes.of_entry(at) } else { Extra::default() };
                changes.steps.push(Step::Set { path: entry.path.clone(), attributes, extra, was: None });
            }
        }
        changes.unset = wishes.unset();
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
