//! Doing what was written down.

use std::io;

use hashbrown::HashSet;

use crate::error::Error;
use crate::extra::Refusals;
use crate::listing::path::split;
use crate::platform;
use crate::root::{Root, StatKind};
use crate::stage::{name, set};
use crate::step::Step;

use super::file;

/// What is made is in this folder beside it.
pub(crate) const NEW: &str = "new";

/// Something that was left as it is, since it is not what it was or cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The path in the directory.
    pub path: Vec<u8>,
    /// Why.
    pub why: String,
}

/// Does all of `steps`, and says what was left as it is. A run that is killed meanwhile is gone on
/// with by doing them all again.
pub(crate) fn carry_out(root: &Root, work: &Root, steps: &[Step], refusals: &Refusals) -> Result<Vec<Kept>, Error> {
    let new = work.own_directory(NEW).map_err(Error::write(work.path()))?;
    let mut kept: Vec<Kept> = Vec::new();
    // Where something else has come after a removal that was done before, that step tells of it.
    let is_made = |step: &&Step| matches!(step, Step::Create { .. } | Step::Place { .. });
    let made: HashSet<&[u8]> = steps.iter().filter(is_made).map(Step::path).collect();
    for step in steps {
        let path = step.path();
        let done = match attempt(root, &new, step, refusals) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && allow(root, step).is_ok() => {
                attempt(root, &new, step, refusals)
            }
            done => done,
        };
        match done {
            Ok(None) => {}
            Ok(Some(_)) if matches!(step, Step::Remove { .. } | Step::Take { .. }) && made.contains(path) => {}
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
    // On Windows no directory goes that is open.
    drop(new);
    sync(root, steps).and_then(|()| discard(work)).map_err(Error::write(work.path()))?;
    Ok(kept)
}

/// Removes all that a run leaves that has not begun to change the directory, or is done with it.
pub(crate) fn discard(work: &Root) -> io::Result<()> {
    file::remove(work)?;
    work.remove_own(NEW)
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
        match root.open_to_set(directory, StatKind::Directory) {
            // It may have gone with the rest, or be something else by now.
            Err(error) if is_astray(&error) => {}
            opened => platform::sync_directory(&opened?)?,
        }
    }
    Ok(())
}

