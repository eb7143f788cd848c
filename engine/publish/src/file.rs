//! Files that are published.

use std::fs::File;
use std::path::Path;

use gosync_chunks::{Progress, ReadAt, TargetName};
use gosync_files::LocalFile;

use crate::build::Build;
use crate::error::Error;
use crate::options::BuildOptions;

/// Has `make` make something of the file at `path`, which must not change meanwhile. The
/// index names it by its file name, if that is fit for it.
///
/// # Errors
///
/// When it cannot be read or changes, and those of `make`.
pub fn build_file<T, E: From<Error>>(
    path: &Path,
    options: &BuildOptions,
    progress: &dyn Progress,
    make: impl FnOnce(&Build<'_>) -> Result<T, E>,
) -> Result<T, E> {
    read_unchanged(path, |file| {
        make(&Build {
            target: file,
            called: &path.display().to_string(),
            name: path.file_name().and_then(|name| TargetName::new(name.to_str()?).ok()),
            sections: Vec::new(),
            options,
            progress,
        })
    })
}

/// Has `make` make something of the file at `path`, which must not change meanwhile.
///
/// # Errors
///
/// As [`build_file`].
pub fn read_unchanged<T, E: From<Error>>(path: &Path, make: impl FnOnce(&LocalFile) -> Result<T, E>) -> Result<T, E> {
    let read = |source| Error::Read { target: path.display().to_string(), source };
    let file = LocalFile::open(path).map_err(read)?;
    let state = || file.file().map(File::metadata).transpose().map_err(read);
    let state = || Ok::<_, Error>(state()?.map(|metadata| (metadata.len(), metadata.modified().ok())));
    let before = state()?;
    let made = make(&file)?;
    if state()? != before {
        return Err(Error::Changed { path: path.to_owned() }.into());
    }
    Ok(made)
}
