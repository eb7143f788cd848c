//! One file of old data.

use std::io;
use std::path::{Path, PathBuf};

use gosync_chunks::ReadAt;
use gosync_files::LocalFile;

/// One file of old data, as its target sees it.
pub struct Seed {
    path: PathBuf,
    data: Box<dyn ReadAt>,
    trouble: Option<io::Error>,
}

impl Seed {
    /// The file as it is.
    pub fn plain(file: LocalFile) -> Self {
        Self { path: file.path().to_owned(), data: Box::new(file), trouble: None }
    }

    /// What is in the file at `path`; `trouble` tells why there is no more of it.
    pub fn opened(path: &Path, data: impl ReadAt + 'static, trouble: Option<io::Error>) -> Self {
        Self { path: path.to_owned(), data: Box::new(data), trouble }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it has for a target.
    pub fn data(&self) -> &dyn ReadAt {
        &*self.data
    }

    /// Why there is no more of it, where it is packed and could not be opened to its end.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref()
    }
}
