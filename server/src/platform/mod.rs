//! What differs between systems: the names of files.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::os_string;
#[cfg(unix)]
pub(crate) use unix::os_string;
