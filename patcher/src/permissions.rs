//! What a new file may have done to it, and by whom.

use std::fs::{File, Metadata};
use std::io;

/// Gives `file` the owner, group and mode of the file that it replaces, or the mode of
/// any new file.
///
/// The owner and the group are kept as far as this process may set them. Where one
/// cannot be kept, neither is what was granted in its name: the bits to run as the
/// owner or the group, and what the group may do beyond what everybody may.
#[cfg(unix)]
pub(crate) fn apply(file: &File, replaced: Option<&Metadata>) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    let mode = match replaced {
        None => 0o666 & !umask(),
        Some(old) => {
            let new = file.metadata()?;
            let keeps_group = new.gid() == old.gid() || fchown(file, None, Some(old.gid())).is_ok();
            let keeps_owner = new.uid() == old.uid() || fchown(file, Some(old.uid()), None).is_ok();
            let mut mode = old.mode() & 0o7777;
            if !keeps_owner {
                mode &= !0o4000;
            }
            if !keeps_group {
                mode &= !0o2070 | (mode & 0o007) << 3;
            }
            mode
        }
    };
    // Last, since a change of owner takes bits away.
    file.set_permissions(Permissions::from_mode(mode))
}

/// Makes `file` its owner's alone, as it was when it was created.
#[cfg(unix)]
pub(crate) fn restrict(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
pub(crate) fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

/// The directory's rules hold.
#[cfg(not(unix))]
pub(crate) fn apply(_: &File, _: Option<&Metadata>) -> io::Result<()> {
    Ok(())
}

/// What this process takes away from new files.
///
/// The system call that tells it sets it too, which other threads would notice, so it
/// is read from where Linux shows it (since 4.7), and is the usual one elsewhere.
#[cfg(unix)]
fn umask() -> u32 {
    const USUAL: u32 = 0o022;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(USUAL)
}
