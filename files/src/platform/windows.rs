//! Files and names on Windows.

use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use gosync_chunks::TargetName;
use same_file::Handle;

// Names and values of the Windows API.
const DELETE: u32 = 0x0001_0000;
const FILE_SHARE_ALL: u32 = 7;
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
const ERROR_SHARING_VIOLATION: i32 = 32;

pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.seek_read(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn write_all_at(file: &File, mut data: &[u8], mut offset: u64) -> io::Result<()> {
    while !data.is_empty() {
        match file.seek_write(data, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                data = &data[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The directory's rules hold, and std follows no link to create a file.
pub(crate) fn creating(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

pub(crate) fn opening(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
}

pub(crate) fn reading(options: &mut OpenOptions) -> &mut OpenOptions {
    options.read(true)
}

pub(crate) fn is_descriptor(_: &Path) -> bool {
    false
}

pub(crate) fn empty_device(_: &Metadata) -> bool {
    false
}

pub(crate) fn special_kind(_: FileType) -> Option<&'static str> {
    None
}

pub(crate) fn kind_of_name(name: &OsStr) -> Option<&'static str> {
    TargetName::new(name.to_string_lossy()).map_or(Some("no name of a file"), |name| name.on_windows())
}

/// Volume and index, read when it is made. It holds the file, so no other gets them.
pub(crate) type Identity = Handle;

pub(crate) fn identity(file: &File) -> io::Result<Identity> {
    Handle::from_file(file.try_clone()?)
}

/// Of what is at `path`. A link is refused, since it is not what it leads to.
pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
    match fs::symlink_metadata(path)?.is_symlink() {
        true => Err(io::ErrorKind::InvalidInput.into()),
        false => Handle::from_path(path),
    }
}

pub(crate) fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    same_file::is_same_file(one, other)
}

/// What std opens, others may rename and remove; many programs do not allow it.
pub(crate) fn is_in_use(path: &Path) -> bool {
    let opened = OpenOptions::new().access_mode(DELETE).share_mode(FILE_SHARE_ALL).open(path);
    opened.is_err_and(|error| error.raw_os_error() == Some(ERROR_SHARING_VIOLATION))
}

/// What is open or read-only can be moved, but not be replaced: everywhere until Windows 10,
/// and still on file systems other than NTFS.
pub(crate) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(to).is_ok_and(|metadata| metadata.is_dir()) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let is_read_only = is_read_only(to);
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let aside = move_aside(to)?;
            if let Err(error) = fs::rename(from, to) {
                fs::rename(&aside, to)?;
                return Err(error);
            }
            // It is replaced, whether or not it can be removed.
            let _ = remove_moved(&aside);
        }
        done => done?,
    }
    if is_read_only {
        let mut permissions = fs::metadata(to)?.permissions();
        permissions.set_readonly(true);
        fs::set_permissions(to, permissions)?;
    }
    Ok(())
}

/// A name is taken for as long as what was removed is open somewhere, so it goes by another.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    remove_moved(&move_aside(path)?)
}

/// The system keeps names and files in step by itself.
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The larger of the two sizes that ReFS has.
pub(crate) fn cluster_size(_: &File) -> u64 {
    64 << 10
}

fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}

/// Gives `path` a name that nobody looks for, in the same directory.
fn move_aside(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let aside = path.with_file_name(format!(".gosync-aside-{}-{count}", process::id()));
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn remove_moved(path: &Path) -> io::Result<()> {
    if is_read_only(path) {
        let mut permissions = fs::metadata(path)?.permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "it means the attribute here")]
        permissions.set_readonly(false);
        fs::set_permissions(path, permissions)?;
    }
    fs::remove_file(path)
}
