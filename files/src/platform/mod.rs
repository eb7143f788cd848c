//! What differs between systems: a file for each, with the same functions in all of them.
//!
//! `system` is about files and names, and `rights` about owners and modes. `holes` finds what of
//! a file is data, `room` sets room on disk aside, `attributes` are what a file has beside its
//! content, and `obstacles` keep it from being replaced; not all Unix systems have the latter four. This file alone asks which
//! system it is.

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[path = "seeking_holes.rs"]
mod holes;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
#[path = "no_holes.rs"]
mod holes;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux_room.rs"]
mod room;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "no_room.rs"]
mod room;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux_obstacles.rs"]
mod obstacles;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "no_obstacles.rs"]
mod obstacles;

#[cfg(unix)]
mod access_list;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux_attributes.rs"]
mod attributes;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
#[path = "no_attributes.rs"]
mod attributes;

#[cfg(unix)]
#[path = "unix_rights.rs"]
mod rights;
#[cfg(not(unix))]
#[path = "no_rights.rs"]
mod rights;

#[cfg(not(any(unix, windows)))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub(crate) use holes::{next_data, read_ahead};
pub(crate) use obstacles::obstacle;
pub(crate) use rights::{adopt, is_ours, restrict};
pub(crate) use room::{allocate, free, punch_hole, taken, write_back};
pub(crate) use system::{
    Identity, cluster_size, creating, empty_device, identity, identity_at, is_descriptor, is_in_use, is_same,
    kind_of_name, opening, read_exact_at, reading, remove, replace, special_kind, sync_directory, write_all_at,
};
