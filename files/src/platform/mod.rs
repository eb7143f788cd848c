//! What differs between systems: a file for each, with the same functions in all of them.
//!
//! `system` is about files and names, `holes` finds what of a file is data, and `room` sets
//! room on disk aside; not all Unix systems do the latter two. This file alone asks which
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
pub(crate) use room::{allocate, punch_hole, write_back};
pub(crate) use system::{
    adopt, cluster_size, creating, is_at, is_in_use, is_ours, is_same, is_stream, knows_no_locks, opening,
    read_exact_at, remove, replace, restrict, special_kind, sync_directory, write_all_at,
};
