//! What differs between systems: names, modes, links, owners, and how things are made safe on disk.

mod beneath;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux_beneath;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux_xattrs;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod no_beneath;
#[cfg(not(unix))]
mod no_owners;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod no_xattrs;
#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_owners;

pub(crate) use beneath::Beneath;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux_beneath::*;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux_xattrs::*;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use no_beneath::*;
#[cfg(not(unix))]
pub(crate) use no_owners::*;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use no_xattrs::*;
#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(unix)]
pub(crate) use unix_owners::*;
