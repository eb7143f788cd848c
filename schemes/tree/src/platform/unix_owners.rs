//! Who owns what, on Unix.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::fs::{Dir, Metadata, MetadataExt};
use nix::unistd::{Group, User};
use rustix::fs::{AtFlags, Gid, Uid, chownat, fchown};

/// Whether this process may give files away.
pub(crate) fn may_own() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user and the group of what this process makes.
pub(crate) fn own_ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// The numbers of user and group.
pub(crate) fn owner_of(metadata: &Metadata) -> (u32, u32) {
    (metadata.uid(), metadata.gid())
}

pub(crate) fn user_name(id: u32) -> Option<String> {
    User::from_uid(id.into()).ok()?.map(|user| user.name)
}

pub(crate) fn group_name(id: u32) -> Option<String> {
    Group::from_gid(id.into()).ok()?.map(|group| group.name)
}

pub(crate) fn user_id(name: &str) -> Option<u32> {
    User::from_name(name).ok()?.map(|user| user.uid.as_raw())
}

pub(crate) fn group_id(name: &str) -> Option<u32> {
    Group::from_name(name).ok()?.map(|group| group.gid.as_raw())
}

/// Gives a file or directory away.
pub(crate) fn set_owner(file: &File, user: u32, group: u32) -> io::Result<()> {
    let (user, group) = ids(user, group)?;
    Ok(fchown(file, user, group)?)
}

/// Gives the symbolic link `name` in `directory` away.
pub(crate) fn set_link_owner(directory: &Dir, name: &Path, user: u32, group: u32) -> io::Result<()> {
    let (user, group) = ids(user, group)?;
    Ok(chownat(directory, name, user, group, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// The greatest number is no user: it stands for leaving what is there.
fn ids(user: u32, group: u32) -> io::Result<(Option<Uid>, Option<Gid>)> {
    match user == u32::MAX || group == u32::MAX {
        true => Err(io::ErrorKind::InvalidInput.into()),
        false => Ok((Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))),
    }
}
