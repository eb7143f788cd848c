//! Names in directories, and what they lead to: created, opened, replaced and removed.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::platform;

/// Creates a file at `path`, which nothing may be at, for its owner alone; open for reading
/// and writing.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] when anything is there, a link to nothing included, and
/// when it cannot be created.
pub fn create(path: &Path) -> io::Result<File> {
    platform::creating(OpenOptions::new().read(true).write(true).create_new(true)).open(path)
}

/// Opens what is at `path` with `options`, but neither follows a link nor waits for the other
/// end of a pipe. What was opened may still be no file: see [`kind_of`].
///
/// # Errors
///
/// When it cannot be opened.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    platform::opening(options).open(path)
}

/// Opens what is at `path` to be read from its start to its end, and does not wait for the other
/// end of a pipe. What this process has open already, such as `/dev/stdin`, may be a pipe; what
/// is looked for by its name may not.
///
/// # Errors
///
/// When it cannot be opened, or is no file and nothing of this process.
pub fn open_stream(path: &Path) -> io::Result<File> {
    if platform::is_descriptor(path) {
        return File::open(path);
    }
    let file = told_apart(path, platform::reading(&mut OpenOptions::new()).open(path))?;
    let metadata = file.metadata()?;
    match kind_of(&metadata).filter(|_| !is_data(&metadata)) {
        None => Ok(file),
        Some("a directory") => Err(is_a_directory()),
        Some(kind) => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("is {kind}, not a file"))),
    }
}

/// Windows refuses to open a directory, for want of permission as it says.
fn told_apart(path: &Path, opened: io::Result<File>) -> io::Result<File> {
    opened.map_err(|error| if path.is_dir() { is_a_directory() } else { error })
}

pub(crate) fn is_a_directory() -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, "is a directory, not a file")
}

/// Opens what is at `path`, a pipe included, to be read from its start to its end. Somebody has
/// `patience` long time to open the other end of a pipe: nobody may ever do so. What is written then
/// is waited for as long as it takes.
///
/// # Errors
///
/// When it cannot be opened, and [`io::ErrorKind::TimedOut`] where nobody is to write.
pub fn open_waiting(path: &Path, patience: Duration) -> io::Result<File> {
    if path.metadata().ok().as_ref().and_then(kind_of) != Some("a pipe") {
        return told_apart(path, File::open(path));
    }
    let (tell, opened) = mpsc::channel();
    let pipe = path.to_owned();
    thread::spawn(move || drop(tell.send(File::open(pipe))));
    opened.recv_timeout(patience).unwrap_or_else(|_| {
        // Nobody is to wait for it any more.
        drop(open(path, OpenOptions::new().write(true)));
        let told = format!("is a pipe that nobody opened to write to it within {patience:?}");
        Err(io::Error::new(io::ErrorKind::TimedOut, told))
    })
}

/// Whether what is written to `path` goes through it: this process has it open already, as
/// `/dev/stdout`, or it is a device such as `/dev/null`.
pub fn is_sink(path: &Path) -> bool {
    let special = |metadata: Metadata| platform::special_kind(metadata.file_type());
    platform::is_descriptor(path) || path.metadata().ok().and_then(special) == Some("a device")
}

/// Whether `path` stands for the standard output of this process.
pub fn is_standard_output(path: &Path) -> bool {
    platform::is_descriptor(path)
        && path.file_name().is_some_and(|name| ["stdout", "1"].iter().any(|standard| name == *standard))
}

/// Whether it can be read though it is no file: a device whose bytes are at their places, or the
/// one that is always empty.
fn is_data(metadata: &Metadata) -> bool {
    platform::special_kind(metadata.file_type()) == Some("a block device") || platform::empty_device(metadata)
}

/// What it is, with an article, unless it is a file.
pub fn kind_of(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    platform::special_kind(kind).or(match kind {
        _ if kind.is_file() => None,
        _ if kind.is_dir() => Some("a directory"),
        _ if kind.is_symlink() => Some("a symbolic link"),
        _ => Some("something else"),
    })
}

/// What a file of that name would be instead, with an article: on Windows a stream of another
/// file, where there is a colon in it, or a device.
pub fn kind_of_name(path: &Path) -> Option<&'static str> {
    match path.file_name() {
        None => Some("the name of a directory"),
        Some(name) => platform::kind_of_name(name),
    }
}

