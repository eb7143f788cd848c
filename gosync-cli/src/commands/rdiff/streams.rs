//! Files and standard streams, as rdiff opens them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use gosync_librsync::{Error, LocalFile, ReadAt, Stream};
use tempfile::NamedTempFile;

use crate::interrupt::Interrupt;

/// A file to read, or standard input.
pub(super) struct Input {
    name: String,
    file: File,
    interrupt: Interrupt,
}

impl Input {
    /// Opens the file at `path`, or takes standard input.
    pub(super) fn open(path: Option<&Path>, stream: Stream, interrupt: &Interrupt) -> Result<Self, Error> {
        let read = |source| Error::Read { stream, source };
        let name = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        let file = match path {
            Some(path) => File::open(path).map_err(|error| named(&name, &error)),
            None => standard_input(),
        };
        let file = file.map_err(read)?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(read(io::Error::new(io::ErrorKind::IsADirectory, format!("{name} is a directory"))));
        }
        Ok(Self { name, file, interrupt: interrupt.clone() })
    }

    /// Its length, where it is a plain file.
    pub(super) fn len(&self) -> Option<u64> {
        self.file.metadata().ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// The same for whoever reads anywhere, where it is a plain file that was not begun with.
    /// Some that a kernel makes up as they are read say that they are empty.
    pub(super) fn data(&mut self) -> Option<Data> {
        let is_whole = self.len().is_some_and(|len| len > 0) && self.file.stream_position().is_ok_and(|at| at == 0);
        let file = self.file.try_clone().ok().filter(|_| is_whole)?;
        let file = LocalFile::new(Path::new(&self.name), file).ok()?;
        Some(Data { name: self.name.clone(), file, interrupt: self.interrupt.clone() })
    }
}

/// A file to read anywhere.
pub(super) struct Data {
    name: String,
    file: LocalFile,
    interrupt: Interrupt,
}

impl ReadAt for Data {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        not_interrupted(&self.interrupt)?;
        self.file.read_exact_at(offset, buffer).map_err(|error| named(&self.name, &error))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(formatter)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        not_interrupted(&self.interrupt)?;
        self.file.read(buffer).map_err(|error| named(&self.name, &error))
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to).map_err(|error| named(&self.name, &error))
    }
}

/// A file to write, or standard output. What is a plain file takes its name last.
pub(super) enum Output {
    /// Written to as it comes.
    Direct(String, Box<dyn Write + Send>),
    /// Beside the file that it is to be.
    Staged {
        /// The file that it is to be.
        path: PathBuf,
        staged: NamedTempFile,
        /// Whether it may be there.
        force: bool,
    },
}

impl Output {
    /// Prepares to write the file at `path`, or takes standard output.
    pub(super) fn create(path: Option<&Path>, stream: Stream, force: bool) -> Result<Self, Error> {
        let Some(path) = path else {
            let output = standard_output().map_err(|source| Error::Write { stream, source })?;
            return Ok(Self::Direct("standard output".into(), output));
        };
        Self::at(path, force)
            .map_err(|error| Error::Write { stream, source: named(&path.display().to_string(), &error) })
    }

    fn at(path: &Path, force: bool) -> io::Result<Self> {
        let there = fs::metadata(path).ok();
        if there.is_some() && !force {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "is there already; -f overwrites it"));
        }
        if there.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            let file = OpenOptions::new().write(true).open(path)?;
            return Ok(Self::Direct(path.display().to_string(), Box::new(file)));
        }
        // A link stays one.
        let path = if there.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rdiff-");
        #[cfg(unix)]
        let permissions = there.map_or_else(
            || <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666),
            |metadata| metadata.permissions(),
        );
        #[cfg(unix)]
        builder.permissions(permissions);
        let staged = builder.tempfile_in(directory)?;
        Ok(Self::Staged { path, staged, force })
    }

    /// Everything was written: it takes its name.
    pub(super) fn commit(self) -> Result<()> {
        match self {
            Self::Direct(name, mut output) => output.flush().with_context(|| format!("cannot write {name}"))?,
            Self::Staged { path, staged, force } => {
                let persisted = if force { staged.persist(&path) } else { staged.persist_noclobber(&path) };
                persisted.map_err(|error| error.error).with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Whether messages on standard output would get into it.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self, Self::Direct(name, _) if name == "standard output")
    }
}

impl Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct(_, output) => output.write(buffer),
            Self::Staged { staged, .. } => staged.write(buffer),
        }
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Direct(_, output) => output.write_vectored(buffers),
            Self::Staged { staged, .. } => staged.write_vectored(buffers),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Direct(_, output) => output.flush(),
            Self::Staged { staged, .. } => staged.flush(),
        }
    }
}

fn not_interrupted(interrupt: &Interrupt) -> io::Result<()> {
    if interrupt.is_raised() { Err(io::Error::other("interrupted")) } else { Ok(()) }
}

/// With the name of what it happened to.
fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// As a file: it may be one, and then has a length and can be read in any order.
#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

/// Without the lines that `Stdout` looks for.
#[cfg(unix)]
fn standard_output() -> io::Result<Box<dyn Write + Send>> {
    use std::os::fd::AsFd;
    Ok(Box::new(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
}

#[cfg(windows)]
fn standard_output() -> io::Result<Box<dyn Write + Send>> {
    use std::os::windows::io::AsHandle;
    Ok(Box::new(File::from(io::stdout().as_handle().try_clone_to_owned()?)))
}
