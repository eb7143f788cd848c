//! What differs between systems.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "other.rs")]
mod system;

pub(crate) use system::{bytes_of, path_of, path_of_handle};

/// That an opened directory has no path that leads to it.
fn no_handles() -> std::io::Error {
    let why = "writing beneath a root takes /proc, as Linux has it";
    std::io::Error::new(std::io::ErrorKind::Unsupported, why)
}
