//! From the path of a URL to what it names beneath the served directory, and to nothing
//! else.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use gosync_chunks::LocalFile;
use hyper::StatusCode;

use super::conditions::Validators;
use super::{listing, percent};

/// The served directory.
#[derive(Debug)]
pub(super) struct Site {
    /// Without symbolic links.
    root: PathBuf,
}

/// What a path names.
#[derive(Debug)]
pub(super) enum Found {
    File(ServedFile),
    /// A page that lists a directory.
    Listing(String),
    /// The same with a slash at the end, without which relative links lead astray.
    Directory {
        location: String,
    },
}

#[derive(Debug)]
pub(super) struct ServedFile {
    pub(super) file: Arc<LocalFile>,
    pub(super) validators: Validators,
    pub(super) content_type: &'static str,
}

impl Site {
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        // Whoever may not list a directory is told now and not at the first request.
        fs::read_dir(&root)?;
        Ok(Self { root })
    }

    /// What the path of a URL names. Waits for the disk.
    ///
    /// # Errors
    ///
    /// The status to answer with.
    pub(super) fn find(&self, url_path: &str) -> Result<Found, StatusCode> {
        let names = names(url_path)?;
        let wants_directory = names.is_empty() || url_path.ends_with('/');
        let path = self.resolve(&names.iter().collect::<PathBuf>())?;
        let metadata = fs::metadata(&path).map_err(status)?;
        match (metadata.is_dir(), wants_directory) {
            (false, false) => self.open(&path).map(Found::File),
            (false, true) => Err(StatusCode::NOT_FOUND),
            (true, false) => {
                let names: Vec<_> = names.iter().map(|name| percent::encode(name.as_encoded_bytes())).collect();
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
        Ok(ServedFile { file, validators, content_type: content_type(path) })
    }
}

/// Whether a file is one that a patch is being written to, `.name.gosync-part`, or tells
/// for which target it is, `.name.gosync-journal`.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && [&b".gosync-part"[..], b".gosync-journal"].iter().any(|end| name.ends_with(end))
}

/// The names that make up the path, none of which leads upwards or elsewhere.
fn names(url_path: &str) -> Result<Vec<OsString>, StatusCode> {
    let path = percent::decode(url_path).ok_or(StatusCode::BAD_REQUEST)?;
    path.split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| {
            let name = os_string(name).ok_or(StatusCode::NOT_FOUND)?;
            // On Windows a name may hold more separators, a drive or a device.
            let mut components = Path::new(&name).components();
            let is_plain = matches!(components.next(), Some(Component::Normal(plain)) if plain == name)
                && components.next().is_none()
                && !name.as_encoded_bytes().contains(&0);
            if is_plain && !is_hidden(&name) { Ok(name) } else { Err(StatusCode::NOT_FOUND) }
        })
        .collect()
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> Option<OsString> {
    String::from_utf8(bytes.to_vec()).ok().map(OsString::from)
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
    fn names_stay_beneath_the_root() {
        let plain = |path| names(path).map(|names| names.iter().collect::<PathBuf>());
        assert_eq!(plain("/"), Ok(PathBuf::new()));
        assert_eq!(plain("//a/./b//%2e/c%20d/"), Ok("a/b/c d".into()));
        assert_eq!(plain("/...//.a/..b"), Ok(".../.a/..b".into()));
        for refused in [
            "/..",
            "/a/../b",
            "/%2e%2E/a",
            "/a%2f..%2fb",
            "/a%00",
            "/.x.gosync-part",
            "/.x.gosync-part/y",
            "/.x.gosync-journal",
        ] {
            assert_eq!(plain(refused), Err(StatusCode::NOT_FOUND), "{refused}");
        }
        assert_eq!(plain("/%"), Err(StatusCode::BAD_REQUEST));
    }

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
