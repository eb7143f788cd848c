//! The kinds of folders that there are.

mod directory;
#[cfg(feature = "object-store")]
mod objects;
#[cfg(feature = "ssh")]
mod ssh;

use std::io;

use gosync_blocksources::{Location, SourceOptions};

use crate::error::Error;
use crate::folder::Folder;
use directory::Directory;
#[cfg(feature = "object-store")]
use objects::Objects;
#[cfg(feature = "ssh")]
use ssh::Remote;

/// Opens the folder at `location` for the publication called `name`, by `who`, as others are told. No other publisher of the same
/// can have it open at the same time, where that can be told; where it cannot, as in object
/// stores, [`Folder::replace`] tells who comes second.
///
/// # Errors
///
/// When it cannot be made or written to, or another publisher has it.
pub fn open_folder<'a>(
    location: &'a Location,
    name: &str,
    who: &str,
    options: &'a SourceOptions,
) -> Result<Box<dyn Folder + 'a>, Error> {
    let _ = (who, options);
    match location {
        Location::Path(path) => Ok(Box::new(Directory::open(path, name)?)),
        #[cfg(feature = "object-store")]
        Location::Url(url) if matches!(url.scheme(), "s3" | "gs" | "az") => Ok(Box::new(Objects::new(url, options))),
        #[cfg(feature = "ssh")]
        Location::Url(url) if url.scheme() == "ssh" => Ok(Box::new(Remote::open(location, name, who, options)?)),
        Location::Url(_) => Err(Error::Write {
            location: location.to_string(),
            is_remote: true,
            source: io::Error::other("only directories, object stores and what ssh leads to can be published to"),
        }),
    }
}
