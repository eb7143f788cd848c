//! What is to be done to a directory, written down before it is done.

use std::io::{self, Read, Write};

use gosync_files::entry;
use hashbrown::HashSet;

use crate::changes::Step;
use crate::codec::{Input, put_bytes, put_number, put_signed};
use crate::error::Error;
use crate::listing::entry::{Attributes, Time};
use crate::listing::error::ListingError;
use crate::listing::path::{LONGEST_PATH, fault_of, shown, split};
use crate::platform;
use crate::root::{Root, Stat, StatKind};
use crate::stage::{name, set};

/// What a journal begins with, and its version.
const MAGIC: &[u8; 8] = b"GSTREEJ1";

/// Its name in the folder that is worked in.
const NAME: &str = "journal";

/// What is made is in this folder beside it.
pub(crate) const NEW: &str = "new";

const REMOVE: u8 = 0;
const CREATE: u8 = 1;
const PLACE: u8 = 2;
const SET: u8 = 3;

/// Something that was left as it is, since it is not what it was or cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The path in the directory.
    pub path: Vec<u8>,
    /// Why.
    pub why: String,
}

/// Writes down `steps` and has them on disk, where all that was made is already.
pub(crate) fn write(work: &Root, steps: &[Step]) -> io::Result<()> {
    let mut bytes = MAGIC.to_vec();
    put_number(&mut bytes, steps.len() as u64);
    steps.iter().for_each(|step| put_step(&mut bytes, step));
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    let beside = "journal.part";
    let _ = work.remove_file(beside.as_bytes());
    let mut file = work.create(beside)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    work.rename(beside.as_bytes(), work, NAME.as_bytes())?;
    entry::sync_directory(work.path())
}

/// What a run before this one has written down, if it was not done with it. What is damaged was
/// never begun.
pub(crate) fn read(work: &Root) -> io::Result<Option<Vec<Step>>> {
    if work.stat(NAME.as_bytes())?.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    work.open_file(NAME.as_bytes())?.read_to_end(&mut bytes)?;
    Ok(parse(&bytes).ok())
}

/// Does all of `steps`, and says what was left as it is. A run that is killed meanwhile is gone on
/// with by doing them all again.
pub(crate) fn carry_out(root: &Root, work: &Root, steps: &[Step]) -> Result<Vec<Kept>, Error> {
    let new = work.own_directory(NEW).map_err(Error::write(work.path()))?;
    let mut kept: Vec<Kept> = Vec::new();
    // Where something else has come after a removal that was done before, that step tells of it.
    let is_made = |step: &&Step| matches!(step, Step::Create { .. } | Step::Place { .. });
    let made: HashSet<&[u8]> = steps.iter().filter(is_made).map(Step::path).collect();
    for step in steps {
        let path = step.path();
        let done = match attempt(root, &new, step) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && allow(root, step).is_ok() => {
                attempt(root, &new, step)
            }
            done => done,
        };
        match done {
            Ok(None) => {}
            Ok(Some(_)) if matches!(step, Step::Remove { .. }) && made.contains(path) => {}
            Ok(Some(why)) => kept.push(Kept { path: path.to_vec(), why: why.to_owned() }),
            // A directory on the way there is none any more, or gone.
            Err(error) if is_astray(&error) => {
                kept.push(Kept { path: path.to_vec(), why: "the directory that it is in is not what it was".into() });
            }
            Err(error) => match obstacle(&error) {
                Some(why) => kept.push(Kept { path: path.to_vec(), why: why.into() }),
                None => return Err(Error::write(&root.at(path))(error)),
            },
        }
    }
    let finished = (|| {
        sync(root, steps)?;
        let _ = work.remove_file(NAME.as_bytes());
        work.remove_own(NEW)
    })();
    finished.map_err(Error::write(work.path()))?;
    Ok(kept)
}

/// Directories that are synced one by one, at most.
const MOST_SYNCED: usize = 64;

