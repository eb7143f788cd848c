//! Extended attributes, among which Linux keeps access control lists and capabilities too.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{
    XattrFlags, fgetxattr, fgetxattr_query, fremovexattr, fsetxattr, getxattr, getxattr_query, listxattr,
    listxattr_query,
};
use rustix::io::Errno;

/// The names of all attributes of the file at `path`; none where there can be none.
pub(crate) fn names(path: &Path) -> Vec<CString> {
    let mut list = vec![0; listxattr_query(path).unwrap_or(0)];
    let len = listxattr(path, &mut list[..]).unwrap_or(0).min(list.len());
    list[..len]
        .split_inclusive(|&byte| byte == 0)
        .filter_map(|name| CString::from_vec_with_nul(name.to_vec()).ok())
        .collect()
}

/// What the file at `path` has under `name`, if anything.
pub(crate) fn get(path: &Path, name: &CStr) -> Option<Vec<u8>> {
    let mut value = vec![0; getxattr_query(path, name).ok()?];
    let len = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(len);
    Some(value)
}

/// The same of an open file.
pub(crate) fn get_of(file: &File, name: &CStr) -> Option<Vec<u8>> {
    let mut value = vec![0; fgetxattr_query(file, name).ok()?];
    let len = fgetxattr(file, name, &mut value[..]).ok()?;
    value.truncate(len);
    Some(value)
}

pub(crate) fn set(file: &File, name: &CStr, value: &[u8]) -> io::Result<()> {
    Ok(fsetxattr(file, name, value, XattrFlags::empty())?)
}

/// Takes away what `file` has under `name`, if anything.
pub(crate) fn remove(file: &File, name: &CStr) -> io::Result<()> {
    match fremovexattr(file, name) {
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        done => Ok(done?),
    }
}
