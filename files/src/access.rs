//! Who may have a file: locks, owners and modes.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::entry::directory_of;
use crate::platform;

/// Locks `file`, and tells whether nobody else has it locked. Where it cannot be locked, as on
/// many file systems of the network, nobody has.
pub fn lock(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Locks the directory at `path`, until what is returned is dropped, and waits up to `patience`
/// for others that have it locked. `None` where that takes longer, and where directories cannot be
/// locked: this keeps those apart that do the same, and holds nobody up for ever.
pub fn lock_directory(path: &Path, patience: Duration) -> Option<File> {
    let directory = File::open(path).ok()?;
    let end = Instant::now() + patience;
    while let Err(error) = directory.try_lock() {
        if !matches!(error, TryLockError::WouldBlock) || Instant::now() >= end {
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
    Some(directory)
}

/// Whether nobody can write to `file` who may not write to the file at `replaced` either: it
/// belongs to this user or to that file's, to whom a run may have given it just before it was
/// killed, and has no other name.
pub fn is_ours(file: &File, replaced: &Path) -> bool {
    platform::is_ours(file, replaced)
}

/// Makes `file` its owner's alone, as it was when it was [created](crate::entry::create).
///
/// # Errors
///
/// When the mode cannot be set.
pub fn restrict(file: &File) -> io::Result<()> {
    platform::restrict(file)
}

/// Gives `file` the owner, group, mode, attributes and access control list of the file that it
/// replaces, or those of any new file at `target`. Returns what could not be kept, in words.
///
/// Where an owner or a group cannot be kept, neither is what was granted in its name: the bits
/// to run as the owner or the group, and what the group may do beyond what everybody may. Without
/// its access control list nobody may do more than before, and some less.
pub fn adopt(file: &File, target: &Path, replaced: Option<&Metadata>) -> Vec<String> {
    platform::adopt(file, target, directory_of(target), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry;
    use std::fs::OpenOptions;

    #[test]
    fn one_lock_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let file = entry::create(&path).unwrap();
        let other = entry::open(&path, OpenOptions::new().read(true).write(true)).unwrap();
        assert!(lock(&file) && !lock(&other));
        assert!(is_ours(&file, &path));
        drop(file);
        assert!(lock(&other));
    }

    #[cfg(unix)]
    #[test]
    fn directories_are_waited_for_but_not_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let held = lock_directory(directory.path(), Duration::ZERO).unwrap();
        assert!(lock_directory(directory.path(), Duration::from_millis(20)).is_none());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lock_directory(directory.path(), Duration::from_secs(60)));
            drop(held);
            assert!(waiting.join().unwrap().is_some());
        });
        assert!(lock_directory(&directory.path().join("none"), Duration::ZERO).is_none());
    }
}
