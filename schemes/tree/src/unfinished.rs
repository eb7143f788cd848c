//! Whether a directory is in the middle of an update.

use std::path::Path;

use crate::journal;
use crate::listing::path::WORK;
use crate::root::Root;

/// Whether the directory at `path` has an update to end that was interrupted.
pub fn has_unfinished(path: &Path) -> bool {
    let Ok(root) = Root::open(path) else { return false };
    !matches!(root.stat(WORK.as_bytes()), Ok(None))
        && root.beneath(WORK.as_bytes()).and_then(|work| journal::read(&work)).map_or(true, |steps| steps.is_some())
}
