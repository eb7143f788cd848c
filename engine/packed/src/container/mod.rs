//! Where in a file there may be streams. What is found is only tried: nothing here is trusted.

pub(crate) mod find;
pub(crate) mod gzip;
pub(crate) mod signs;
mod tar;
pub(crate) mod view;
mod zip;
