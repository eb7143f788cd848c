//! Owners, modes and what belongs to them, on Unix.

use std::ffi::CStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use super::access_list::AccessList;
use super::attributes;

const LIST: &CStr = c"system.posix_acl_access";
const LIST_FOR_NEW: &CStr = c"system.posix_acl_default";
const CAPABILITIES: &CStr = c"security.capability";

/// Attributes that are of one content (the hashes of IMA and EVM) or one place (overlayfs's):
/// the system makes them where they are wanted.
const BOUND: [&[u8]; 3] = [b"security.ima", b"security.evm", b"trusted.overlay."];

pub(crate) fn is_ours(file: &File, replaced: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    let owner = fs::metadata(replaced).map_or(us, |metadata| metadata.uid());
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 1 && [us, owner].contains(&metadata.uid()))
}

pub(crate) fn restrict(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))
}

/// In this order: a change of owner takes away what comes after it, and until the mode is set the
/// file is its owner's alone.
pub(crate) fn adopt(file: &File, target: &Path, directory: &Path, replaced: Option<&Metadata>) -> Vec<String> {
    let Some(old) = replaced else { return be_like_any_other(file, directory) };
    let mut lost = Vec::new();
    let mut is_lost = |is_kept: bool, what: &str| {
        if !is_kept {
            lost.push(what.to_owned());
        }
    };
    let new = file.metadata().ok();
    let keeps_group =
        new.as_ref().is_some_and(|new| new.gid() == old.gid()) || fchown(file, None, Some(old.gid())).is_ok();
    let keeps_owner =
        new.as_ref().is_some_and(|new| new.uid() == old.uid()) || fchown(file, Some(old.uid()), None).is_ok();
    is_lost(keeps_owner, "its owner");
    is_lost(keeps_group, "its group");

    for name in attributes::names(target) {
        let is_bound = BOUND.iter().any(|bound| name.to_bytes().starts_with(bound));
        if is_bound || [LIST, CAPABILITIES].contains(&name.as_c_str()) {
            continue;
        }
        let value = attributes::get(target, &name);
        let is_kept = value.is_some_and(|value| {
            attributes::get_of(file, &name).as_ref() == Some(&value) || attributes::set(file, &name, &value).is_ok()
        });
        is_lost(is_kept, &name.to_string_lossy());
    }

    let mut mode = old.mode() & 0o7777;
    let list = attributes::get(target, LIST).and_then(AccessList::new);
    let list = list.map(|list| if keeps_group { list } else { list.for_other_group() });
    let is_list_kept = match &list {
        Some(list) => attributes::set(file, LIST, list.bytes()).is_ok(),
        // One that new files get here would count as soon as the mode is set.
        None => attributes::remove(file, LIST).is_ok(),
    };
    is_lost(is_list_kept || list.is_none(), "its access control list");
    if !is_list_kept {
        let _ = attributes::remove(file, LIST);
    }
    let of_others = match &list {
        Some(list) if is_list_kept => list.as_mode(),
        Some(list) => list.without(),
        None if !keeps_group => 0o011 * (mode >> 3 & mode & 0o007),
        None if is_list_kept => mode & 0o077,
        None => mode & 0o007,
    };
    mode = mode & !0o077 | of_others;
    if !keeps_owner {
        mode &= !0o4000;
    }
    if !keeps_group {
        mode &= !0o2000;
    }
    is_lost(file.set_permissions(Permissions::from_mode(mode)).is_ok(), "its mode");

    if let Some(capabilities) = attributes::get(target, CAPABILITIES) {
        is_lost(attributes::set(file, CAPABILITIES, &capabilities).is_ok(), "its capabilities");
    }
    lost
}

fn be_like_any_other(file: &File, directory: &Path) -> Vec<String> {
    if let Some(list) = attributes::get(directory, LIST_FOR_NEW).and_then(AccessList::new)
        && attributes::set(file, LIST, list.of_new_file().bytes()).is_ok()
    {
        return Vec::new();
    }
    let mode = file.set_permissions(Permissions::from_mode(0o666 & !umask()));
    if mode.is_ok() { Vec::new() } else { vec!["the mode of new files".to_owned()] }
}

/// What this process takes away from new files.
///
/// The system call that tells it sets it too, which other threads would notice, so it
/// is read from where Linux shows it (since 4.7), and is the usual one elsewhere.
fn umask() -> u32 {
    const USUAL: u32 = 0o022;
    super::system::status("Umask:").and_then(|mask| u32::from_str_radix(&mask, 8).ok()).unwrap_or(USUAL)
}
