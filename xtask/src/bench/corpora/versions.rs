//! Two versions of a file, and how they are written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Two versions of a file.
#[derive(Clone, Debug)]
pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    pub(crate) seed: PathBuf,
    pub(crate) target: PathBuf,
}

/// Writes the file `path` unless it is there. It gets its name when it is whole, so that
/// a run that is stopped leaves no half a corpus.
pub(crate) fn write_once(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
    fill(&mut out)?;
    out.flush()?;
    fs::rename(part, path)
}
