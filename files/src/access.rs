//! Who may have a file: locks, owners and modes.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::Path;

use crate::platform;

/// Locks `file`, and tells whether nobody else has it locked. Where there are no locks, nobody
/// has.
///
/// # Errors
///
/// When it cannot be locked for another reason.
pub fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error))
            if error.kind() == io::ErrorKind::Unsupported || platform::knows_no_locks(&error) =>
        {
            Ok(true)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
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

/// Gives `file` the owner, group and mode of the file that it replaces, or the mode of
/// any new file.
///
/// The owner and the group are kept as far as this process may set them. Where one
/// cannot be kept, neither is what was granted in its name: the bits to run as the
/// owner or the group, and what the group may do beyond what everybody may.
///
/// # Errors
///
/// When the mode cannot be set.
pub fn adopt(file: &File, replaced: Option<&Metadata>) -> io::Result<()> {
    platform::adopt(file, replaced)
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
        assert!(lock(&file).unwrap() && !lock(&other).unwrap());
        file.unlock().unwrap();
        assert!(lock(&other).unwrap());
        assert!(is_ours(&file, &path));
    }
}
