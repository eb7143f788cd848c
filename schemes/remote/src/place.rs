//! What may be read and written, and how it is found.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use cap_fs_ext::{DirExt, OpenOptionsMaybeDirExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::platform;

/// Where the paths of the other side lead.
pub struct Place {
    /// `None` where it may do all that this process may.
    root: Option<Dir>,
}

/// Something that is open.
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) is_directory: bool,
    /// As the other side calls it.
    pub(crate) called: PathBuf,
}

impl Place {
    /// Only what is beneath the directory `root`, which is opened now: no `..` and no link leads out
    /// of it, whatever becomes of it meanwhile.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn beneath(root: &Path) -> io::Result<Self> {
        Ok(Self { root: Some(Dir::open_ambient_dir(root, ambient_authority())?) })
    }

    /// All that this process may read and write: for a user who has a shell on this machine anyway.
    pub fn everywhere() -> Self {
        Self { root: None }
    }

    /// Opens the file or directory at `path`.
    pub(crate) fn open(&self, path: &[u8]) -> io::Result<Found> {
        let called = platform::path_of(path).ok_or(io::ErrorKind::InvalidFilename)?;
        let path = if path.is_empty() { Path::new(".") } else { &*called };
        let (file, is_directory) = match &self.root {
            None => from_anywhere(path)?,
            Some(root) => from_root(root, path)?,
        };
        Ok(Found { file, is_directory, called })
    }
}

/// Where something is to be written.
pub(crate) struct Spot {
    /// Where that is: what leads there is open.
    at: PathBuf,
    /// What is there, followed to where links lead.
    pub(crate) there: There,
    /// The directory that it is in, and its name there, beneath a root. What is open is meant by
    /// [`at`](Self::at) as long as this is there.
    beneath: Option<(Dir, PathBuf)>,
}

/// What is at a spot.
pub(crate) enum There {
    Nothing,
    File(File),
    Directory(File),
}

impl Spot {
    /// Where it is.
    pub(crate) fn at(&self) -> &Path {
        &self.at
    }

    /// Whether a link at its place must not be followed.
    pub(crate) fn is_beneath(&self) -> bool {
        self.beneath.is_some()
    }

    /// Where a directory is to be made what it should be, which is made if it is not there. What it
    /// also gives is open as long as that path is of use.
    pub(crate) fn directory(&self) -> io::Result<(PathBuf, Option<Dir>)> {
        match (&self.beneath, &self.there) {
            (Some((parent, name)), There::Nothing) => {
                parent.create_dir(name)?;
                let made = parent.open_dir_nofollow(name)?;
                Ok((platform::path_of_handle(&made)?, Some(made)))
            }
            _ => Ok((self.at.clone(), None)),
        }
    }
}

