//! Targets that are made in a file though a stream is wanted.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::error::PatchError;

/// Has `make` make a target at a path where nobody sees it, and copies it to `out`. So go
/// those whose source decodes what it fetches with what stands before it.
///
/// # Errors
///
/// Those of `make`, and when there is no room for temporary files or `out` takes no more.
pub fn through_file<Made, E: From<PatchError>>(
    out: &mut dyn Write,
    make: impl FnOnce(&Path) -> Result<Made, E>,
) -> Result<Made, E> {
    let unwritable = |source| PatchError::Write { path: "the directory for temporary files".into(), source };
    let directory = tempfile::tempdir().map_err(unwritable)?;
    let path = directory.path().join("target");
    let made = make(&path)?;
    File::open(&path).and_then(|mut file| io::copy(&mut file, out)).map_err(PatchError::Stream)?;
    Ok(made)
}
