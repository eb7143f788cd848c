//! The target of a layered index.

use std::path::Path;

use gosync_chunks::{BlockRange, ByteRange, ErrorKind, FileHash, Progress, ReadAt, Source, SourceError};
use gosync_layers::descent::{DescentOptions, Finder, Zeros, descend, locate, nodes, wrong_subtrees};
use gosync_layers::format::{Damage, LayeredIndex};
use gosync_patcher::{PatchError, TargetId};
use gosync_payloads::Rebuilt;
use gosync_payloads::frames::FramedSource;
use gosync_sums::FileHasher;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::target::{Check, Download, Target, Verified, Whole};

/// The flat target that a layered index describes, published as it is or in compressed frames.
#[derive(Clone, Copy)]
pub struct LayeredTarget<'a> {
    index: &'a LayeredIndex,
    /// How many of its layers are used.
    layers: usize,
    zeros: Zeros,
    part: Option<Part<'a>>,
}

/// What is wanted of a target, and where the rest is.
#[derive(Clone, Copy)]
struct Part<'a> {
    wanted: &'a [ByteRange],
    elsewhere: &'a dyn ReadAt,
}

impl<'a> LayeredTarget<'a> {
    /// The target of `index`.
    pub fn new(index: &'a LayeredIndex) -> Self {
        Self { index, layers: index.layers().len(), zeros: Zeros(index.length()), part: None }
    }

    /// Only the ranges `wanted` of the target of `index`, which ascend. `elsewhere` has the rest at
    /// its places, as far as it comes before something that is wanted: a compressed payload is
    /// decoded with it. The target has no hash then, and nothing but the sums of its blocks
    /// tells that they are right: the caller checks what is made of them.
    pub fn part(index: &'a LayeredIndex, wanted: &'a [ByteRange], elsewhere: &'a dyn ReadAt) -> Self {
        Self { part: Some(Part { wanted, elsewhere }), ..Self::new(index) }
    }

    fn descend(
        &self,
        seeds: &[&dyn ReadAt],
        before_more: &dyn Fn() -> Result<(), SourceError>,
        progress: &dyn Progress,
    ) -> Result<Comparison, Error> {
        let seeds = [seeds, &[&self.zeros]].concat();
        let options = DescentOptions { layers: self.layers, wanted: self.part.map(|part| part.wanted) };
        Ok(descend(self.index, &seeds, &options, before_more, progress)?.into())
    }
}

impl Target for LayeredTarget<'_> {
    fn id(&self) -> TargetId {
        TargetId::new(self.index.head())
    }

    fn length(&self) -> u64 {
        self.index.length()
    }

    fn file_hash(&self) -> Option<FileHash> {
        self.part.is_none().then(|| self.index.file_hash())
    }

    fn elsewhere(&self) -> Option<&dyn ReadAt> {
        self.part.map(|part| part.elsewhere)
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error> {
        self.descend(seeds, &|| Ok(()), progress)
    }

    fn compare_for(
        &self,
        published: &dyn Source,
        seeds: &[&dyn ReadAt],
        progress: &dyn Progress,
    ) -> Result<Comparison, Error> {
        let expected = self.index.source_length();
        let is_ours = || match published.size() {
            Ok(Some(actual)) if actual != expected => {
                Err(SourceError::Length { location: "the source".into(), expected, actual })
            }
            Err(error) if error.kind() != ErrorKind::Source => Err(error),
            // It may deliver all the same.
            _ => Ok(()),
        };
        self.descend(seeds, &is_ours, progress)
    }

    fn own_seeds(&self) -> Vec<&dyn ReadAt> {
        vec![&self.zeros]
    }

    fn decoded<'b>(
        &'b self,
        found: &'b Comparison,
        published: &'b dyn Source,
        rebuilt: Option<&'b Rebuilt<'b>>,
    ) -> Box<dyn Source + 'b> {
        let (Some(frames), Some(rebuilt)) = (&found.frames, rebuilt) else { return Box::new(published) };
        let finder = Finder { frames, index: self.index };
        let framed = FramedSource::new(published, frames.extents.clone(), frames.payload.preamble.clone(), rebuilt);
        Box::new(framed.with_finder(finder).with_repeated(rebuilt.repeated()))
    }

    fn reads_rebuilt(&self) -> bool {
        self.index.payload().is_some()
    }

    fn download(&self, found: &Comparison, published: &dyn Source) -> Result<Download, Error> {
        let wanted = found.plan.fetch_ranges();
        let calls = match &found.frames {
            None => vec![wanted],
            Some(frames) => {
                let preamble = frames.payload.preamble.clone();
                FramedSource::new(published, frames.extents.clone(), preamble, &self.zeros).calls(&wanted)?
            }
        };
        Ok(Download { location: None, calls, length: self.index.source_length() })
    }

    /// Block sums are only long enough that a wrong match is improbable, and anyone who can
    /// write a seed can make one. The nodes of the target's hash tell which part is wrong, and
    /// that alone is fetched again.
    fn check(&self, whole: &Whole<'_>) -> Result<Check, Error> {
        if whole.round == 0 && whole.wrong_hash.is_none() {
            return Ok(Check::Right);
        }
        let actual = nodes(whole.data, whole.progress).map_err(|error| Error::of_verify(whole.path, error))?;
        if whole.round > 0 {
            let (expected, actual) = (self.index.file_hash(), FileHasher::new(self.length()).finish(&actual));
            let report = Box::new(*whole.report);
            return match actual == expected {
                true => Ok(Check::Right),
                false => Err(PatchError::FileHash { expected, actual, report }.into()),
            };
        }
        let (expected, _) = self.index.tree()?;
        let mut wrong: Vec<BlockRange> = Vec::new();
        for subtrees in wrong_subtrees(&expected, &actual, self.length()) {
            let blocks = whole.plan.cut().covering(subtrees);
            match wrong.last_mut() {
                Some(last) if last.end >= blocks.start => last.end = blocks.end,
                _ => wrong.push(blocks),
            }
        }
        Ok(Check::Wrong(wrong))
    }

    /// Where blocks cannot be verified at all, it may be a layer of the index that is damaged:
    /// then the layers above it will do.
    fn around_damage(&self) -> Option<(Damage, Box<dyn Target + '_>)> {
        match self.index.damage().ok()?? {
            damage @ Damage::Layer { layer, .. } if (1..self.layers).contains(&layer) => {
                Some((damage, Box::new(Self { layers: layer, ..*self })))
            }
            _ => None,
        }
    }

    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, Error> {
        let verdict = locate(data, self.index, progress).map_err(|error| match error {
            gosync_layers::Error::Verify(error) => Error::of_verify(path, error),
            error => error.into(),
        })?;
        Ok(verdict.into())
    }
}
