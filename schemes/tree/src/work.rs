//! The folder in a directory that is worked in.

use std::io::{self, Read, Write};

use crate::listing::Listing;
use crate::listing::path::WORK;
use crate::platform;
use crate::root::Root;

/// The listing of what was made of a directory last, in the folder that is worked in: files that
/// have not changed since need not be read to know what is in them.
const CACHE: &str = "listing";

/// The file that tells other processes that somebody is at work.
pub(crate) const LOCK: &str = "lock";

/// Opens the folder that is worked in, which is for its owner alone.
pub(crate) fn open_work(root: &Root) -> io::Result<Root> {
    let work = root.own_directory(WORK)?;
    platform::set_mode(&work.handle()?, 0o700)?;
    Ok(work)
}

/// Whether the file system takes names for one that differ in case.
pub(crate) fn folds_case(work: &Root) -> bool {
    work.stat(LOCK.to_uppercase().as_bytes()).is_ok_and(|found| found.is_some())
}

/// The listing of what was made of the directory last.
pub(crate) fn cached(root: &Root) -> Option<(Listing, Vec<u8>)> {
    let mut bytes = Vec::new();
    root.open_file(format!("{WORK}/{CACHE}").as_bytes()).ok()?.read_to_end(&mut bytes).ok()?;
    Some((Listing::read(&bytes).ok()?, bytes))
}

/// Leaves the listing for the next run.
pub(crate) fn remember(work: &Root, listing: &[u8]) -> io::Result<()> {
    if work.stat(CACHE.as_bytes())?.is_some_and(|stat| stat.length == listing.len() as u64)
        && let Ok(mut old) = work.open_file(CACHE.as_bytes())
    {
        let mut bytes = Vec::new();
        if old.read_to_end(&mut bytes).is_ok() && bytes == listing {
            return Ok(());
        }
    }
    let beside = "listing.part";
    let _ = work.remove_file(beside.as_bytes());
    work.create(beside)?.write_all(listing)?;
    work.rename(beside.as_bytes(), work, CACHE.as_bytes())
}
