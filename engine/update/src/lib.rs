//! The client's side, in one flow for all schemes: open, compare, patch, verify, repair.
//!
//! A [`Target`] is what a scheme knows of some flat bytes. [`Update`] brings it about from
//! [`Seeds`] and a source: as a file, with what an interrupted run left gone on with, or as a
//! stream. [`Beginning`] opens what was published, and reads its first bytes once.
//!
//! ```
//! use gosync_layers::format::{LayeredIndex, ReadOptions};
//! use gosync_publish::{BuildOptions, build_file};
//! use gosync_testkit::source::MemorySource;
//! use gosync_update::{FileOptions, LayeredTarget, Seeds, Update};
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name| directory.path().join(name);
//! let new = "One fish, two fish, red fish, blue fish.".repeat(100);
//! std::fs::write(at("new.txt"), &new)?;
//! std::fs::write(at("old.txt"), "One fish, two fish, red fish.".repeat(100))?;
//! let index = build_file(&at("new.txt"), &BuildOptions::default(), &(), |build| build.index(None))?;
//!
//! let target = LayeredTarget::new(&index);
//! let seeds = Seeds::open([at("old.txt")], &target, &())?;
//! let source = MemorySource::new(new.clone().into_bytes());
//! let update = Update { target: &target, seeds: &seeds, source: &source, progress: &() };
//! let report = update.to_file(&at("old.txt"), &FileOptions::default())?;
//! assert_eq!(std::fs::read_to_string(at("old.txt"))?, new);
//! assert_eq!(report.matched_bytes() + report.report.fetched, report.output_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `http`: [`estimate`] foretells the time that a server of `http` or `https` will take.
//!
//! # Limitations
//!
//! One target at a time, with room for the old and the new version.

mod beginning;
mod comparison;
mod error;
mod estimate;
mod finish;
mod flat;
mod layered;
mod seed;
mod seeds;
mod target;
mod update;

pub use beginning::{Beginning, Parts};
pub use comparison::Comparison;
pub use error::{Error, TargetError};
pub use estimate::{Estimate, estimate};
pub use finish::{Finish, Finished};
pub use flat::FlatTarget;
pub use gosync_blocksources::Document;
pub use gosync_files::Note;
pub use gosync_layers::format::Extent;
pub use layered::LayeredTarget;
pub use seed::Seed;
pub use seeds::Seeds;
pub use target::{Check, Download, StreamCheck, Target, Verified, Whole};
pub use update::{FileOptions, Update, UpdateReport, compare, is_made, verify};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
