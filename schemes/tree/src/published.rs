//! What was published of a tree: its listing, and then what of its flat target is wanted.

use std::path::Path;
use std::sync::Arc;

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{ByteRange, FileHash, Progress, ReadAt, Source, SourceError, Transfer};
use gosync_layers::descent::Zeros;
use gosync_layers::format::LayeredIndex;
use gosync_patcher::{Report, StagedFile, TargetId};
use gosync_update::{Error as UpdateError, Seed, Seeds, Update, UpdateReport};

use crate::build::LISTING_SUFFIX;
use crate::contents::Contents;
use crate::error::Error;
use crate::listing::Listing;
use crate::packed::recipes::Recipes;
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
        /// Where the files are published as they are, if they are: what of packed ones cannot be made
        /// here is fetched from there.
        files: Option<&'a Location>,
        /// How both are reached.
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
    /// The flat target as it is: the far side makes it of a directory while it is read.
    Flat {
        /// It.
        source: &'a dyn Source,
        /// Where the directory is, for a forecast.
        location: &'a Location,
        /// What may be the listing, where that has come already.
        listing: Option<&'a [u8]>,
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

/// What may be much like the beginning of the target.
pub(crate) struct Candidates {
    pub(crate) listings: Vec<Vec<u8>>,
    /// Recipes of packed files.
    pub(crate) recipes: Option<Vec<u8>>,
}

/// The listing that was published.
pub(crate) struct Opened {
    pub(crate) listing: Listing,
    /// What the target begins with: the listing, and the recipes of packed files.
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) recipes: Arc<Recipes>,
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

    /// Gets the listing, and the recipes of packed files: some of `candidates`, or else made of them
    /// and what is fetched, in a file that `staged` gives.
    pub(crate) fn open(
        &self,
        candidates: Candidates,
        staged: impl FnOnce() -> Result<StagedFile, UpdateError>,
    ) -> Result<(Opened, Option<StagedFile>), UpdateError> {
        let Candidates { listings, recipes } = candidates;
        let has = |hash: [u8; 32]| move |bytes: &&Vec<u8>| *blake3::hash(bytes).as_bytes() == hash;
        let came = match self.source {
            TreeSource::Flat { listing, .. } => listing.map(<[u8]>::to_vec),
            _ => None,
        };
        let listing = listings.iter().chain(&came).find(has(self.info.listing_hash));
        let wanted = self.info.packed.as_ref();
        let nothing = Vec::new();
        let here = wanted.map_or(Some(&nothing), |wanted| recipes.iter().find(has(wanted.recipes_hash)));
        if let (Some(listing), Some(recipes)) = (listing, here) {
            let front = [&listing[..], recipes].concat();
            return Ok((self.opened(&front, Report::default(), Transfer::default())?, None));
        }
        let range = ByteRange::at(0, self.info.front_length());
        if range.end > self.index.length() {
            return Err(Error::WrongListing.into());
        }
        let staged = staged()?;
        let recipes = recipes.filter(|_| wanted.is_some());
        let seeds = listings.into_iter().chain(recipes);
        let seeds = Seeds::of(seeds.map(|bytes| Seed::opened(Path::new("the listing"), bytes, None)).collect());
        let block = ByteRange { end: range.end.next_multiple_of(self.unit()).min(self.index.length()), ..range };
        let listing = ByteRange::at(0, self.info.listing_length);
        let listing = Known { range: listing, hash: FileHash(self.info.listing_hash), path: None };
        let recipes = wanted.map(|wanted| {
            let range = ByteRange { start: listing.range.end, end: range.end };
            Known { range, hash: FileHash(wanted.recipes_hash), path: None }
        });
        let known: Vec<Known> = std::iter::once(listing).chain(recipes).collect();
        let source: Box<dyn Source + '_> = match self.source {
            TreeSource::Payload { source, .. } | TreeSource::Flat { source, .. } => Box::new(source),
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
        // What is here has these lengths by its hash, and what was fetched by what was asked for.
        let (listing, recipes) = bytes.split_at(bytes.len().min(self.info.listing_length as usize));
        let listing = Listing::read(listing).map_err(Error::from)?;
        let recipes = Recipes::read(recipes).map_err(Error::from)?;
        let contents = Contents::of(&listing, bytes.len() as u64, self.unit(), &recipes);
        match contents.filter(|contents| contents.length == self.index.length()) {
            Some(contents) => {
                Ok(Opened { listing, bytes: bytes.into(), recipes: recipes.into(), contents, work, index })
            }
            None => Err(Error::WrongListing.into()),
        }
    }

    /// The file of this entry as it was published, if it was.
    pub(crate) fn file(&self, opened: &Opened, entry: usize) -> Option<Result<Box<dyn Source>, SourceError>> {
        match self.source {
            TreeSource::Payload { files: Some(tree), options, .. } => {
                let path = &opened.listing.entries()[entry].path;
                Some(source::of_file(source::Published { tree, options }, path))
            }
            _ => None,
        }
    }

    /// What gives the contents of files.
    pub(crate) fn contents<'b>(&'b self, opened: &'b Opened) -> Result<Box<dyn Source + 'b>, UpdateError> {
        match self.source {
            TreeSource::Payload { source, .. } | TreeSource::Flat { source, .. } => Ok(Box::new(source)),
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
