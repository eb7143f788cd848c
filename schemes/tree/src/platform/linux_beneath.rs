//! Linux opens what is many directories down in one call, which follows no link.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;

use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::beneath::Beneath;

/// Opens what is at `path` beneath `directory`; `None` where this has to be done step by step: on old
/// kernels, where a sandbox forbids the call, and where names move meanwhile.
pub(crate) fn open_beneath(directory: &Dir, path: &[u8], what: Beneath) -> Option<io::Result<File>> {
    let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let flags = match what {
        Beneath::Directory => flags | OFlags::PATH | OFlags::DIRECTORY,
        Beneath::File => flags | OFlags::RDONLY,
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(directory, OsStr::from_bytes(path), flags, Mode::empty(), resolve) {
        Ok(opened) => Some(Ok(opened.into())),
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::INVAL | Errno::TOOBIG) => None,
        Err(error) => Some(Err(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_is_followed_at_any_depth() {
        let ground = tempfile::tempdir().unwrap();
        let at = |path: &str| ground.path().join(path);
        fs::create_dir_all(at("tree/a/b")).unwrap();
        fs::create_dir_all(at("outside/b")).unwrap();
        fs::write(at("tree/a/b/c"), "c").unwrap();
        fs::write(at("outside/b/c"), "not to be read").unwrap();
        symlink("../outside", at("tree/link")).unwrap();
        symlink("a", at("tree/inner")).unwrap();
        symlink("c", at("tree/a/b/last")).unwrap();
        let tree = Dir::open_ambient_dir(at("tree"), ambient_authority()).unwrap();
        let Some(opened) = open_beneath(&tree, b"a/b/c", Beneath::File) else {
            eprintln!("SKIPPED: this kernel does not open beneath a directory");
            return;
        };
        assert_eq!(opened.unwrap().metadata().unwrap().len(), 1);
        for path in ["link/b/c", "inner/b/c", "a/b/last", "../outside/b/c", "/etc/passwd", "a/b/none"] {
            let refused = open_beneath(&tree, path.as_bytes(), Beneath::File);
            assert!(refused.is_none_or(|opened| opened.is_err()), "{path}");
        }
        for (path, is_one) in [("a/b", true), ("link/b", false), ("inner", false), ("a/b/c", false)] {
            let opened = open_beneath(&tree, path.as_bytes(), Beneath::Directory);
            assert_eq!(opened.unwrap().is_ok(), is_one, "{path}");
        }
    }
}
