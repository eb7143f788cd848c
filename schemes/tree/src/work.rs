//! The folder in a directory that is worked in.

use std::fs::FileTimes;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::listing::Listing;
use crate::listing::path::WORK;
use crate::names::Folding;
use crate::platform;
use crate::root::Root;

/// The listing of what was made of a directory last, in the folder that is worked in: files that
/// have not changed since need not be read to know what is in them.
const CACHE: &str = "listing";

/// The recipes of packed files that belong to it.
const RECIPES: &str = "recipes";

/// The section of the index that this listing belongs to: the head of an index tells by it whether
/// anything has changed.
const SECTION: &str = "section";

/// The pointer that led to what was made of the directory last.
const SEEN: &str = "seen";

/// The most bytes of that.
const LONGEST_SEEN: u64 = 128 << 10;

/// The file that tells other processes that somebody is at work.
pub(crate) const LOCK: &str = "lock";

/// Opens the folder that is worked in, which is for its owner alone. That it is made is no change of
/// the directory: its time stays.
pub(crate) fn open_work(root: &Root) -> io::Result<Root> {
    let before = root.stat(b"")?;
    let is_new = root.stat(WORK.as_bytes())?.is_none();
    let work = root.own_directory(WORK)?;
    platform::set_mode(&work.handle()?, 0o700)?;
    if let Some(modified) = before.and_then(|before| before.modified.to_system()).filter(|_| is_new) {
        // Not everybody who may write to a directory may date it.
        let _ = root.handle()?.set_times(FileTimes::new().set_modified(modified));
    }
    Ok(work)
}

/// What the file system makes no difference of in names.
pub(crate) fn folding(work: &Root) -> Folding {
    let is_there = |name: &str| work.stat(name.as_bytes()).is_ok_and(|found| found.is_some());
    // One name, in both of its forms.
    let (one, other) = ("form-\u{e9}", "form-e\u{301}");
    let form = work.create(one).is_ok() && is_there(other);
    let _ = work.remove_file(one.as_bytes());
    Folding { case: is_there(&LOCK.to_uppercase()), form }
}

/// The listing of what was made of the directory last.
pub(crate) fn cached(root: &Root) -> Option<(Listing, Vec<u8>)> {
    let bytes = remembered(root, CACHE)?;
    Some((Listing::read(&bytes).ok()?, bytes))
}

/// The recipes of the packed files of what was made of the directory last.
pub(crate) fn cached_recipes(root: &Root) -> Option<Vec<u8>> {
    remembered(root, RECIPES)
}

/// The section of the index by which the directory at `path` was updated last.
pub(crate) fn remembered_section(path: &Path) -> Option<Vec<u8>> {
    remembered(&Root::open(path).ok()?, SECTION)
}

/// What was [kept](keep_seen) of the pointer by which the directory at `path` was updated last, and
/// where it is kept.
///
/// # Errors
///
/// When it cannot be read, though it is there.
pub fn read_seen(path: &Path) -> io::Result<(Option<Vec<u8>>, PathBuf)> {
    let kept_in = path.join(WORK).join(SEEN);
    let mut bytes = Vec::new();
    let name = format!("{WORK}/{SEEN}");
    let read =
        Root::open(path).and_then(|root| root.open_file(name.as_bytes())?.take(LONGEST_SEEN).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok((Some(bytes), kept_in)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok((None, kept_in))
        }
        Err(error) => Err(error),
    }
}

/// Keeps `bytes` of the pointer by which the directory at `path` was updated, in the folder that is
/// worked in.
///
/// # Errors
///
/// When they cannot be written.
pub fn keep_seen(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let root = Root::open(path)?;
    keep(&open_work(&root)?, SEEN, bytes)
}

fn remembered(root: &Root, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    root.open_file(format!("{WORK}/{name}").as_bytes()).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Leaves a listing, with the recipes of packed files, and the section that they belong to for the
/// next run.
pub(crate) fn remember(work: &Root, listing: &[u8], recipes: &[u8], section: &[u8]) -> io::Result<()> {
    keep(work, CACHE, listing)?;
    match recipes.is_empty() {
        false => keep(work, RECIPES, recipes)?,
        true => match work.remove_file(RECIPES.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        },
    }
    keep(work, SECTION, section)
}

fn keep(work: &Root, name: &str, bytes: &[u8]) -> io::Result<()> {
    if work.stat(name.as_bytes())?.is_some_and(|stat| stat.length == bytes.len() as u64)
        && let Ok(mut old) = work.open_file(name.as_bytes())
    {
        let mut kept = Vec::new();
        if old.read_to_end(&mut kept).is_ok() && kept == bytes {
            return Ok(());
        }
    }
    let beside = format!("{name}.part");
    let _ = work.remove_file(beside.as_bytes());
    work.create(&beside)?.write_all(bytes)?;
    work.rename(beside.as_bytes(), work, name.as_bytes())
}
