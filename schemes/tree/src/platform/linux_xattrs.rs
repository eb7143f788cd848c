//! Extended attributes on Linux: those of users, access control lists and capabilities.

use std::fs::File;
use std::io;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

use crate::listing::extras::Xattrs;

/// Those that a listing has. Others are the system's own.
const ACCESS: &[u8] = b"system.posix_acl_access";
const DEFAULT: &[u8] = b"system.posix_acl_default";
const CAPABILITY: &[u8] = b"security.capability";
const USER: &[u8] = b"user.";

/// Bytes of all names, or of a value, at most.
const MOST: usize = 1 << 16;

/// Whether this process may set the attribute `name` of its files.
pub(crate) fn may_set_xattr(name: &[u8]) -> bool {
    match name {
        CAPABILITY => rustix::process::geteuid().is_root(),
        name => is_ours(name),
    }
}

/// The attributes of a file or directory by name, as far as a listing has them.
pub(crate) fn xattrs(file: &File) -> io::Result<Xattrs> {
    let mut buffer = vec![0; MOST];
    let len = match flistxattr(file, &mut buffer[..]) {
        Err(Errno::NOTSUP) => return Ok(Xattrs::new()),
        listed => listed?,
    };
    let names: Vec<Vec<u8>> =
        buffer[..len].split(|&byte| byte == 0).filter(|name| is_ours(name)).map(<[u8]>::to_vec).collect();
    let mut xattrs = Xattrs::new();
    for name in names {
        match fgetxattr(file, &name[..], &mut buffer[..]) {
            Ok(len) => xattrs.push((name, buffer[..len].to_vec())),
            // It has gone meanwhile.
            Err(Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
    }
    xattrs.sort_unstable();
    Ok(xattrs)
}

pub(crate) fn set_xattr(file: &File, name: &[u8], value: &[u8]) -> io::Result<()> {
    Ok(fsetxattr(file, name, value, XattrFlags::empty())?)
}

pub(crate) fn remove_xattr(file: &File, name: &[u8]) -> io::Result<()> {
    Ok(fremovexattr(file, name)?)
}

fn is_ours(name: &[u8]) -> bool {
    [ACCESS, DEFAULT, CAPABILITY].contains(&name) || name.starts_with(USER)
}