impl Place {
    /// Finds where to write what is to be at `path`.
    pub(crate) fn spot(&self, path: &[u8]) -> io::Result<Spot> {
        let path = platform::path_of(path).ok_or(io::ErrorKind::InvalidFilename)?;
        let path = if path.as_os_str().is_empty() { Path::new(".").to_owned() } else { path };
        let there = |found: io::Result<(File, bool)>| match found {
            Ok((file, true)) => Ok(There::Directory(file)),
            Ok((file, false)) => Ok(There::File(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(There::Nothing),
            Err(error) => Err(error),
        };
        let Some(root) = &self.root else {
            return Ok(Spot { there: there(from_anywhere(&path))?, at: path, beneath: None });
        };
        let path = beneath(&path);
        match there(from_root(root, &path))? {
            There::Directory(file) => {
                let directory = root.open_dir(&path)?;
                let at = platform::path_of_handle(&directory)?;
                Ok(Spot { at, there: There::Directory(file), beneath: Some((directory, PathBuf::from("."))) })
            }
            there => {
                let name = PathBuf::from(path.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
                let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let parent = root.open_dir(above)?;
                let at = platform::path_of_handle(&parent)?.join(&name);
                Ok(Spot { at, there, beneath: Some((parent, name)) })
            }
        }
    }
}

fn from_anywhere(path: &Path) -> io::Result<(File, bool)> {
    // Opening a pipe that has a name would wait for somebody to write to it.
    let metadata = fs::metadata(path)?;
    let is_directory = served(metadata.is_dir(), metadata.is_file())?;
    match is_directory {
        true => Ok((Dir::open_ambient_dir(path, ambient_authority())?.into_std_file(), true)),
        false => checked(File::open(path)?),
    }
}

fn from_root(root: &Dir, path: &Path) -> io::Result<(File, bool)> {
    let path = &*beneath(path);
    let metadata = root.metadata(path)?;
    match served(metadata.is_dir(), metadata.is_file())? {
        true => Ok((root.open_dir(path)?.into_std_file(), true)),
        false => checked(root.open_with(path, OpenOptions::new().read(true).maybe_dir(true))?.into_std()),
    }
}

/// A path from the root of all is one from this root.
fn beneath(path: &Path) -> PathBuf {
    let steps: PathBuf =
        path.components().filter(|step| !matches!(step, Component::RootDir | Component::Prefix(_))).collect();
    if steps.as_os_str().is_empty() { PathBuf::from(".") } else { steps }
}

fn served(is_directory: bool, is_file: bool) -> io::Result<bool> {
    match is_directory || is_file {
        true => Ok(is_directory),
        false => Err(io::Error::new(io::ErrorKind::Unsupported, "it is no file and no directory")),
    }
}

/// What was opened as a file, if it still is one.
fn checked(file: File) -> io::Result<(File, bool)> {
    served(false, file.metadata()?.is_file())?;
    Ok((file, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn read(place: &Place, path: &str) -> io::Result<String> {
        let mut text = String::new();
        place.open(path.as_bytes())?.file.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn nothing_leads_out_of_the_root() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir_all(at("root/dir")).unwrap();
        fs::write(at("root/dir/file"), "inside").unwrap();
        fs::write(at("outside"), "outside").unwrap();
        let place = Place::beneath(&at("root")).unwrap();
        for path in ["dir/file", "/dir/file", "./dir/../dir/file", "//dir//file"] {
            assert_eq!(read(&place, path).unwrap(), "inside", "{path}");
        }
        assert!(place.open(b"").unwrap().is_directory && place.open(b"/").unwrap().is_directory);
        let outside = at("outside");
        for path in ["../outside", "dir/../../outside", "/../outside", outside.to_str().unwrap(), "dir/file/x", "none"]
        {
            assert!(place.open(path.as_bytes()).is_err(), "{path}");
        }
        assert_eq!(read(&Place::everywhere(), outside.to_str().unwrap()).unwrap(), "outside");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir_all(at("root/dir")).unwrap();
        fs::write(at("root/file"), "inside").unwrap();
        fs::write(at("outside"), "outside").unwrap();
        for (target, link) in [
            ("file", "root/to-file"),
            ("../file", "root/dir/up"),
            ("../outside", "root/out"),
            ("..", "root/dots"),
            ("../..", "root/dir/far"),
            ("/", "root/all"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        symlink(at("outside"), at("root/absolute")).unwrap();
        let place = Place::beneath(&at("root")).unwrap();
        assert_eq!(read(&place, "to-file").unwrap(), "inside");
        assert_eq!(read(&place, "dir/up").unwrap(), "inside");
        for path in ["out", "dots", "dots/outside", "dir/far", "all", "absolute", "all/etc/passwd"] {
            assert!(place.open(path.as_bytes()).is_err(), "{path}");
        }
        let made = std::process::Command::new("mkfifo").arg(at("root/pipe")).status().unwrap();
        assert!(made.success());
        for place in [&place, &Place::everywhere()] {
            let path = if place.root.is_some() { "pipe".into() } else { at("root/pipe").to_str().unwrap().to_owned() };
            assert_eq!(place.open(path.as_bytes()).err().unwrap().kind(), io::ErrorKind::Unsupported);
        }
    }
}