/// Has on disk what was done, before the journal goes.
fn sync(root: &Root, steps: &[Step]) -> io::Result<()> {
    let touched: HashSet<&[u8]> = steps.iter().map(|step| split(step.path()).0).collect();
    if touched.len() > MOST_SYNCED && platform::SYNCS_ALL {
        return platform::sync_all(&root.handle()?);
    }
    for directory in touched {
        // It may have gone with the rest.
        if root.stat(directory)?.is_some_and(|stat| stat.kind == StatKind::Directory) {
            platform::sync_directory(&root.open_to_set(directory, StatKind::Directory)?)?;
        }
    }
    Ok(())
}

impl Step {
    pub(crate) fn path(&self) -> &[u8] {
        match self {
            Self::Remove { path, .. } | Self::Create { path } | Self::Place { path, .. } | Self::Set { path, .. } => {
                path
            }
        }
    }
}

/// Does a step; says why where it cannot be done since something is not what it was.
fn attempt(root: &Root, new: &Root, step: &Step) -> io::Result<Option<&'static str>> {
    let now = root.stat(step.path())?;
    match step {
        Step::Remove { path, was } => match now {
            None => Ok(None),
            Some(now) if !now.is_same(was) => Ok(Some("it was changed meanwhile, and was not removed")),
            Some(now) if now.kind == StatKind::Directory => match root.remove_directory(path) {
                // What is in it was left out, or has come meanwhile.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(None),
                removed => removed.map(|()| None),
            },
            Some(_) => root.remove_file(path).map(|()| None),
        },
        Step::Create { path } => match now {
            None => root.create_directory(path).map(|()| None),
            Some(now) if now.kind == StatKind::Directory => Ok(None),
            Some(_) => Ok(Some("something came here meanwhile, where a directory belongs")),
        },
        Step::Place { number, path, was } => {
            if new.stat(name(*number).as_bytes())?.is_none() {
                // It is in its place, or was left as it is.
                return Ok(None);
            }
            let is_as_it_was = match (now, was) {
                (None, None) => true,
                (Some(now), Some(was)) => now.is_same(was),
                _ => false,
            };
            match is_as_it_was {
                true => new.rename(name(*number).as_bytes(), root, path).map(|()| None),
                false => Ok(Some("it was changed meanwhile, and was not replaced")),
            }
        }
        Step::Set { path, attributes, was } => {
            let Some(now) = now else { return Ok(Some("it is gone")) };
            let is_set = now.modified == attributes.modified && now.mode == attributes.mode;
            if is_set {
                return Ok(None);
            }
            if was.is_some_and(|was| !now.is_same(&was)) {
                return Ok(Some("it was changed meanwhile, and its mode and time were not set"));
            }
            if now.kind != StatKind::Directory && was.is_none() {
                return Ok(Some("it is no directory any more"));
            }
            let set = set(&root.open_to_set(path, now.kind)?, attributes);
            // Systems without modes set the time of a directory only with rights of their own.
            if platform::HAS_MODES || now.kind != StatKind::Directory { set.map(|()| None) } else { Ok(None) }
        }
    }
}

/// What concerns this path alone, so that all others can be done.
fn obstacle(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Some("this user may not change it"),
        io::ErrorKind::CrossesDevices => Some("it is on another file system than the directory"),
        io::ErrorKind::ResourceBusy => Some("the system holds it"),
        _ => None,
    }
}

/// Makes it possible to change what is in a directory, or to open what is to be set. Both are given
/// the mode that they are to have, by this step or a later one.
fn allow(root: &Root, step: &Step) -> io::Result<()> {
    root.allow(split(step.path()).0)?;
    if matches!(step, Step::Set { .. }) { root.allow(step.path()) } else { Ok(()) }
}

fn is_astray(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)
        || platform::is_loop(error)
}

