//! Python's file objects, as streams for work that runs without Python.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync_chunks::ReadAt;
use gosync_files::identity;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString};

use crate::error::value_error;
use crate::job::Job;

/// Bytes that are handed over at once. The way to Python and back takes some ten
/// microseconds, in which a megabyte is not even copied.
const CHUNK: usize = 1 << 20;

/// A file object that is read.
pub(crate) enum Input {
    /// A file of the system, opened once more, which needs no Python to be read.
    File(File),
    /// Anything with a `read`.
    Object(Arc<Py<PyAny>>),
}

/// What of an input is read.
pub(crate) enum Extent {
    /// From where it stands to its end.
    Rest,
    /// From its start, in any order.
    Whole,
}

impl Input {
    /// Leaves the position of a file at its end, where reading it would.
    pub(crate) fn new(object: &Bound<'_, PyAny>, extent: &Extent) -> PyResult<Self> {
        if !object.hasattr(intern!(object.py(), "read"))? {
            let kind = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!("expected a binary file object, not {kind}")));
        }
        Ok(match reopen(object, extent) {
            Some(file) => Self::File(file),
            None => Self::Object(Arc::new(object.clone().unbind())),
        })
    }

    /// A stream of it.
    pub(crate) fn reader<'a>(self, job: &'a Job) -> Box<dyn Read + Send + 'a> {
        match self {
            Self::File(file) => Box::new(Cancellable { job, inner: file }),
            Self::Object(object) => Box::new(BufReader::with_capacity(CHUNK, FileStream { job, object })),
        }
    }

    /// The same, in any order.
    pub(crate) fn seekable<'a>(self, job: &'a Job) -> Box<dyn ReadSeek + 'a> {
        match self {
            Self::File(file) => Box::new(Cancellable { job, inner: file }),
            Self::Object(object) => Box::new(FileStream { job, object }),
        }
    }

    /// The same, by position. What cannot seek is read into memory.
    pub(crate) fn at<'a>(self, job: &'a Job) -> io::Result<Box<dyn ReadAt + 'a>> {
        let object = match self {
            Self::File(file) => return Ok(Box::new(gosync_files::LocalFile::new("".as_ref(), file)?)),
            Self::Object(object) => object,
        };
        let asked = object.clone();
        let size = job.ask(move |py| {
            let can_seek = asked.call_method0(py, intern!(py, "seekable")).and_then(|can| can.is_truthy(py));
            // Some have no such method, mmap before Python 3.13 among them, but can.
            if can_seek.unwrap_or(asked.bind(py).hasattr(intern!(py, "seek"))?) {
                asked.call_method1(py, intern!(py, "seek"), (0, 2))?;
                asked.call_method0(py, intern!(py, "tell"))?.extract::<u64>(py).map(Some)
            } else {
                Ok(None)
            }
        })?;
        let mut stream = FileStream { job, object };
        Ok(match size {
            Some(size) => Box::new(FileAt { stream, size }),
            None => {
                let mut data = Vec::new();
                stream.read_to_end(&mut data)?;
                Box::new(data)
            }
        })
    }
}

/// What a basis has to be able to do.
pub(crate) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// The file behind `object`, opened once more, if there is one and nothing between that
/// changes what is read: a `gzip.GzipFile` has a `fileno` too.
#[cfg(unix)]
fn reopen(object: &Bound<'_, PyAny>, extent: &Extent) -> Option<File> {
    let io = object.py().import("io").ok()?;
    let is = |object: &Bound<'_, PyAny>, name| io.getattr(name).is_ok_and(|kind| object.get_type().is(&kind));
    let raw = match is(object, "BufferedReader") || is(object, "BufferedRandom") {
        true => object.getattr("raw").ok()?,
        false => object.clone(),
    };
    if !is(&raw, "FileIO") {
        return None;
    }
    // What was written through it may stand in Python's buffer only.
    object.call_method0("flush").ok()?;
    let number: i32 = object.call_method0("fileno").ok()?.extract().ok()?;
    let path = format!("/dev/fd/{number}");
    // Looked at before it is opened, which a pipe whose other end is closed would not be.
    if !std::fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let start = match extent {
        Extent::Rest => object.call_method0("tell").ok()?.extract().ok()?,
        Extent::Whole => 0,
    };
    file.seek(SeekFrom::Start(start)).ok()?;
    object.call_method1("seek", (0, 2)).ok()?;
    Some(file)
}

#[cfg(not(unix))]
fn reopen(_: &Bound<'_, PyAny>, _: &Extent) -> Option<File> {
    None
}

/// The name of the file behind `object`, for messages.
pub(crate) fn name(object: &Bound<'_, PyAny>) -> Option<String> {
    let name = object.getattr(intern!(object.py(), "name")).ok()?;
    name.cast_into::<PyString>().ok().map(|name| name.to_string())
}

