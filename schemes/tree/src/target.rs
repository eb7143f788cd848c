//! A part of the flat target of a tree, each piece of which has a hash of its own.

use std::path::Path;

use gosync_chunks::{BlockRange, ByteRange, FileHash, Progress, ReadAt, Source};
use gosync_files::{LocalFile, ReadBuffer};
use gosync_layers::format::LayeredIndex;
use gosync_patcher::TargetId;
use gosync_payloads::Rebuilt;
use gosync_update::{Check, Comparison, Download, Error as UpdateError, LayeredTarget, Target, Verified, Whole};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::error::Error;

/// A piece, and what is known of it.
pub(crate) struct Known {
    pub(crate) range: ByteRange,
    pub(crate) hash: FileHash,
    /// The file whose contents it is; none where it is the listing.
    pub(crate) path: Option<String>,
}

/// The pieces that are wanted.
pub(crate) struct Pieces<'a> {
    layered: LayeredTarget<'a>,
    known: &'a [Known],
}

impl<'a> Pieces<'a> {
    /// Those in the ranges `wanted` of the target of `index`, which are `known`. The rest is
    /// `elsewhere`.
    pub(crate) fn new(
        index: &'a LayeredIndex,
        wanted: &'a [ByteRange],
        known: &'a [Known],
        elsewhere: &'a dyn ReadAt,
    ) -> Self {
        Self { layered: LayeredTarget::part(index, wanted, elsewhere), known }
    }
}

impl Target for Pieces<'_> {
    fn id(&self) -> TargetId {
        self.layered.id()
    }

    fn length(&self) -> u64 {
        self.layered.length()
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, UpdateError> {
        self.layered.compare(seeds, progress)
    }

    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, UpdateError> {
        self.layered.verify(path, data, progress)
    }

    fn own_seeds(&self) -> Vec<&dyn ReadAt> {
        self.layered.own_seeds()
    }

    fn elsewhere(&self) -> Option<&dyn ReadAt> {
        self.layered.elsewhere()
    }

    fn decoded<'b>(
        &'b self,
        found: &'b Comparison,
        published: &'b dyn Source,
        rebuilt: Option<&'b Rebuilt<'b>>,
    ) -> Box<dyn Source + 'b> {
        self.layered.decoded(found, published, rebuilt)
    }

    fn reads_rebuilt(&self) -> bool {
        self.layered.reads_rebuilt()
    }

    fn download(&self, found: &Comparison, published: &dyn Source) -> Result<Download, UpdateError> {
        self.layered.download(found, published)
    }

    /// What is wrong though its blocks are right is fetched again, once.
    fn check(&self, whole: &Whole<'_>) -> Result<Check, UpdateError> {
        let wrong: Result<Vec<Option<&Known>>, UpdateError> = self
            .known
            .par_iter()
            .map(|known| {
                let hash = hash_of(whole.data, known.range, whole.progress)?;
                Ok(Some(known).filter(|known| known.hash != hash))
            })
            .collect();
        let wrong: Vec<&Known> = wrong?.into_iter().flatten().collect();
        match wrong.first() {
            None => Ok(Check::Right),
            Some(Known { path: Some(path), .. }) if whole.round > 0 => {
                Err(Error::WrongContent { path: path.clone() }.into())
            }
            Some(Known { path: None, .. }) if whole.round > 0 => Err(Error::WrongListing.into()),
            Some(_) => {
                let cut = whole.plan.cut();
                let mut blocks: Vec<BlockRange> = Vec::new();
                for next in wrong.iter().map(|known| cut.covering(known.range)) {
                    match blocks.last_mut() {
                        Some(last) if last.end >= next.start => last.end = next.end.max(last.end),
                        _ => blocks.push(next),
                    }
                }
                Ok(Check::Wrong(blocks))
            }
        }
    }
}

/// The BLAKE3 of a piece of `data`.
fn hash_of(data: &LocalFile, range: ByteRange, progress: &dyn Progress) -> Result<FileHash, UpdateError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = ReadBuffer::default();
    let mut at = range.start;
    while at < range.end {
        progress.check()?;
        let end = range.end.min(at + (1 << 20));
        let read = buffer.read(data, ByteRange { start: at, end }).map_err(Error::read(data.path()))?;
        hasher.update_rayon(read);
        at = end;
    }
    Ok(FileHash(*hasher.finalize().as_bytes()))
}
