//! Carries out a plan: copies what the seeds have, fetches the rest, verifies all of it,
//! and puts the result in place at once or not at all.
//!
//! A [`Plan`] tells, for every block of a target, whether it is copied from a seed,
//! fetched from a source, or equal to a block that is fetched. [`Patch`] does that, into
//! a [`StagedFile`] from many threads or into any stream in order. A block that was
//! fetched is written once its strong sum holds, and only then; a file takes its name
//! once the whole of it is verified, and only then. A source that lies, a seed that
//! changes under way, a full disk or a kill leave the old file as it was.
//!
//! ```
//! use gosync_chunks::*;
//! use gosync_patcher::{Patch, StagedFile};
//! # use gosync_sums::{FileHasher, Md5};
//! # use std::sync::Arc;
//!
//! /// Whatever holds the target can be a source.
//! struct Memory(&'static [u8]);
//! impl Source for Memory {
//!     fn size(&self) -> Result<Option<u64>, SourceError> {
//!         Ok(Some(self.0.len() as u64))
//!     }
//!     fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
//!         let mut transfer = Transfer::default();
//!         for range in ranges {
//!             let bytes = &self.0[range.start as usize..range.end as usize];
//!             sink.deliver(range.start, bytes).map_err(SourceError::Sink)?;
//!             transfer += Transfer { bytes: range.len(), requests: 1 };
//!         }
//!         Ok(transfer)
//!     }
//!     fn limits(&self) -> Limits {
//!         Limits { request_size: 1 << 20, bridged_gap: 0, parallelism: 1 }
//!     }
//!     fn reject(&self, _: &[ByteRange]) -> bool {
//!         false // There is no other place to have them from.
//!     }
//!     fn reads_rebuilt(&self) -> bool {
//!         false
//!     }
//! }
//!
//! let seed = b"the quick brown fox".to_vec();
//! let target = b"the slow, brown fox";
//! # let mut strong = vec![0; 5 * Md5::FULL_LEN];
//! # Md5::full().sum_blocks(target, 4, &mut strong);
//! # let sums = BlockSums::new(BlockLayout::new(19, 4)?, strong, Arc::new(Md5::full()))?;
//! // Blocks of 4 bytes: the first and the last two are in the seed.
//! let mut plan = Plan::new(sums.cut().clone());
//! plan.copy(BlockId(0), SeedId(0), 0);
//! plan.fetch(BlockId(1));
//! plan.fetch(BlockId(2));
//! plan.copy(BlockId(3), SeedId(0), 12);
//! plan.copy(BlockId(4), SeedId(0), 16);
//!
//! let patch = Patch {
//!     plan: &plan,
//!     sums: &sums,
//!     file_hash: Some(FileHasher::hash(target)),
//!     seeds: &[&seed],
//!     source: &Memory(target),
//!     progress: &(),
//! };
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("fox");
//! let mut output = StagedFile::create(&path)?;
//! let report = patch.write_to_file(&mut output)?;
//! output.commit()?;
//! assert_eq!(std::fs::read(&path)?, target);
//! assert_eq!((report.copied, report.fetched, report.transfer.requests), (11, 8, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is interrupted
//!
//! [`StagedFile::resume`] goes on where a run for the same target ended, be it by an
//! error, a kill or a power failure. Beside the staged file is a journal of 64 bytes that
//! names the target; which blocks have arrived the staged file shows itself, when
//! everything in it that is no hole is summed once. Blocks that are right stay where they
//! are, and neither seeds nor source are asked for them. Nothing is synced before the end:
//! a power failure costs what the system had not yet written back, on Linux
//! what came in the last half a minute or so.
//!
//! # Many files
//!
//! A caller that puts many files in place stages each with [`StagedFile::create_at`], makes all
//! of them [complete](StagedFile::complete), writes down in a journal of its own which is to go
//! where, and puts them [in place](CompleteFile::put_in_place) in order. After a kill it opens
//! what its journal names with [`StagedFile::resume_at`], and goes on.
//!
//! # Threads
//!
//! Copies, repeats and the verification run on the rayon pool that the caller is in. The
//! source runs on one thread of its own, and may deliver from as many more as it makes.
//!
//! # Limitations
//!
//! - A file needs room for the old and the new version at once; nothing is patched in place.
//! - Extents are shared on Linux (btrfs, XFS and others) and Windows (ReFS), where seed
//!   and target are offset by whole clusters. Holes are found on Linux and FreeBSD.
//! - Access control lists and extended attributes of a replaced file are kept on Linux only.
//! - On Windows a file has no holes, and one that another program keeps open without sharing it
//!   is not replaced: [`StageError::InUse`].
//! - The mode of a new file follows the umask on Linux; elsewhere on Unix it is 0644.

mod carry_out;
mod check;
mod error;
mod groups;
mod halt;
mod patch;
mod place;
mod through;

#[cfg(doc)]
use gosync_chunks::Plan;

pub use check::verify::{Verdict, VerifyError, verify, verify_whole, wrong_blocks};
pub use error::PatchError;
pub use patch::{Patch, Report};
pub use place::complete::CompleteFile;
pub use place::error::StageError;
pub use place::journal::TargetId;
pub use place::names::hidden_path;
pub use place::staged::StagedFile;
pub use through::through_file;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
