//! Why something was not published.

use std::io;
use std::path::PathBuf;

use gosync_chunks::{Cancelled, SourceError};
use gosync_files::identity::SameFile;
use gosync_layers::format::{MergeError, PartError};
use gosync_patcher::StageError;

/// Why an index or a payload was not made, or not put where clients find it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The target, or a part of an index, cannot be read.
    #[error("cannot read {target}")]
    Read {
        /// The file, or what the target is called.
        target: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A file changed while its index was made.
    #[error("{} changed while it was read; make the index again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A target cannot be cut into such layers.
    #[error(
        "the block sizes {sizes:?} make no layers: they have to be descending powers of two from {} to {}",
        gosync_layers::format::MIN_BLOCK_SIZE,
        gosync_chunks::MAX_BLOCK_SIZE
    )]
    Layers {
        /// The block sizes in bytes, from the coarsest to the finest.
        sizes: Vec<u32>,
    },
    /// A target that is cut into such layers can have no compressed payload.
    #[error(
        "the block sizes {sizes:?} allow no compressed payload: its frames are as large as the finest blocks, \
         which have to be of at most {} bytes",
        crate::options::MAX_FINE_FRAME
    )]
    PayloadLayers {
        /// The block sizes in bytes, from the coarsest to the finest.
        sizes: Vec<u32>,
    },
    /// An index cannot have such sections.
    #[error("the index cannot have these sections: {why}")]
    Sections {
        /// What is wrong with them.
        why: &'static str,
    },
    /// What is to be written is one of the files that it is made of.
    #[error(transparent)]
    SameFile(#[from] SameFile),
    /// Parts make no index.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// What was made cannot be written where it is to go.
    #[error("cannot write {location}")]
    Write {
        /// The path or URL.
        location: String,
        /// Whether that is on another machine, which may be back later.
        is_remote: bool,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// Another publisher is at work there.
    #[error(
        "{location} is being published to by {}; run this again when that is done",
        owner.as_deref().unwrap_or("another process")
    )]
    Busy {
        /// The folder.
        location: String,
        /// Who that is, if it is known.
        owner: Option<String>,
    },
    /// An object store cannot be reached or refuses.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be staged or put in place.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The progress said to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// A part does not make an index with the others.
    pub(crate) fn of_part(path: PathBuf, source: PartError) -> Self {
        MergeError::Part { path, source }.into()
    }
}
