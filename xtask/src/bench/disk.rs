//! Files and folders: what is in them, copied, compared, removed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

/// Bytes of a file, or of all files beneath a folder.
pub(crate) fn size(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    walk(path, &mut |_, metadata| {
        bytes += if metadata.is_file() { metadata.len() } else { 0 };
        Ok(())
    })?;
    Ok(bytes)
}

/// Shows `see` a file, or a folder and all that is beneath it, what is deepest first. Links are not
/// followed.
pub(crate) fn walk(path: &Path, see: &mut dyn FnMut(&Path, &Metadata) -> io::Result<()>) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            walk(&entry?.path(), see)?;
        }
    }
    see(path, &metadata)
}

/// Copies a file, or a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        return fs::copy(from, to).map(drop);
    }
    let status = Command::new("cp").arg("-a").args([from, to]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("cp: {status}"))) }
}

/// Whether two files or two directories are the same.
pub(crate) fn are_equal(one: &Path, other: &Path) -> io::Result<bool> {
    if one.is_dir() { are_equal_trees(one, other) } else { have_equal_bytes(one, other) }
}

/// Whether two directories have the same in them: contents, links, modes and times of files. What
/// gosync keeps in one for itself is not looked at.
pub(crate) fn are_equal_trees(one: &Path, other: &Path) -> io::Result<bool> {
    let is_own = |path: &Path| path.ends_with(".gosync");
    let mut is_equal = true;
    let mut count = 0_u64;
    walk(one, &mut |path, metadata| {
        let within = path.strip_prefix(one).map_err(io::Error::other)?;
        if within.components().any(|name| is_own(name.as_ref())) {
            return Ok(());
        }
        count += 1;
        let there = other.join(within);
        let Ok(found) = there.symlink_metadata() else {
            is_equal = false;
            return Ok(());
        };
        is_equal &= metadata.file_type() == found.file_type() && metadata.permissions() == found.permissions();
        if metadata.is_file() && is_equal {
            is_equal = metadata.modified()? == found.modified()? && have_equal_bytes(path, &there)?;
        } else if metadata.is_symlink() && is_equal {
            is_equal = fs::read_link(path)? == fs::read_link(&there)?;
        }
        Ok(())
    })?;
    let mut others = 0;
    walk(other, &mut |_, _| {
        others += 1;
        Ok(())
    })?;
    Ok(is_equal && count == others)
}

/// Removes a file or a folder, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn have_equal_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(1 << 20).read_to_end(&mut left)?;
        other.by_ref().take(1 << 20).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_compared_to_their_ends() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let mut data = vec![1; (1 << 20) + 1];
        let one = write("one", &data);
        assert!(have_equal_bytes(&one, &one).unwrap());
        assert!(!have_equal_bytes(&one, &write("shorter", &data[1..])).unwrap());
        data[1 << 20] = 2;
        let other = write("other", &data);
        assert!(!have_equal_bytes(&one, &other).unwrap());
        assert_eq!(size(folder.path()).unwrap(), 3 * (1 << 20) + 2);
        assert!(remove(&one).is_ok() && remove(&one).is_ok());
    }

    #[test]
    fn trees_are_compared_with_all_that_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for tree in ["one", "other"] {
            fs::create_dir_all(at(tree).join("d")).unwrap();
            fs::write(at(tree).join("d/a"), "a").unwrap();
            let file = File::open(at(tree).join("d/a")).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        }
        fs::create_dir(at("one/.gosync")).unwrap();
        let is_equal = || are_equal_trees(&at("one"), &at("other")).unwrap();
        assert!(is_equal() && size(&at("one")).unwrap() == 1);
        fs::write(at("other/b"), "").unwrap();
        assert!(!is_equal(), "more in the other one");
        fs::remove_file(at("other/b")).unwrap();
        fs::write(at("one/d/a"), "b").unwrap();
        assert!(!is_equal(), "another content");
    }
}
