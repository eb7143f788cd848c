//! Publishing a packed file.

use std::io::{self, Write};
use std::path::Path;

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{FileHash, Progress, ReadAt, TargetName};
use gosync_layers::descent::nodes;
use gosync_layers::format::LayeredIndex;
use gosync_packed::{OpenError, Opened, Options, open};
use gosync_patcher::VerifyError;
use gosync_publish::{
    Build, BuildOptions, Destination, Error, Note, PayloadOut, build_file as build_file_with, keep_apart,
};
use gosync_sums::FileHasher;

use crate::section::PackedInfo;

/// How hard the payload is compressed where nobody says.
const LEVEL: i32 = 3;

/// When a packed file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpack {
    /// Where clients will fetch less then, in all likelihood.
    IfItPays,
    /// Where it can be.
    IfItCan,
}

/// A packed file that was opened, to be published.
pub struct PackedBuild<'a> {
    opened: Opened<'a>,
    info: PackedInfo,
}

impl<'a> PackedBuild<'a> {
    /// Opens the file `packed`, which is called `called` in messages, on all threads of the current
    /// rayon pool; `None` where there is nothing in it that can be opened and closed again.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or `progress` cancels.
    pub fn open(packed: &'a dyn ReadAt, called: &str, progress: &dyn Progress) -> Result<Option<Self>, Error> {
        let read = |source: io::Error| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Write {
                location: format!("what is in {called} to a temporary file: there has to be room for all of it"),
                is_remote: false,
                source,
            },
            _ => Error::Read { target: called.to_owned(), source },
        };
        let opened = open(packed, &Options::default(), progress).map_err(|error| match error {
            OpenError::Cancelled(cancelled) => cancelled.into(),
            OpenError::Io(source) => read(source),
            error => read(io::Error::other(error)),
        })?;
        if !opened.is_opened() {
            return Ok(None);
        }
        let nodes = nodes(packed, &()).map_err(|error| match error {
            VerifyError::Read(source) => read(source),
            error => read(io::Error::other(error)),
        })?;
        let file_hash: FileHash = FileHasher::new(packed.size()).finish(&nodes);
        let recipe = opened.recipe().clone();
        Ok(Some(Self { opened, info: PackedInfo { file_hash, recipe } }))
    }

    /// What the index will say of it.
    pub fn info(&self) -> &PackedInfo {
        &self.info
    }

    /// Whether clients will fetch less when this is published than with the file as it is.
    pub fn pays(&self) -> bool {
        self.info.recipe.pays()
    }

    /// Makes the index of the file, which is called `name`, and writes the payload of what is in it.
    ///
    /// # Errors
    ///
    /// As [`Build::index`].
    pub fn index(
        &self,
        called: &str,
        name: Option<TargetName>,
        options: &BuildOptions,
        payload: PayloadOut<'_>,
        progress: &dyn Progress,
    ) -> Result<LayeredIndex, Error> {
        let options = &with_level(options);
        let sections = vec![self.info.section()];
        Build { target: &self.opened, called, name, sections, options, progress }.index(Some(payload))
    }

    /// The same, where `call` gives the payload its name by its hash.
    ///
    /// # Errors
    ///
    /// As [`Build::index`].
    pub fn index_by_content(
        &self,
        called: &str,
        name: Option<TargetName>,
        options: &BuildOptions,
        (payload, call): (&mut (dyn Write + Send), &dyn Fn(FileHash) -> TargetName),
        progress: &dyn Progress,
    ) -> Result<LayeredIndex, Error> {
        let options = &with_level(options);
        let sections = vec![self.info.section()];
        let build = Build { target: &self.opened, called, name, sections, options, progress };
        build.index_by_content(Some(payload), call)
    }
}

/// There is a payload in any case.
fn with_level(options: &BuildOptions) -> BuildOptions {
    BuildOptions { compress: options.compress.or(Some(LEVEL)), ..options.clone() }
}

/// What was made of a packed file.
pub struct Made {
    /// Its index.
    pub index: LayeredIndex,
    /// What that says of the packed file.
    pub info: PackedInfo,
    /// What could not be done for the payload's file, apart from its content.
    pub notes: Vec<Note>,
}

/// Opens the file at `path`, makes its index and writes its payload to `payload`, a file or an object
/// beside where the index will be; `None` where `unpack` says to leave it as it is.
///
/// # Errors
///
/// When it cannot be read, changes meanwhile, or cannot be cut into such blocks; when the payload
/// cannot be written, or the last part of its location is no file name for an index to give.
pub fn build_file(
    path: &Path,
    payload: &Location,
    unpack: Unpack,
    options: &BuildOptions,
    sources: &SourceOptions,
    progress: &dyn Progress,
) -> Result<Option<Made>, Error> {
    build_file_with(path, options, progress, |build| {
        let Build { target, called, name, .. } = build;
        let Some(packed) = PackedBuild::open(*target, called, progress)? else { return Ok(None) };
        if unpack == Unpack::IfItPays && !packed.pays() {
            return Ok(None);
        }
        keep_apart(&[payload], &[path])?;
        let destination = Destination::new(payload, sources);
        let payload_name = TargetName::new(payload.file_name().unwrap_or_default());
        let payload_name = payload_name.map_err(|error| destination.failed(io::Error::other(error)))?;
        let (index, notes) = destination.write(|out| {
            packed.index(called, name.clone(), options, PayloadOut { name: payload_name, out }, progress)
        })?;
        Ok(Some(Made { index, info: packed.info, notes }))
    })
}
