//! What keeps a file from being replaced, found out before anything is made that is to replace it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Statx, StatxAttributes, StatxFlags, statx};

/// Why nothing can take the name of the file at `target` in `directory`, as far as that can be told.
pub(crate) fn obstacle(target: &Path, directory: &Path) -> Option<&'static str> {
    let look =
        |path: &Path| -> io::Result<Statx> { Ok(statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)?) };
    let has = |stat: &Statx, attribute| stat.stx_attributes.contains(attribute);
    if let Ok(file) = look(target) {
        if has(&file, StatxAttributes::IMMUTABLE) {
            return Some("is immutable (`chattr -i` changes that)");
        }
        if has(&file, StatxAttributes::APPEND) {
            return Some("may only be appended to (`chattr -a` changes that)");
        }
        if has(&file, StatxAttributes::MOUNT_ROOT) {
            return Some("is mounted as a single file");
        }
        if is_kept_by_sticky(target, directory).unwrap_or(false) {
            return Some("belongs to somebody else, in a directory where everybody replaces their own files only");
        }
    }
    let is_append_only = look(directory).is_ok_and(|directory| has(&directory, StatxAttributes::APPEND));
    is_append_only.then_some("is in a directory whose names stay (`chattr -a` changes that)")
}

fn is_kept_by_sticky(target: &Path, directory: &Path) -> io::Result<bool> {
    const STICKY: u32 = 0o1000;
    let directory = fs::metadata(directory)?;
    if directory.mode() & STICKY == 0 {
        return Ok(false);
    }
    let us = rustix::process::geteuid().as_raw();
    Ok(![directory.uid(), fs::symlink_metadata(target)?.uid()].contains(&us) && !acts_for_all_owners())
}

/// Whether this process may do what only a file's owner may (CAP_FOWNER).
fn acts_for_all_owners() -> bool {
    const FOWNER: u64 = 1 << 3;
    let capabilities = super::system::status("CapEff:").and_then(|mask| u64::from_str_radix(&mask, 16).ok());
    // What cannot be told is left to the system.
    capabilities.is_none_or(|mask| mask & FOWNER != 0)
}