/// What an open file is known by, whatever becomes of its name: device and inode, or the system's
/// equal. Where there is none, all files are the same.
#[derive(Debug)]
pub struct Identity(platform::Identity);

impl Identity {
    /// That of `file`, which has to stay open for as long as this is asked. To know a file again
    /// after it was renamed, ask before that: Wine forgets which file a renamed one was.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn of(file: &File) -> io::Result<Self> {
        platform::identity(file).map(Self)
    }

    /// Whether `path` leads to that file, and not through a link at its end.
    pub fn is_at(&self, path: &Path) -> bool {
        platform::identity_at(path).is_ok_and(|there| there == self.0)
    }
}

/// Whether `path` leads to `file`, and not through a link at its end. Always so on systems
/// that cannot tell, where there is a file.
pub fn is_at(file: &File, path: &Path) -> bool {
    Identity::of(file).is_ok_and(|identity| identity.is_at(path))
}

/// Why nothing can take the place of the file at `target`, as far as that can be told without
/// trying: it is immutable, say.
pub fn obstacle(target: &Path) -> Option<&'static str> {
    platform::obstacle(target, directory_of(target))
}

/// Whether another program has the file at `path` open in such a way that nothing can take
/// its place, which is so on Windows only.
pub fn is_in_use(path: &Path) -> bool {
    platform::is_in_use(path)
}

/// Gives the file at `from` the name `to`, and replaces what has it. The file that was there
/// may be open, and stays what it was for those who have it open.
///
/// # Errors
///
/// When it cannot be renamed. Then what was there is there still.
pub fn replace(from: &Path, to: &Path) -> io::Result<()> {
    platform::replace(from, to)
}

/// Removes the file at `path`, which may be open, and makes its name free at once.
///
/// # Errors
///
/// When it cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    platform::remove(path)
}

/// The directory that `path` is in.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes what was renamed or removed in `directory` outlast a power failure, where
/// directories can be synced.
///
/// # Errors
///
/// When writing fails.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    platform::sync_directory(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;

    fn names(directory: &Path) -> Vec<String> {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn created_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        create(&path).unwrap();
        assert_eq!(create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn replaced_and_removed_while_open() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs::write(&old, "old").unwrap();
        fs::write(&new, "new").unwrap();
        let mut reader = File::open(&old).unwrap();
        let other = File::open(&new).unwrap();
        assert!(is_at(&reader, &old) && !is_at(&reader, &new) && !is_in_use(&old));
        let (first, second) = (Identity::of(&reader).unwrap(), Identity::of(&other).unwrap());

        replace(&new, &old).unwrap();
        sync_directory(directory.path()).unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "new");
        assert!(second.is_at(&old) && !second.is_at(&new) && !first.is_at(&old));
        let mut content = String::new();
        reader.read_to_string(&mut content).unwrap();
        assert_eq!(content, "old");
        drop(reader);

        remove(&old).unwrap();
        create(&old).unwrap();
        assert!(!second.is_at(&old));
        // What is known by its identity is open for as long.
        drop((other, first, second));
        assert_eq!(names(directory.path()), ["old"]);
    }

    #[test]
    fn what_cannot_be_replaced_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "old").unwrap();
        assert!(replace(&directory.path().join("none"), &file).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn a_read_only_file_is_replaced_by_one() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs::write(&old, "old").unwrap();
        let mut permissions = fs::metadata(&old).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&old, permissions).unwrap();
        let file = create(&new).unwrap();
        assert!(crate::access::adopt(&file, &old, Some(&fs::metadata(&old).unwrap())).is_empty());
        replace(&new, &old).unwrap();
        assert!(fs::metadata(&old).unwrap().permissions().readonly());
        assert_eq!(fs::read_to_string(&old).unwrap(), "");
        drop(file);
        remove(&old).unwrap();
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn kinds() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(kind_of(&fs::metadata(&file).unwrap()), None);
        assert_eq!(kind_of(&fs::metadata(directory.path()).unwrap()), Some("a directory"));
        assert_eq!(kind_of_name(&file), None);
        assert_eq!(kind_of_name(Path::new("..")), Some("the name of a directory"));
        assert_eq!(kind_of_name(Path::new("ab:c")).is_some(), std::path::MAIN_SEPARATOR == '\\');
    }
}
