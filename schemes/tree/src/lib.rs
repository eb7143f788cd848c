//! Directories: a listing and the contents of its files, published and brought up to date.
//!
//! The flat target of a directory is its *listing*, and then the contents of its distinct files.
//! Its index is like any other, with a section that says so. A client gets the listing first, for
//! which its own listing is the seed; what whole files have is copied, and the rest is looked for
//! in all files, or fetched.
//!
//! ```
//! use gosync_blocksources::{FileSource, Location, SourceOptions};
//! use gosync_publish::{BuildOptions, PayloadOut};
//! use gosync_tree::{TreeBuild, TreeBuildOptions, TreeInfo, TreeOptions, TreeSource, TreeUpdate};
//! # use gosync_chunks::TargetName;
//! # use std::fs;
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name: &str| directory.path().join(name);
//! # fs::create_dir_all(at("new/docs"))?;
//! # fs::create_dir(at("old"))?;
//! # fs::write(at("new/docs/fish.txt"), "One fish, two fish, red fish, blue fish.".repeat(100))?;
//! # fs::write(at("old/fish.txt"), "One fish, two fish, red fish.".repeat(100))?;
//! // The publisher:
//! let build = TreeBuild::scan(&at("new"), &TreeBuildOptions::default(), &())?;
//! let mut payload = fs::File::create(at("new.gosync-payload"))?;
//! let out = PayloadOut { name: TargetName::new("new.gosync-payload")?, out: &mut payload };
//! let index = build.index(None, &BuildOptions { compress: Some(3), ..Default::default() }, Some(out), &())?;
//!
//! // The user:
//! let info = TreeInfo::of(&index)?.expect("it is the index of a directory");
//! let location = Location::Path(at("new.gosync-payload"));
//! let source = &FileSource::open(&at("new.gosync-payload"))?;
//! let source = TreeSource::Payload { source, location: &location, files: None, options: &SourceOptions::default() };
//! let options = TreeOptions { delete: true, ..Default::default() };
//! let update = TreeUpdate { index: &index, info: &info, source, seeds: &[], options, progress: &() };
//! let report = update.to_directory(&at("old"))?;
//! assert_eq!((report.counts.added, report.counts.removed), (1, 1));
//! assert_eq!(fs::read(at("old/docs/fish.txt"))?, fs::read(at("new/docs/fish.txt"))?);
//! assert!(update.verify(&at("old"))?.is_good());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! FORMAT.md, in the repository's root, specifies the listing and the section.
//!
//! # Packed files
//!
//! [`TreeBuild::unpack`] opens packed files (zip, jar, wheel, gz, tar.gz): the flat target has what is in
//! them, and recipes by which clients close them again, bit by bit. Clients open the packed files that
//! they have to compare them.
//!
//! # Features
//!
//! - `http`, on by default: trees behind `http` and `https` URLs.
//!
//! # Limitations
//!
//! Set-id bits, devices, sockets and pipes are not part of a listing. Owners and extended attributes
//! are on request; attributes on Linux only, and those of links not at all.

mod build;
mod changes;
mod codec;
mod contents;
mod error;
mod excludes;
mod extra;
mod flat;
mod journal;
mod listing;
mod members;
mod names;
mod packed;
mod platform;
mod published;
mod root;
mod scan;
mod section;
mod source;
mod stage;
mod step;
mod target;
mod unfinished;
mod update;
mod verify;
mod wanted;
mod wishes;
mod work;

pub use build::{LISTING_SUFFIX, MANY_FILES, TreeBuild, TreeBuildOptions};
pub use changes::{Change, FileCounts, PathChange};
pub use error::Error;
pub use excludes::IGNORE_FILE;
pub use extra::Unset;
pub use journal::Kept;
pub use listing::Listing;
pub use listing::entry::{Attributes, Content, Entry, Kind, Time};
pub use listing::error::ListingError;
pub use listing::extras::{Owner, Principal, Xattrs};
pub use listing::path::{WORK, shown};
pub use members::Members;
pub use packed::close::ClosedFiles;
pub use published::TreeSource;
pub use section::{FIRST_BYTES, PackedFiles, SECTION, TreeInfo};
pub use unfinished::has_unfinished;
pub use update::{TreeForecast, TreeOptions, TreeReport, TreeUpdate};
pub use verify::Differences;
pub use work::{keep_seen, read_seen};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
