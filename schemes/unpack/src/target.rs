//! The target of an index of a packed file.

use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use gosync_chunks::{ErrorKind, FileHash, Progress, ReadAt, Source, Transfer};
use gosync_files::LocalFile;
use gosync_layers::format::{Damage, LayeredIndex};
use gosync_packed::{Close, CloseError, FetchError, OpenError, Options, fetch_unknown, look_into};
use gosync_patcher::{TargetId, verify_whole};
use gosync_payloads::Rebuilt;
use gosync_update::{
    Check, Comparison, Download, Error, Finish, LayeredTarget, Seed, StreamCheck, Target, Verified, Whole,
};

use crate::error::FinishError;
use crate::section::PackedInfo;

/// More than so many times the length of a target hardly any seed has that is of use.
const MOST_TIMES: u64 = 8;

/// But it may have so many bytes in any case.
const LEAST: u64 = 64 << 20;

/// What is in a packed file, which is closed when all of it is there. Seeds that are packed are
/// opened.
pub struct PackedTarget<'a> {
    flat: Box<dyn Target + 'a>,
    info: &'a PackedInfo,
    published: Option<&'a dyn Source>,
}

impl<'a> PackedTarget<'a> {
    /// The target of `index`, which says `info` of it.
    pub fn new(index: &'a LayeredIndex, info: &'a PackedInfo) -> Self {
        Self { flat: Box::new(LayeredTarget::new(index)), info, published: None }
    }

    /// The same, where `published` is the packed file: streams of encoders that are not known here are
    /// fetched from it, and nothing where all are known.
    #[must_use]
    pub fn with_published(self, published: Option<&'a dyn Source>) -> Self {
        Self { published, ..self }
    }
}

impl Target for PackedTarget<'_> {
    fn id(&self) -> TargetId {
        self.flat.id()
    }

    fn length(&self) -> u64 {
        self.flat.length()
    }

    fn file_hash(&self) -> Option<FileHash> {
        self.flat.file_hash()
    }

    fn modified(&self) -> Option<SystemTime> {
        self.flat.modified()
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error> {
        self.flat.compare(seeds, progress)
    }

    fn compare_for(
        &self,
        published: &dyn Source,
        seeds: &[&dyn ReadAt],
        progress: &dyn Progress,
    ) -> Result<Comparison, Error> {
        self.flat.compare_for(published, seeds, progress)
    }

    /// What is in the file, where it is packed.
    fn seed(&self, file: LocalFile, progress: &dyn Progress) -> Result<Seed, Error> {
        let path = file.path().to_owned();
        let opened = LEAST.max(self.flat.length().saturating_mul(MOST_TIMES));
        let flat =
            look_into(file, &Options { opened, ..Options::default() }, progress).map_err(|error| match error {
                OpenError::Cancelled(cancelled) => cancelled.into(),
                OpenError::Io(source) => Error::Read { path: path.clone(), source },
                error => Error::target(ErrorKind::Other, error),
            })?;
        Ok(match flat.is_opened() {
            true => Seed::opened(&path, flat, None),
            false => Seed::plain(flat.into_packed()),
        })
    }

    fn own_seeds(&self) -> Vec<&dyn ReadAt> {
        self.flat.own_seeds()
    }

    fn elsewhere(&self) -> Option<&dyn ReadAt> {
        self.flat.elsewhere()
    }

    fn decoded<'b>(
        &'b self,
        found: &'b Comparison,
        published: &'b dyn Source,
        rebuilt: Option<&'b Rebuilt<'b>>,
    ) -> Box<dyn Source + 'b> {
        self.flat.decoded(found, published, rebuilt)
    }

    fn reads_rebuilt(&self) -> bool {
        self.flat.reads_rebuilt()
    }

    fn download(&self, found: &Comparison, published: &dyn Source) -> Result<Download, Error> {
        self.flat.download(found, published)
    }

    fn check(&self, whole: &Whole<'_>) -> Result<Check, Error> {
        self.flat.check(whole)
    }

    fn stream_check(&self) -> Option<Box<dyn StreamCheck + '_>> {
        self.flat.stream_check()
    }

    fn finish(&self) -> Option<&dyn Finish> {
        Some(self)
    }

    fn around_damage(&self) -> Option<(Damage, Box<dyn Target + '_>)> {
        let (damage, flat) = self.flat.around_damage()?;
        Some((damage, Box::new(PackedTarget { flat, ..*self })))
    }

    /// Only the hash of the packed file is asked: nobody is told where it is wrong.
    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, Error> {
        let verdict = verify_whole(data, self.info.recipe.packed_len(), self.info.file_hash, progress);
        Ok(verdict.map_err(|error| Error::of_verify(path, error))?.into())
    }
}

impl Finish for PackedTarget<'_> {
    fn length(&self) -> u64 {
        self.info.recipe.packed_len()
    }

    fn file_hash(&self) -> FileHash {
        self.info.file_hash
    }

    fn write(
        &self,
        target: &dyn ReadAt,
        out: &mut (dyn Write + Send),
        progress: &dyn Progress,
    ) -> Result<Transfer, Error> {
        let recipe = &self.info.recipe;
        let unknown = recipe.unknown().count();
        let fetched = match (unknown, self.published) {
            (0, _) => None,
            (_, Some(published)) => Some(fetch_unknown(recipe, published).map_err(of_fetching)?),
            (streams, None) => return Err(Error::target(ErrorKind::Other, FinishError::Unknown { streams })),
        };
        let packed = fetched.as_ref().map(|(packed, _)| packed as &dyn ReadAt);
        let close = Close { recipe, opened: target, packed, progress };
        close.write(out).map_err(|error| match error {
            CloseError::Cancelled(cancelled) => cancelled.into(),
            CloseError::Io(source) => Error::Write { path: "the packed file".into(), source },
            error => Error::target(ErrorKind::Corrupt, FinishError::Close(error)),
        })?;
        Ok(fetched.map(|(_, transfer)| transfer).unwrap_or_default())
    }
}

fn of_fetching(error: FetchError) -> Error {
    match error {
        FetchError::Source(source) => source.into(),
        FetchError::Io(source) => Error::Write { path: "a temporary file".into(), source },
        error => Error::target(ErrorKind::Other, error),
    }
}
