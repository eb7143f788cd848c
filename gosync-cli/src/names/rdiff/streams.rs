//! Files and standard streams, as rdiff opens them.

use std::error::Error as _;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Result, bail};
use gosync_files::Note;
use gosync_files::identity::keep_apart;
use gosync_librsync::{Error, LocalFile, ReadAt, Stream};
use gosync_patcher::StagedFile;

use crate::interrupt::Interrupt;
use crate::platform;

/// A file to read, or standard input, until a signal asks for the end.
pub(super) struct Input<T = File> {
    name: String,
    data: T,
    interrupt: Interrupt,
}

impl Input {
    /// Opens the file at `path`, or takes standard input.
    pub(super) fn open(path: Option<&Path>, stream: Stream, interrupt: &Interrupt) -> Result<Self, Error> {
        let read = |source| Error::Read { stream, source };
        let name = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        let data = match path {
            // Windows does not open one, for want of permission as it says.
            Some(path) => File::open(path).map_err(|error| match path.is_dir() {
                true => is_a_directory(&name),
                false => named(&name, &error),
            }),
            None => platform::standard_input(),
        };
        let data = data.map_err(read)?;
        if data.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(read(is_a_directory(&name)));
        }
        Ok(Self { name, data, interrupt: interrupt.clone() })
    }

    /// Its length, where it is a plain file.
    pub(super) fn len(&self) -> Option<u64> {
        self.data.metadata().ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// The same to be read anywhere, where it is a plain file of which nothing was read yet.
    /// Files that the kernel makes up as they are read say that they are empty.
    pub(super) fn at_any_place(&mut self) -> Option<Input<LocalFile>> {
        let is_whole = self.len().is_some_and(|len| len > 0) && self.data.stream_position().is_ok_and(|at| at == 0);
        let file = self.data.try_clone().ok().filter(|_| is_whole)?;
        let data = LocalFile::new(Path::new(&self.name), file).ok()?;
        Some(Input { name: self.name.clone(), data, interrupt: self.interrupt.clone() })
    }
}

impl<T> Input<T> {
    fn check(&self) -> io::Result<()> {
        if self.interrupt.is_raised() { Err(io::Error::other("interrupted")) } else { Ok(()) }
    }
}

impl<T> fmt::Display for Input<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(formatter)
    }
}

impl ReadAt for Input<LocalFile> {
    fn size(&self) -> u64 {
        self.data.size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.check()?;
        self.data.read_exact_at(offset, buffer).map_err(|error| named(&self.name, &error))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        self.data.read(buffer).map_err(|error| named(&self.name, &error))
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.data.seek(to).map_err(|error| named(&self.name, &error))
    }
}

/// A file to write, or standard output. A plain file takes its name last.
pub(super) enum Output {
    Standard(File),
    /// A device or a pipe: written to as it is.
    Special(File),
    /// Beside the file that it is to be.
    Staged {
        staged: StagedFile,
        /// Whether it may replace another.
        force: bool,
    },
}

impl Output {
    /// Prepares to write the file at `path`, or takes standard output.
    /// It must be none of `inputs`.
    pub(super) fn create(
        path: Option<&Path>,
        stream: Stream,
        force: bool,
        inputs: &[Option<&Path>],
    ) -> Result<Self, Error> {
        let failed = |source| Error::Write { stream, source };
        let Some(path) = path else { return platform::standard_output().map(Self::Standard).map_err(failed) };
        keep_apart(path, inputs.iter().flatten()).map_err(|error| failed(io::Error::other(error)))?;
        Self::at(path, force).map_err(|error| failed(named(&path.display().to_string(), &error)))
    }

    fn at(path: &Path, force: bool) -> io::Result<Self> {
        let there = fs::metadata(path).ok();
        if there.is_some() && !force {
            let message = format!("File exists \"{}\", aborting! -f overwrites it", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        if there.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            return Ok(Self::Special(OpenOptions::new().write(true).open(path)?));
        }
        // As with rdiff, nobody waits for the disk.
        let staged = StagedFile::create(path).map_err(|error| {
            let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
            io::Error::other(format!("{error}{cause}"))
        })?;
        Ok(Self::Staged { staged: staged.without_sync(), force })
    }

    /// Everything was written: it takes its name. Returns what could not be done apart from that.
    pub(super) fn commit(self) -> Result<Vec<Note>> {
        let Self::Staged { staged, force } = self else { return Ok(Vec::new()) };
        let path = staged.target().to_owned();
        if !force && path.symlink_metadata().is_ok() {
            bail!("cannot write {}: it came into being meanwhile; -f overwrites it", path.display());
        }
        Ok(staged.commit()?)
    }

    /// Whether messages on standard output would get into it.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self, Self::Standard(_))
    }

    fn file(&self) -> &File {
        match self {
            Self::Standard(file) | Self::Special(file) => file,
            Self::Staged { staged, .. } => staged.file(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file().write(buffer)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.file().write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

fn is_a_directory(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, format!("{name} is a directory"))
}

/// With the name of what it happened to.
fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}
