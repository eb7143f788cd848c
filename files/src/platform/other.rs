//! Files and names where nothing is known of the system but what std offers.

use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A cursor is all there is to tell a place, and copies of a file share it.
static CURSORS: Mutex<()> = Mutex::new(());

pub(crate) fn read_exact_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let _turn = turn();
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

pub(crate) fn write_all_at(mut file: &File, data: &[u8], offset: u64) -> io::Result<()> {
    let _turn = turn();
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(data)
}

pub(crate) fn creating(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

pub(crate) fn opening(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

pub(crate) fn reading(options: &mut OpenOptions) -> &mut OpenOptions {
    options.read(true)
}

pub(crate) fn is_descriptor(_: &Path) -> bool {
    false
}

pub(crate) fn empty_device(_: &Metadata) -> bool {
    false
}

pub(crate) fn special_kind(_: FileType) -> Option<&'static str> {
    None
}

pub(crate) fn kind_of_name(_: &OsStr) -> Option<&'static str> {
    None
}

/// Nothing can be told, so a file is taken to be where it was created.
pub(crate) type Identity = ();

pub(crate) fn identity(_: &File) -> io::Result<Identity> {
    Ok(())
}

/// Of what is at `path`, which has to be a file.
pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
    match fs::symlink_metadata(path)?.is_file() {
        true => Ok(()),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

pub(crate) fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(fs::canonicalize(one)? == fs::canonicalize(other)?)
}

pub(crate) fn is_in_use(_: &Path) -> bool {
    false
}

pub(crate) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(crate) fn cluster_size(_: &File) -> u64 {
    4096
}

fn turn() -> MutexGuard<'static, ()> {
    CURSORS.lock().unwrap_or_else(PoisonError::into_inner)
}
