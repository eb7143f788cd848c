//! What was published of a tree: its listing, and then what of its flat target is wanted.

use std::path::Path;
use std::sync::Arc;

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{ByteRange, FileHash, Progress, ReadAt, Source, Transfer};
use gosync_layers::descent::Zeros;
use gosync_layers::format::LayeredIndex;
use gosync_patcher::{Report, StagedFile, TargetId};
use gosync_update::{Error as UpdateError, Seed, Seeds, Update, UpdateReport};

use crate::build::LISTING_SUFFIX;
use crate::contents::Contents;
use crate::error::Error;
use crate::listing::Listing;
use crate::section::TreeInfo;
use crate::source;
use crate::target::{Known, Pieces};

/// Where the bytes of a tree are fetched from.
#[derive(Clone, Copy)]
pub enum TreeSource<'a> {
    /// A compressed payload has all of them.
    Payload {
        /// It.
        source: &'a dyn Source,
        /// Where it is.
        location: &'a Location,
        /// How it is reached.
        options: &'a SourceOptions,
    },
    /// Each file is by itself, beneath a place.
    Files {
        /// The listing, by itself.
        listing: &'a Location,
        /// What all paths are beneath.
        tree: &'a Location,
        /// How both are reached.
        options: &'a SourceOptions,
    },
}

impl TreeSource<'_> {
    /// Where the listing of a tree whose files are each by themselves is: beside its `index`, which is
    /// at `place`. It is called as the tree is, which is at `tree`.
    pub fn listing_beside(place: &Location, index: &LayeredIndex, tree: &Location) -> Location {
        let name = index.target_name().map(|name| name.as_str().to_owned());
        place.beside(&format!("{}{LISTING_SUFFIX}", name.or_else(|| tree.file_name()).unwrap_or_default()))
    }
}

/// The index of a tree, and where the rest is.
pub(crate) struct Published<'a> {
    pub(crate) index: &'a LayeredIndex,
    pub(crate) info: &'a TreeInfo,
    pub(crate) source: TreeSource<'a>,
    pub(crate) progress: &'a dyn Progress,
}

/// The listing that was published.
pub(crate) struct Opened {
    pub(crate) listing: Listing,
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) contents: Contents,
    /// What getting it took.
    pub(crate) work: Report,
    pub(crate) index: Transfer,
}

impl Published<'_> {
    /// Bytes of a block of the finest layer.
    pub(crate) fn unit(&self) -> u64 {
        self.index.layers().last().map_or(1, |layer| layer.layout.block_size()).into()
    }

    /// How a target's file is known that is staged.
    pub(crate) fn id(&self) -> TargetId {
        TargetId::new(self.index.head())
    }

    /// Gets the listing: one of `candidates`, or else made of them and what is fetched, in a file
    /// that `staged` gives.
    pub(crate) fn open(
        &self,
        candidates: Vec<Vec<u8>>,
        staged: impl FnOnce() -> Result<StagedFile, UpdateError>,
    ) -> Result<(Opened, Option<StagedFile>), UpdateError> {
        let is_it = |bytes: &Vec<u8>| *blake3::hash(bytes).as_bytes() == self.info.listing_hash;
        if let Some(bytes) = candidates.iter().find(|bytes| is_it(bytes)) {
            return Ok((self.opened(bytes, Report::default(), Transfer::default())?, None));
        }
        if self.info.listing_length > self.index.length() {
            return Err(Error::WrongListing.into());
        }
        let staged = staged()?;
        let seeds = candidates.into_iter().map(|bytes| Seed::opened(Path::new("the listing"), bytes, None));
        let seeds = Seeds::of(seeds.collect());
        let range = ByteRange::at(0, self.info.listing_length);
        let block = ByteRange { end: range.end.next_multiple_of(self.unit()).min(self.index.length()), ..range };
        let known = [Known { range, hash: FileHash(self.info.listing_hash), path: None }];
        let source: Box<dyn Source + '_> = match self.source {
            TreeSource::Payload { source, .. } => Box::new(source),
            TreeSource::Files { listing, options, .. } => {
                source::of_listing(listing, self.info.listing_length, self.index.length(), options)
            }
        };
        let zeros = Zeros(self.index.length());
        let target = Pieces::new(self.index, std::slice::from_ref(&block), &known, &zeros);
        let update = Update { target: &target, seeds: &seeds, source: &*source, progress: self.progress };
        let (report, staged) = stage(&update, staged)?;
        let bytes = read(&staged, range)?;
        let index = report.comparison.index_transfer;
        Ok((self.opened(&bytes, report.report, index)?, Some(staged)))
    }

    fn opened(&self, bytes: &[u8], work: Report, index: Transfer) -> Result<Opened, UpdateError> {
        let listing = Listing::read(bytes).map_err(Error::from)?;
        let contents = Contents::of(&listing, bytes.len() as u64, self.unit());
        match contents.filter(|contents| contents.length == self.index.length()) {
            Some(contents) => Ok(Opened { listing, bytes: bytes.into(), contents, work, index }),
            None => Err(Error::WrongListing.into()),
        }
    }

    /// What gives the contents of files.
    pub(crate) fn contents<'b>(&'b self, opened: &'b Opened) -> Result<Box<dyn Source + 'b>, UpdateError> {
        match self.source {
            TreeSource::Payload { source, .. } => Ok(Box::new(source)),
            TreeSource::Files { tree, options, .. } => {
                Ok(source::of_files(source::Published { tree, options }, &opened.listing, &opened.contents)?)
            }
        }
    }
}

/// Makes what `update` wants in `staged`, which is kept where that can be gone on with.
pub(crate) fn stage(update: &Update<'_>, mut staged: StagedFile) -> Result<(UpdateReport, StagedFile), UpdateError> {
    match update.stage(&mut staged) {
        Ok(report) => Ok((report, staged)),
        Err(error) => {
            if staged.has_fetched() && error.is_resumable() {
                staged.keep();
            }
            Err(error)
        }
    }
}

fn read(staged: &StagedFile, range: ByteRange) -> Result<Vec<u8>, UpdateError> {
    let unreadable = |source| UpdateError::Read { path: staged.path().to_owned(), source };
    let file = staged.reader().map_err(unreadable)?;
    // As long as it says, it was made.
    let mut bytes = vec![0; range.len() as usize];
    file.read_exact_at(range.start, &mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