fn put_step(bytes: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Remove { path, was } => {
            bytes.push(REMOVE);
            put_bytes(bytes, path);
            put_stat(bytes, Some(was));
        }
        Step::Create { path } => {
            bytes.push(CREATE);
            put_bytes(bytes, path);
        }
        Step::Place { number, path, was } => {
            bytes.push(PLACE);
            put_bytes(bytes, path);
            put_number(bytes, *number);
            put_stat(bytes, was.as_ref());
        }
        Step::Set { path, attributes, was } => {
            bytes.push(SET);
            put_bytes(bytes, path);
            put_number(bytes, attributes.mode.into());
            put_time(bytes, attributes.modified);
            put_stat(bytes, was.as_ref());
        }
    }
}

fn put_time(bytes: &mut Vec<u8>, time: Time) {
    put_signed(bytes, time.seconds);
    put_number(bytes, time.nanoseconds.into());
}

fn put_stat(bytes: &mut Vec<u8>, stat: Option<&Stat>) {
    let Some(stat) = stat else { return bytes.push(0) };
    bytes.push(match stat.kind {
        StatKind::File => 1,
        StatKind::Directory => 2,
        StatKind::Link | StatKind::Other => 3,
    });
    put_number(bytes, stat.length);
    put_time(bytes, stat.modified);
    put_number(bytes, stat.mode.into());
    for number in [stat.device, stat.inode, stat.names] {
        put_number(bytes, number);
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Step>, ListingError> {
    let bad = || ListingError::new("it is no journal");
    let (bytes, checksum) = bytes.split_last_chunk::<32>().ok_or_else(bad)?;
    if blake3::hash(bytes).as_bytes() != checksum {
        return Err(bad());
    }
    let mut input = Input(bytes.strip_prefix(MAGIC).ok_or_else(bad)?);
    let count = input.number()?;
    let mut steps = Vec::new();
    for _ in 0..count {
        let kind = input.byte()?;
        let path = input.bytes(LONGEST_PATH)?.to_vec();
        if !path.is_empty() && fault_of(&path).is_some() {
            return Err(ListingError::new(shown(&path)));
        }
        steps.push(match kind {
            REMOVE => Step::Remove { path, was: stat(&mut input)?.ok_or_else(bad)? },
            CREATE => Step::Create { path },
            PLACE => Step::Place { path, number: input.number()?, was: stat(&mut input)? },
            SET => {
                let mode = u32::try_from(input.number()?).map_err(|_| bad())?;
                let attributes = Attributes { mode, modified: time(&mut input)? };
                Step::Set { path, attributes, was: stat(&mut input)? }
            }
            _ => return Err(bad()),
        });
    }
    input.end()?;
    Ok(steps)
}

fn time(input: &mut Input<'_>) -> Result<Time, ListingError> {
    let seconds = input.signed()?;
    let nanoseconds = u32::try_from(input.number()?).map_err(|_| ListingError::new("it has no such time"))?;
    Ok(Time { seconds, nanoseconds })
}

fn stat(input: &mut Input<'_>) -> Result<Option<Stat>, ListingError> {
    let kind = match input.byte()? {
        0 => return Ok(None),
        1 => StatKind::File,
        2 => StatKind::Directory,
        _ => StatKind::Link,
    };
    let (length, modified) = (input.number()?, time(input)?);
    let mode = input.number()? as u32;
    let (device, inode, names) = (input.number()?, input.number()?, input.number()?);
    Ok(Some(Stat { kind, length, modified, mode, device, inode, names }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use crate::changes::Changes;
    use crate::excludes::Excludes;
    use crate::listing::entry::Content;
    use crate::scan::{Scan, ScanOptions};
    use crate::stage::{Origin, Stage};

    fn steps() -> Vec<Step> {
        let modified = Time { seconds: -3, nanoseconds: 999 };
        let was = Stat { kind: StatKind::File, length: 5, modified, mode: 0o644, device: 1, inode: 1 << 40, names: 2 };
        let attributes = Attributes { mode: 0o750, modified };
        vec![
            Step::Remove { path: b"a/b".to_vec(), was },
            Step::Create { path: b"c".to_vec() },
            Step::Place { number: 7, path: b"c/d".to_vec(), was: None },
            Step::Place { number: 8, path: b"e".to_vec(), was: Some(Stat { kind: StatKind::Link, ..was }) },
            Step::Set { path: Vec::new(), attributes, was: None },
            Step::Set { path: b"f".to_vec(), attributes, was: Some(was) },
        ]
    }

    #[test]
    fn comes_back_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let work = Root::open(directory.path()).unwrap();
        assert_eq!(read(&work).unwrap(), None);
        write(&work, &steps()).unwrap();
        assert_eq!(read(&work).unwrap(), Some(steps()));
        let path = directory.path().join(NAME);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(read(&work).unwrap(), None, "{at}");
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert_eq!(read(&work).unwrap(), None, "{at}");
        }
    }

    /// Two trees between which something of everything changes.
    #[cfg(unix)]
    fn versions(ground: &Path) -> (Root, Scan) {
        let file = |path: &str, data: &str| {
            let path = ground.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, data).unwrap();
        };
        for (path, data) in
            [("a", "1"), ("b", "2"), ("d/c", "3"), ("d/e/f", "4"), ("g", "5"), ("h/i", "6"), ("same", "7")]
        {
            file(&format!("old/{path}"), data);
        }
        std::os::unix::fs::symlink("a", ground.join("old/link")).unwrap();
        fs::hard_link(ground.join("old/a"), ground.join("old/too")).unwrap();
        // Swapped, moved, a file for a directory and the other way, links of both kinds changed.
        for (path, data) in
            [("a", "2"), ("b", "1"), ("d", "3"), ("g/j", "5"), ("h/k/i", "6"), ("link", "no"), ("same", "7")]
        {
            file(&format!("new/{path}"), data);
        }
        std::os::unix::fs::symlink("elsewhere", ground.join("new/h/link")).unwrap();
        fs::hard_link(ground.join("new/b"), ground.join("new/too")).unwrap();
        (Root::open(&ground.join("old")).unwrap(), scan(&ground.join("new")))
    }

    fn scan(path: &Path) -> Scan {
        let options = ScanOptions { excludes: &Excludes::new("").unwrap(), known: None, progress: &() };
        Scan::of(Root::open(path).unwrap(), &options).unwrap()
    }

    /// Writes down all that makes the new version of the old one.
    #[cfg(unix)]
    fn prepare(root: &Root, new: Scan) -> (Root, Vec<Step>) {
        let own = scan(root.path());
        let changes = Changes::plan(&new.listing, &own, true).unwrap();
        let work = root.own_directory(".gosync").unwrap();
        let staged = work.own_directory(NEW).unwrap();
        let new = Arc::new(new);
        let origin = |content: &Content| {
            let at = (0..new.stats.len()).find(|&at| new.content(at) == Some(*content))?;
            Some(Origin::File(new.clone(), at))
        };
        let stage = Stage { root, new: &staged, fetched: None, origin: &origin, progress: &() };
        stage.make(&changes.made).unwrap();
        write(&work, &changes.steps).unwrap();
        (work, changes.steps)
    }

    #[cfg(unix)]
    #[test]
    fn a_run_that_is_killed_anywhere_is_rolled_forward() {
        for done in 0.. {
            let ground = tempfile::tempdir().unwrap();
            let (root, new) = versions(ground.path());
            let (work, steps) = prepare(&root, new);
            if done > steps.len() {
                assert!(steps.len() > 20, "{steps:?}");
                break;
            }
            let staged = work.own_directory(NEW).unwrap();
            for step in &steps[..done] {
                assert_eq!(attempt(&root, &staged, step).unwrap(), None, "{step:?}");
            }
            let unfinished = read(&work).unwrap().unwrap();
            assert_eq!(carry_out(&root, &work, &unfinished).unwrap(), [], "{done}");
            assert_eq!(scan(root.path()).listing, scan(&ground.path().join("new")).listing, "{done}");
            assert_eq!((read(&work).unwrap(), work.list().unwrap().len()), (None, 0));
            assert_eq!(carry_out(&root, &work, &steps).unwrap(), [], "once more");
        }
    }
}
