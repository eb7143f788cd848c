//! The publisher's side: a flat target becomes an index and a payload, where clients find them.
//!
//! [`Build`] makes an index of any bytes that can be read at any place; [`build_file`] makes that
//! of a file. [`Destination`] is where things go: a file or an object in a store, which takes its
//! name only when all of it is written.
//!
//! ```
//! use gosync_blocksources::SourceOptions;
//! use gosync_publish::{BuildOptions, Destination, build_file};
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name| directory.path().join(name);
//! std::fs::write(at("new.txt"), "One fish, two fish, red fish, blue fish.".repeat(100))?;
//! let index = build_file(&at("new.txt"), &BuildOptions::default(), &(), |build| build.index(None))?;
//! let location = at("new.txt.gosync").into();
//! Destination::new(&location, &SourceOptions::default()).put(|out| index.write(out))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Parts
//!
//! What one machine is too slow for can be shared out: [`publish_part`] makes the index of a
//! part of a target, wherever that can be read, and [`merge_files`] makes one index of all parts,
//! with the bytes that one build would have made.
//!
//! # Features
//!
//! - `object-store`: writes to `s3`, `gs` and `az` URLs.
//! - `ssh`: publishes to directories behind `ssh` URLs.
//!
//! # Limitations
//!
//! A target that changes while its index is made gives an index of neither state; of files this
//! is noticed by length and date.

mod build;
mod content;
mod destination;
mod error;
mod file;
mod folder;
mod folders;
mod merge;
mod options;

pub use build::{Build, PayloadOut};
pub use content::{CONTENT_SUFFIX, HASH_LEN, beside_payload};
pub use destination::{Destination, keep_apart};
pub use error::Error;
pub use file::{build_file, read_unchanged};
pub use folder::{Caching, Folder, Held, WriteFile, within};
pub use folders::open_folder;
pub use gosync_files::Note;
pub use merge::{PAYLOAD_SUFFIX, merge_files, publish_part};
pub use options::BuildOptions;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
