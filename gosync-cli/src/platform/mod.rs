//! What differs between systems, with one interface.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{allow, standard_input, standard_output};
#[cfg(windows)]
pub(crate) use windows::{allow, standard_input, standard_output};
