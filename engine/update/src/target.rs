//! What an update brings about, as a scheme sees it.

use std::error::Error as StdError;
use std::path::Path;
use std::time::SystemTime;

use gosync_blocksources::Location;
use gosync_chunks::{BlockRange, ByteRange, FileHash, Plan, Progress, ReadAt, Source};
use gosync_files::LocalFile;
use gosync_layers::format::Damage;
use gosync_patcher::{PatchError, Report, TargetId, Verdict};
use gosync_payloads::Rebuilt;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::finish::Finish;
use crate::seed::Seed;

/// Flat bytes that an [`Update`](crate::Update) can bring about: the seam between the one flow
/// and all schemes.
///
/// Four methods are required. The others are for targets that are published otherwise than as
/// they are, or that know more of themselves than the sums of their blocks.
pub trait Target: Send + Sync {
    /// What an interrupted run is known by: the same for the same bytes, cut in whatever way.
    fn id(&self) -> TargetId;

    /// Length in bytes.
    fn length(&self) -> u64;

    /// Finds out what of the target `seeds` have, on all threads of the current rayon pool, and
    /// plans how to get the rest.
    ///
    /// # Errors
    ///
    /// When its sums cannot be read, there are too many seeds, or `progress` cancels. Seeds
    /// that cannot be read are no error: they are reported in the result.
    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error>;

    /// The same, and makes sure that `published` is what was published of it before it reads much of
    /// what describes it.
    ///
    /// # Errors
    ///
    /// As [`compare`](Self::compare), and when `published` is something else.
    fn compare_for(
        &self,
        published: &dyn Source,
        seeds: &[&dyn ReadAt],
        progress: &dyn Progress,
    ) -> Result<Comparison, Error> {
        let _ = published;
        self.compare(seeds, progress)
    }

    /// Checks whether `data`, which is at `path`, is the target, and where it is not.
    ///
    /// # Errors
    ///
    /// When it or the sums cannot be read, or `progress` cancels.
    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, Error>;

    /// The BLAKE3 of the whole, where it is known. It is compared while the target is written.
    fn file_hash(&self) -> Option<FileHash> {
        None
    }

    /// When the target was last changed, where what describes it tells that: what is made is dated so,
    /// and else as its source says.
    fn modified(&self) -> Option<SystemTime> {
        None
    }

    /// What this target sees of a seed: what is in it, say, where it is packed.
    ///
    /// # Errors
    ///
    /// When it cannot be read at all, or `progress` cancels.
    fn seed(&self, file: LocalFile, progress: &dyn Progress) -> Result<Seed, Error> {
        let _ = progress;
        Ok(Seed::plain(file))
    }

    /// Seeds that the plans of [`compare`](Self::compare) copy from after those given.
    fn own_seeds(&self) -> Vec<&dyn ReadAt> {
        Vec::new()
    }

    /// What has the bytes that the plans of [`compare`](Self::compare) leave out, at the target's
    /// places. A target whose plans leave something out has no [hash](Self::file_hash).
    fn elsewhere(&self) -> Option<&dyn ReadAt> {
        None
    }

    /// The source of the target's bytes, where `published` is what was put on a server. Where
    /// it is decoded with what stands before it in the target, that is in `rebuilt`.
    fn decoded<'a>(
        &'a self,
        found: &'a Comparison,
        published: &'a dyn Source,
        rebuilt: Option<&'a Rebuilt<'a>>,
    ) -> Box<dyn Source + 'a> {
        let _ = (found, rebuilt);
        Box::new(published)
    }

    /// Whether decoding is best done with what is rebuilt, so that the target is made in a file
    /// even where a stream is wanted.
    fn reads_rebuilt(&self) -> bool {
        false
    }

    /// What carrying out the plan of `found` will fetch, so that it can be foretold.
    ///
    /// # Errors
    ///
    /// When that cannot be told.
    fn download(&self, found: &Comparison, published: &dyn Source) -> Result<Download, Error> {
        let _ = published;
        Ok(Download { location: None, calls: vec![found.plan.fetch_ranges()], length: self.length() })
    }

    /// Checks the whole, every block of which has its sum, and says what to fetch again. It is
    /// asked round after round, until all is right or it fails.
    ///
    /// # Errors
    ///
    /// When it is wrong and fetching cannot help, it cannot be read, or `progress` cancels.
    fn check(&self, whole: &Whole<'_>) -> Result<Check, Error> {
        match (self.file_hash(), whole.wrong_hash) {
            (Some(expected), Some(actual)) => {
                Err(PatchError::FileHash { expected, actual, report: Box::new(*whole.report) }.into())
            }
            _ => Ok(Check::Right),
        }
    }

    /// How the target becomes what is wanted, where that is not its bytes. A file is then made of it, is
    /// compared with the hash of what is wanted, and takes its name; and [`verify`](Self::verify) is
    /// about such files.
    fn finish(&self) -> Option<&dyn Finish> {
        None
    }

    /// What takes every byte of a target that is written as a stream, to check the whole.
    fn stream_check(&self) -> Option<Box<dyn StreamCheck + '_>> {
        None
    }

    /// Whether an update failed because what describes this target is damaged, and what is as
    /// good without the damaged part: a part of an index, say, that only saves bytes.
    fn around_damage(&self) -> Option<(Damage, Box<dyn Target + '_>)> {
        None
    }
}

/// A target that was made in a file, before it takes its place.
pub struct Whole<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Its bytes.
    pub data: &'a LocalFile,
    /// How it was made.
    pub plan: &'a Plan,
    /// What making it took so far.
    pub report: &'a Report,
    /// The hash that it has instead of [`Target::file_hash`], if that was found out already.
    pub wrong_hash: Option<FileHash>,
    /// How often something was fetched again since it was made.
    pub round: usize,
    /// What its bytes are fetched from.
    pub source: &'a dyn Source,
    /// What was published.
    pub published: &'a dyn Source,
    /// Asked whether to stop.
    pub progress: &'a dyn Progress,
}

/// What came of checking a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is the target.
    Right,
    /// These blocks, which ascend, are to be fetched again.
    Wrong(Vec<BlockRange>),
}

/// Takes a target byte by byte.
pub trait StreamCheck {
    /// What comes next.
    fn update(&mut self, bytes: &[u8]);

    /// That this was all.
    ///
    /// # Errors
    ///
    /// When it was not the target.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// What came of verifying a file.
#[derive(Debug)]
pub struct Verified {
    /// What blocks and the hash of the whole say.
    pub verdict: Verdict,
    /// Another hash of the whole that does not hold, where the blocks do.
    pub wrong_whole: Option<Box<dyn StdError + Send + Sync>>,
}

impl Verified {
    /// Whether it is the target.
    pub fn is_good(&self) -> bool {
        self.verdict.is_good() && self.wrong_whole.is_none()
    }
}

impl From<Verdict> for Verified {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, wrong_whole: None }
    }
}

/// What will be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Where from, if from elsewhere than what was said to be the source.
    pub location: Option<Location>,
    /// What of it, call by call.
    pub calls: Vec<Vec<ByteRange>>,
    /// How long it is in bytes.
    pub length: u64,
}