/// Refuses to write to `output` what is made of `inputs` while they are read, where it is the same
/// object as one of them, or has the same file.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what comes from Python does so")]
pub(crate) fn keep_apart(output: &Bound<'_, PyAny>, inputs: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
    let file = file_behind(output);
    for input in &inputs {
        if output.is(input) && file.as_deref().is_none_or(Path::is_file) {
            return Err(PyValueError::new_err("what is read cannot be written to as well; give another output"));
        }
        if let (Some(output), Some(input)) = (&file, file_behind(input)) {
            identity::keep_apart(output, [input]).map_err(|error| value_error(&error))?;
        }
    }
    Ok(())
}

/// A path of the file behind `object`, if it has one; its descriptor need not have a name any more.
pub(crate) fn file_behind(object: &Bound<'_, PyAny>) -> Option<PathBuf> {
    let path = name(object).map(PathBuf::from);
    if !cfg!(unix) {
        return path;
    }
    // To ask one that is still in memory for its descriptor would put it on disk.
    let spooled = object.py().import("tempfile").and_then(|module| module.getattr("SpooledTemporaryFile"));
    if spooled.is_ok_and(|kind| object.is_instance(&kind).unwrap_or(true)) {
        return None;
    }
    let number: i32 = object.call_method0(intern!(object.py(), "fileno")).ok()?.extract().ok()?;
    let descriptor = PathBuf::from(format!("/dev/fd/{number}"));
    Some(path.filter(|path| identity::is_same(path, &descriptor)).unwrap_or(descriptor))
}

/// Bytes between where `object` stands and its end, where that can be told.
pub(crate) fn remaining(object: &Bound<'_, PyAny>) -> Option<u64> {
    let tell = || object.call_method0(intern!(object.py(), "tell")).ok()?.extract::<u64>().ok();
    let start = tell()?;
    object.call_method1(intern!(object.py(), "seek"), (0, 2)).ok()?;
    let end = tell()?;
    object.call_method1(intern!(object.py(), "seek"), (start,)).ok()?;
    end.checked_sub(start)
}

/// Anything with a `read` that returns bytes, and, for some purposes, a `seek`.
struct FileStream<'a> {
    job: &'a Job,
    object: Arc<Py<PyAny>>,
}

impl FileStream<'_> {
    /// What one call of `read` returns, from `offset` on if there is one.
    fn read_some(&self, offset: Option<u64>, len: usize) -> io::Result<PyBackedBytes> {
        let object = self.object.clone();
        self.job.ask(move |py| {
            let object = object.bind(py);
            if let Some(offset) = offset {
                object.call_method1(intern!(py, "seek"), (offset,))?;
            }
            let data = object.call_method1(intern!(py, "read"), (len,))?;
            let bytes: PyBackedBytes = data.extract().map_err(|_| {
                let kind = data.get_type();
                PyTypeError::new_err(format!("read() returned {kind}, not bytes; is the file open in binary mode?"))
            })?;
            Ok(bytes)
        })
    }
}

impl Read for FileStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.read_some(None, buffer.len())?;
        let place = buffer.get_mut(..bytes.len()).ok_or_else(too_much)?;
        place.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl Seek for FileStream<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let object = self.object.clone();
        let (offset, whence) = match position {
            SeekFrom::Start(offset) => (i128::from(offset), 0),
            SeekFrom::Current(offset) => (i128::from(offset), 1),
            SeekFrom::End(offset) => (i128::from(offset), 2),
        };
        self.job.ask(move |py| {
            // Not all return where they are: mmap did not before Python 3.13.
            object.call_method1(py, intern!(py, "seek"), (offset, whence))?;
            object.call_method0(py, intern!(py, "tell"))?.extract(py)
        })
    }
}

/// The same, by position.
struct FileAt<'a> {
    stream: FileStream<'a>,
    size: u64,
}

impl ReadAt for FileAt<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            let bytes = self.stream.read_some(Some(offset), buffer.len())?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (place, rest) = buffer.split_at_mut_checked(bytes.len()).ok_or_else(too_much)?;
            place.copy_from_slice(&bytes);
            offset += bytes.len() as u64;
            buffer = rest;
        }
        Ok(())
    }
}

/// A file that can be read no more once the job is cancelled.
struct Cancellable<'a> {
    job: &'a Job,
    inner: File,
}

impl Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.job.check()?;
        self.inner.read(buffer)
    }
}

impl Seek for Cancellable<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// Anything with a `write` that takes bytes.
pub(crate) struct FileWriter<'a> {
    job: &'a Job,
    object: Arc<Py<PyAny>>,
}

impl<'a> FileWriter<'a> {
    /// Has to be flushed at the end.
    pub(crate) fn new(job: &'a Job, object: Py<PyAny>) -> BufWriter<Self> {
        BufWriter::with_capacity(CHUNK, Self { job, object: Arc::new(object) })
    }
}

impl Write for FileWriter<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let (object, data) = (self.object.clone(), data.to_vec());
        let len = data.len();
        let written = self.job.ask(move |py| {
            let written = object.call_method1(py, intern!(py, "write"), (PyBytes::new(py, &data),))?;
            // Streams that write all that they are given need not say so.
            written.extract::<Option<usize>>(py)
        })?;
        Ok(written.unwrap_or(len).min(len))
    }

    /// What is in Python's own buffers is for Python to flush.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_much() -> io::Error {
    io::Error::other("read() returned more bytes than it was asked for")
}
