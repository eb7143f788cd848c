//! From the path of a URL to what it names beneath the served directory, and to nothing
//! else.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync_files::LocalFile;
use hyper::StatusCode;

use crate::conditions::Validators;
use crate::{listing, names, publication};

/// The served directory.
#[derive(Debug)]
pub(crate) struct Site {
    /// Without symbolic links.
    root: PathBuf,
}

/// What a path names.
#[derive(Debug)]
pub(crate) enum Found {
    File(ServedFile),
    /// A page that lists a directory.
    Listing(String),
    /// The same with a slash at the end, without which relative links lead astray.
    Directory {
        location: String,
    },
}

#[derive(Debug)]
pub(crate) struct ServedFile {
    pub(crate) file: Arc<LocalFile>,
    pub(crate) validators: Validators,
    pub(crate) content_type: &'static str,
    pub(crate) cache_control: Option<&'static str>,
}

impl Site {
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        // A caller that may not list the directory is told now, not at the first request.
        fs::read_dir(&root)?;
        Ok(Self { root })
    }

    /// What the path of a URL names. Waits for the disk.
    ///
    /// # Errors
    ///
    /// The status to answer with.
    pub(crate) fn find(&self, url_path: &str) -> Result<Found, StatusCode> {
        let names = names::parse(url_path)?;
        let wants_directory = names.is_empty() || url_path.ends_with('/');
        let path = self.resolve(&names.iter().collect::<PathBuf>())?;
        let metadata = fs::metadata(&path).map_err(status)?;
        match (metadata.is_dir(), wants_directory) {
            (false, false) => self.open(&path).map(Found::File),
            (false, true) => Err(StatusCode::NOT_FOUND),
            (true, false) => {
                let names: Vec<_> = names.iter().map(|name| names::encode(name)).collect();
                Ok(Found::Directory { location: format!("/{}/", names.join("/")) })
            }
            (true, true) => {
                let index = names.iter().map(OsString::as_os_str).chain([OsStr::new("index.html")]);
                match self.resolve(&index.collect::<PathBuf>()).and_then(|index| self.open(&index)) {
                    Ok(index) => Ok(Found::File(index)),
                    Err(_) => listing::page(&path, &names).map(Found::Listing).map_err(status),
                }
            }
        }
    }

    /// The real path, if it is beneath the root with all symbolic links followed.
    fn resolve(&self, relative: &Path) -> Result<PathBuf, StatusCode> {
        let path = self.root.join(relative).canonicalize().map_err(status)?;
        if path.starts_with(&self.root) { Ok(path) } else { Err(StatusCode::NOT_FOUND) }
    }

    fn open(&self, path: &Path) -> Result<ServedFile, StatusCode> {
        // Opening a pipe would wait for a writer.
        if !fs::metadata(path).map_err(status)?.is_file() {
            return Err(StatusCode::NOT_FOUND);
        }
        let file = fs::File::open(path).map_err(status)?;
        let validators = Validators::new(&file.metadata().map_err(status)?);
        let file = Arc::new(LocalFile::new(path, file).map_err(status)?);
        let cache_control = path.file_name().and_then(OsStr::to_str).and_then(publication::cache_control);
        Ok(ServedFile { file, validators, content_type: content_type(path), cache_control })
    }
}

fn status(error: io::Error) -> StatusCode {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound | NotADirectory | InvalidFilename | InvalidInput => StatusCode::NOT_FOUND,
        PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(OsStr::to_str) {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_directories_and_neither() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("a b/with index")).unwrap();
        fs::write(root.join("a b/file.txt"), "text").unwrap();
        fs::write(root.join("a b/with index/index.html"), "<p>").unwrap();
        fs::write(directory.path().join("outside"), "secret").unwrap();
        let site = Site::new(&root).unwrap();

        let Ok(Found::File(file)) = site.find("/a%20b/file.txt") else { panic!("not found") };
        assert_eq!(file.content_type, "text/plain; charset=utf-8");
        let Ok(Found::Directory { location }) = site.find("//a%20b") else { panic!("no redirect") };
        assert_eq!(location, "/a%20b/");
        assert!(matches!(site.find("/a%20b/"), Ok(Found::Listing(_))));
        assert!(matches!(site.find("/a%20b/with%20index/"), Ok(Found::File(_))));
        for missing in ["/a%20b/file.txt/", "/none", "/a%20b/file.txt/x", "/outside"] {
            assert_eq!(site.find(missing).unwrap_err(), StatusCode::NOT_FOUND, "{missing}");
        }
        let long = format!("/{}", "x".repeat(5000));
        assert_eq!(site.find(&long).unwrap_err(), StatusCode::NOT_FOUND);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_else() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("inside"), "").unwrap();
        fs::write(directory.path().join("outside"), "secret").unwrap();
        symlink("inside", root.join("good")).unwrap();
        symlink("../outside", root.join("bad")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("../outside", root.join("index.html")).unwrap();
        // A sibling whose name begins as the root's does is not beneath it.
        fs::create_dir(directory.path().join("root2")).unwrap();
        symlink("../root2", root.join("sibling")).unwrap();

        let site = Site::new(&root).unwrap();
        assert!(matches!(site.find("/good"), Ok(Found::File(_))));
        for escape in ["/bad", "/up", "/up/", "/up/outside", "/sibling/", "/index.html"] {
            assert_eq!(site.find(escape).unwrap_err(), StatusCode::NOT_FOUND, "{escape}");
        }
        assert!(matches!(site.find("/"), Ok(Found::Listing(_))), "an index outside is none");
    }
}
