//! zsync's control files: reading, making, and fetching what they describe.
//!
//! zsync publishes a file with a *control file* beside it, whose name ends in `.zsync`: the
//! sums of its blocks, and where it is. A client that holds an old version finds the blocks that
//! are there already and fetches the others by range. AppImages, Linux images and OPSI's
//! packages are published so. This crate reads and makes the control files of zsync 0.6 to
//! 0.8 and of zsync2, and fetches through them with gosync's search and sources.
//!
//! ```
//! use gosync_blocksources::SourceOptions;
//! use gosync_update::{FileOptions, Seeds, Update};
//! use gosync_zsync::{ControlTarget, MakeOptions, Places, ReadOptions};
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name| directory.path().join(name);
//! # std::fs::write(at("new.txt"), "One fish, two fish, red fish, blue fish.".repeat(100))?;
//! # std::fs::write(at("old.txt"), "One fish, two fish, red fish.".repeat(100))?;
//! // The publisher:
//! let control = gosync_zsync::make(&at("new.txt"), &MakeOptions::default(), &())?;
//! std::fs::write(at("new.txt.zsync"), control.write()?)?;
//!
//! // The user, whose control file may just as well be at a URL:
//! let options = SourceOptions::default();
//! let opened = gosync_zsync::open_control(&at("new.txt.zsync").into(), &ReadOptions::default(), &options)?;
//! let places = Places::open(&opened, None, &options)?;
//! let target = ControlTarget::at(&opened.control, &places);
//! let seeds = Seeds::open([at("old.txt")], &target, &())?;
//! let update = Update { target: &target, seeds: &seeds, source: places.plain(), progress: &() };
//! let report = update.to_file(&at("old.txt"), &FileOptions::default())?;
//!
//! assert_eq!(std::fs::read(at("old.txt"))?, std::fs::read(at("new.txt"))?);
//! assert_eq!(report.matched_bytes() + report.report.fetched, report.output_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it searches
//!
//! Control files keep few bytes of each sum: in a small file a single weak sum fits nearly
//! nowhere by chance, in a large one nearly everywhere. There, pairs of blocks are looked
//! for first, which is what the file's maker reckoned with; runs are followed to their
//! ends. Blocks that are left alone then are looked for where little else is left, or else
//! where their neighbours let expect them. zsync itself does not find these.
//!
//! # Targets in gzip files
//!
//! A control file can map a gzip file of its target. Then those pieces of it are fetched that
//! have what is missing ([`ControlTarget`]). The whole gzip file, and the target as it is, are
//! fetched where that takes fewer bytes, or the pieces are no good. Seeds that are gzip files
//! are unpacked.
//!
//! # What is verified
//!
//! Every block by its strong sum, whose few bytes let a wrong one pass now and then, and
//! the whole by every hash that the control file gives. Where that does not hold, what was
//! copied on the weakest evidence is fetched, then all that was copied, and then
//! everything from the next place that has it.
//!
//! # Features
//!
//! - `http`, on by default: control files and targets behind `http` and `https` URLs.
//!
//! # Limitations
//!
//! MD4 and SHA-1 are broken: an attacker who can choose the target's bytes can make another
//! target for the same control file. A control file is as good as the place that it came from.

mod control;
mod date;
mod error;
mod file_digest;
mod hash_lengths;
mod make;
mod matching;
mod names;
mod open;
mod places;
mod recompress;
mod seed;
mod sums;
mod target;

pub use control::{Control, ControlError, ReadOptions, UnwritableError};
pub use error::{Error, WholeError};
pub use file_digest::FileDigest;
pub use gosync_payloads::gzip::BlockMap;
pub use hash_lengths::HashLengths;
pub use make::{MakeOptions, make, make_compressed, make_of_stream};
pub use names::LocalName;
pub use open::{
    OpenedControl, open_control, open_control_kept, open_control_since, packed_locations, source_locations,
};
pub use places::Places;
pub use recompress::Recompress;
pub use seed::is_gzip;
pub use sums::StrongKind;
pub use target::ControlTarget;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
