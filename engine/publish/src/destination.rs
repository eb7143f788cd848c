//! Where something is published.

use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "object-store")]
use gosync_blocksources::ObjectSource;
use gosync_blocksources::{Location, SourceOptions};
use gosync_files::{Note, identity};
use gosync_patcher::StagedFile;

use crate::error::Error;

/// A file, or an object in a store, to be written.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    location: &'a Location,
    #[cfg_attr(not(feature = "object-store"), expect(dead_code, reason = "files need no options"))]
    options: &'a SourceOptions,
}

impl<'a> Destination<'a> {
    /// What is at `location`, or is to be.
    pub fn new(location: &'a Location, options: &'a SourceOptions) -> Self {
        Self { location, options }
    }

    /// Whether anything can be written to `location`: it is a file, or an object in a store
    /// that this program has support for.
    pub fn is_writable(location: &Location) -> bool {
        match location {
            Location::Path(_) => true,
            Location::Url(url) => cfg!(feature = "object-store") && is_object_store(url.scheme()),
        }
    }

    /// Writes what `make` makes, which takes its name, and the place of what had it, only
    /// when it is complete. Also gives what could not be done for a file, apart from its content.
    ///
    /// # Errors
    ///
    /// Those of `make`, and when it cannot be written, or the location is no place that can be
    /// written to.
    pub fn write<T>(
        self,
        make: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, Error>,
    ) -> Result<(T, Vec<Note>), Error> {
        // What only knows a name cannot say where that is.
        let make = |out: &mut (dyn Write + Send)| {
            make(out).map_err(|error| match error {
                Error::Write { source, .. } => self.failed(source),
                error => error,
            })
        };
        match self.location {
            Location::Path(path) => {
                let staged = StagedFile::create(path)?;
                let made = make(&mut staged.file())?;
                Ok((made, staged.commit()?))
            }
            #[cfg(feature = "object-store")]
            Location::Url(url) if is_object_store(url.scheme()) => {
                let Self { options, .. } = self;
                let object = ObjectSource::new(url.as_str(), &options.object_store, options.http.clone());
                let object = object?;
                let mut writer = object.writer();
                let made = make(&mut writer)?;
                writer.finish().map_err(|source| self.failed(source))?;
                Ok((made, Vec::new()))
            }
            Location::Url(_) => Err(self.failed(io::Error::other("only files and object stores can be written to"))),
        }
    }

    /// Writes bytes, as [`write`](Self::write) does.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn put(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Vec<Note>, Error> {
        Ok(self.write(|out| write(out).map_err(|source| self.failed(source)))?.1)
    }

    /// That it cannot be written.
    pub fn failed(self, source: io::Error) -> Error {
        let is_remote = matches!(self.location, Location::Url(_));
        Error::Write { location: self.location.to_string(), is_remote, source }
    }
}

/// Refuses to write any of `outputs` where it is one of the `inputs`, or two of them are one.
///
/// # Errors
///
/// [`Error::SameFile`] when it is so.
pub fn keep_apart(outputs: &[&Location], inputs: &[&Path]) -> Result<(), Error> {
    let mut taken = inputs.to_vec();
    for output in outputs {
        if let Location::Path(path) = output {
            identity::keep_apart(path, &taken)?;
            taken.push(path);
        }
    }
    Ok(())
}

fn is_object_store(scheme: &str) -> bool {
    matches!(scheme, "s3" | "gs" | "az")
}
