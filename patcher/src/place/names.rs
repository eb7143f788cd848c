//! Where a target is, and its temporary file beside it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gosync_files::entry::{directory_of, kind_of, kind_of_name};
use gosync_sums::FileHasher;

use crate::place::error::StageError;

/// The path of the file to replace.
pub(crate) fn resolve(target: &Path) -> Result<PathBuf, StageError> {
    let not_a_file = |kind| StageError::NotAFile { path: target.to_owned(), kind };
    let unknown = |source| StageError::Target { path: target.to_owned(), source };
    let ends_in_separator = target.as_os_str().as_encoded_bytes().last().is_some_and(|&last| is_separator(last));
    let kind = if ends_in_separator { Some("the name of a directory") } else { kind_of_name(target) };
    if let Some(kind) = kind {
        return Err(not_a_file(kind));
    }
    let metadata = match fs::symlink_metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(target.to_owned()),
        Err(error) => return Err(unknown(error)),
    };
    if !metadata.is_symlink() {
        return kind_of(&metadata).map_or_else(|| Ok(target.to_owned()), |kind| Err(not_a_file(kind)));
    }
    let resolved = match target.canonicalize() {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // What is open in a process can have no name of its own.
            let kind = fs::metadata(target).ok().and_then(|metadata| kind_of(&metadata));
            return Err(not_a_file(kind.unwrap_or("a symbolic link to nothing")));
        }
        Err(error) => return Err(unknown(error)),
    };
    let metadata = fs::metadata(&resolved).map_err(unknown)?;
    kind_of(&metadata).map_or(Ok(resolved), |kind| Err(not_a_file(kind)))
}

/// `.NAME.gosync-part`.
pub(crate) fn temporary_path(target: &Path) -> PathBuf {
    hidden_path(target, ".gosync-part")
}

/// `.NAME.gosync-journal`.
pub(crate) fn journal_path(target: &Path) -> PathBuf {
    hidden_path(target, ".gosync-journal")
}

/// What is kept beside the file at `target`: a dot, its name and `suffix`. A long name is cut, and
/// told from others by its hash.
pub fn hidden_path(target: &Path, suffix: &str) -> PathBuf {
    /// What the file systems in use allow, in bytes.
    const LONGEST: usize = 255;
    let name = target.file_name().unwrap_or(OsStr::new("out"));
    let mut temporary = OsString::from(".");
    if name.len() + 1 + suffix.len() <= LONGEST {
        temporary.push(name);
    } else {
        let hash = FileHasher::hash(name.as_encoded_bytes()).to_string();
        let hash = &hash[..16];
        let readable = name.to_string_lossy();
        let mut cut = LONGEST - 2 - hash.len() - suffix.len();
        while !readable.is_char_boundary(cut) {
            cut -= 1;
        }
        temporary.push(&readable[..cut]);
        temporary.push("-");
        temporary.push(hash);
    }
    temporary.push(suffix);
    directory_of(target).join(temporary)
}

fn is_separator(byte: u8) -> bool {
    std::path::is_separator(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(target: &str) -> String {
        temporary_path(Path::new(target)).file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn temporary_names() {
        assert_eq!(temporary_path(Path::new("/a/disk.img")), Path::new("/a/.disk.img.gosync-part"));
        assert_eq!(temporary_path(Path::new("disk.img")), Path::new("./.disk.img.gosync-part"));
        assert_eq!(journal_path(Path::new("disk.img")), Path::new("./.disk.img.gosync-journal"));
        let longest = "x".repeat(255 - 13);
        assert_eq!(name(&longest), format!(".{longest}.gosync-part"));
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        for long in ["x".repeat(243), "x".repeat(255), "ä".repeat(127), format!("x{}", "ä".repeat(127))] {
            let cut = name(&long);
            assert!(cut.len() <= 255 && cut.len() > 250, "{} bytes", cut.len());
            assert!(cut.starts_with('.') && cut.ends_with(".gosync-part"));
        }
        assert_ne!(name(&format!("{}1", "x".repeat(250))), name(&format!("{}2", "x".repeat(250))));
    }
}
