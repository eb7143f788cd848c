//! Trees of files: made, described, and changed in every way that an update must cope with.

#[cfg(unix)]
pub mod scenarios;

use std::fs::{self, File, FileTimes, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const READABLE: &str = "a tree that can be read and written";

/// Writes a file, and dates it.
///
/// # Panics
///
/// When it cannot be written, as all of this.
pub fn write(path: &Path, data: &[u8], seconds: u64) {
    fs::create_dir_all(path.parent().expect(READABLE)).expect(READABLE);
    fs::write(path, data).expect(READABLE);
    date(path, seconds);
}

/// Dates a file or directory, so many seconds after a day in the past.
pub fn date(path: &Path, seconds: u64) {
    // No finer than Windows keeps it.
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000 + seconds, 123_456_700);
    open_to_date(path).expect(READABLE).set_times(FileTimes::new().set_modified(time)).expect(READABLE);
}

/// Opens a file or directory so that it can be dated.
///
/// # Errors
///
/// When it cannot be.
pub fn open_to_date(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(not(windows))]
    options.read(true);
    // Names and values of the Windows API.
    #[cfg(windows)]
    {
        const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
        const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
        use std::os::windows::fs::OpenOptionsExt;
        options.access_mode(FILE_WRITE_ATTRIBUTES).custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    }
    options.open(path)
}

/// All that is in a tree: paths, and what there is to say of each. What this program keeps for
/// itself is not.
pub fn described(tree: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut inodes = Vec::new();
    describe(tree, tree, &mut all, &mut inodes);
    all.sort();
    all
}

fn describe(tree: &Path, at: &Path, all: &mut Vec<String>, inodes: &mut Vec<(u64, PathBuf)>) {
    let path = at.strip_prefix(tree).expect(READABLE);
    if path == Path::new(".gosync") {
        return;
    }
    let metadata = fs::symlink_metadata(at).expect(READABLE);
    let modified = metadata.modified().expect(READABLE);
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    #[cfg(not(unix))]
    let mode = 0;
    if metadata.is_symlink() {
        all.push(format!("{path:?} {modified:?} -> {:?}", fs::read_link(at).expect(READABLE)));
    } else if metadata.is_dir() {
        all.push(format!("{path:?} {mode:o} {modified:?}"));
        let mut names: Vec<_> = fs::read_dir(at).expect(READABLE).map(|entry| entry.expect(READABLE).path()).collect();
        names.sort();
        names.iter().for_each(|path| describe(tree, path, all, inodes));
    } else {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let first = inodes.iter().find(|(of, _)| *of == inode && inode > 0).map(|(_, first)| first.clone());
        let mut hasher = DefaultHasher::new();
        hasher.write(&fs::read(at).expect(READABLE));
        all.push(format!("{path:?} {mode:o} {modified:?} {} {:x} {first:?}", metadata.len(), hasher.finish()));
        inodes.push((inode, path.to_owned()));
    }
}

/// Copies a tree with all that belongs to it.
///
/// # Panics
///
/// When `cp` cannot do it.
#[cfg(unix)]
pub fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().expect("there is `cp`");
    assert!(status.success(), "{} was not copied", from.display());
}