/// Does a step; says why where it cannot be done since something is not what it was.
fn attempt(root: &Root, new: &Root, step: &Step, refusals: &Refusals) -> io::Result<Option<&'static str>> {
    let now = root.stat(step.path())?;
    match step {
        Step::Take { number, path, attributes, was } => {
            let name = name(*number);
            let taken = new.stat(name.as_bytes())?;
            let (name, taken) = match (taken, now) {
                (Some(taken), _) => (name.as_bytes(), taken),
                (None, Some(now)) if now.is_same(was) => {
                    root.rename(path, new, name.as_bytes())?;
                    (name.as_bytes(), now)
                }
                // It is in its place already, or gone.
                (None, None) => return Ok(None),
                (None, Some(_)) => return Ok(Some("it was changed meanwhile, and was not moved")),
            };
            if taken.modified == attributes.modified && taken.mode == attributes.mode {
                return Ok(None);
            }
            let file = match new.open_to_set(name, StatKind::File) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    new.allow(name)?;
                    new.open_to_set(name, StatKind::File)
                }
                opened => opened,
            };
            set(&file?, attributes).map(|()| None)
        }
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
        Step::Set { path, attributes, extra, was } => {
            let Some(now) = now else { return Ok(Some("it is gone")) };
            let is_set = now.modified == attributes.modified && now.mode == attributes.mode;
            if is_set && extra.is_empty() {
                return Ok(None);
            }
            if was.is_some_and(|was| !now.is_same(&was)) {
                return Ok(Some("it was changed meanwhile, and its mode and time were not set"));
            }
            if now.kind != StatKind::Directory && was.is_none() {
                return Ok(Some("it is no directory any more"));
            }
            let opened = root.open_to_set(path, now.kind)?;
            extra.set(&opened, refusals)?;
            let set = set(&opened, attributes);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use super::super::file::{read, write};
    use crate::changes::Changes;
    use crate::excludes::Excludes;
    use crate::listing::entry::Content;
    use crate::scan::{Scan, ScanOptions};
    use crate::stage::{Origin, Stage};
    use crate::wishes::PlanOptions;

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
        let excludes = Excludes::new("").unwrap();
        let options = ScanOptions::plain(&excludes, &());
        Scan::of(Root::open(path).unwrap(), &options).unwrap()
    }

    /// Writes down all that makes the new version of the old one.
    #[cfg(unix)]
    fn prepare(root: &Root, new: Scan) -> (Root, Vec<Step>) {
        let own = scan(root.path());
        let changes =
            Changes::plan(&new.listing, &own, &PlanOptions { delete: true, ..PlanOptions::default() }).unwrap();
        let work = root.own_directory(".gosync").unwrap();
        let staged = work.own_directory(NEW).unwrap();
        let new = Arc::new(new);
        let origin = |content: &Content| {
            let at = (0..new.stats.len()).find(|&at| new.content(at) == Some(*content))?;
            Some(Origin::File(new.clone(), at))
        };
        let refusals = &Refusals::default();
        let stage = Stage {
            root,
            new: &staged,
            fetched: None,
            origin: &origin,
            closed_bytes: 0,
            link: false,
            refusals,
            progress: &(),
        };
        stage.make(&changes).unwrap();
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
                assert_eq!(attempt(&root, &staged, step, &Refusals::default()).unwrap(), None, "{step:?}");
            }
            let unfinished = read(&work).unwrap().unwrap();
            assert_eq!(carry_out(&root, &work, &unfinished, &Refusals::default()).unwrap(), [], "{done}");
            assert_eq!(scan(root.path()).listing, scan(&ground.path().join("new")).listing, "{done}");
            assert_eq!((read(&work).unwrap(), work.list().unwrap().len()), (None, 0));
            assert_eq!(carry_out(&root, &work, &steps, &Refusals::default()).unwrap(), [], "once more");
        }
    }

    /// A directory becomes a link out of the tree before the n-th call, whichever that is.
    #[cfg(unix)]
    #[test]
    fn a_directory_that_becomes_a_link_between_any_two_calls_leads_nowhere() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        for turn in 0.. {
            let ground = tempfile::tempdir().unwrap();
            let at = |path: &str| ground.path().join(path);
            let (mut root, new) = versions(ground.path());
            let (work, steps) = prepare(&root, new);
            // What could be harmed has the names and the contents of what is in the directories.
            for (path, data) in [("outside/c", "3"), ("outside/e/f", "4"), ("outside/i", "6"), ("outside/k/i", "6")] {
                fs::create_dir_all(at(path).parent().unwrap()).unwrap();
                fs::write(at(path), data).unwrap();
            }
            let before = scan(&at("outside")).listing;
            let (count, swapped) =
                (Arc::new(AtomicUsize::new(0)), ["d", "h"].map(|name| (at("old").join(name), at(name))));
            let (counted, outside) = (count.clone(), at("outside"));
            root.between.0 = Some(Box::new(move || {
                if counted.fetch_add(1, Ordering::Relaxed) == turn {
                    for (directory, aside) in &swapped {
                        if fs::symlink_metadata(directory).is_ok_and(|found| found.is_dir()) {
                            fs::rename(directory, aside).unwrap();
                            std::os::unix::fs::symlink(&outside, directory).unwrap();
                        }
                    }
                }
            }));
            carry_out(&root, &work, &steps, &Refusals::default()).unwrap();
            assert_eq!(scan(&at("outside")).listing, before, "before call {turn}");
            if count.load(Ordering::Relaxed) <= turn {
                assert!(turn > 30, "{turn}");
                break;
            }
        }
    }
}
