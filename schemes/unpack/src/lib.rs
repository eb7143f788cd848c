//! Packed files (zip, jar, wheel, gz, tar.gz), published and updated by what is in them.
//!
//! The flat target of a packed file is the file *opened*: its bytes, but what is in each stream of
//! deflate in the place of the stream. Its index is like any other, with a section that has the recipe
//! by which the file is closed again, and a payload of what is in it. A client opens its old version
//! the same way, brings the target about, and closes that: what comes out is the published file, bit
//! by bit, or nothing.
//!
//! ```
//! use gosync_blocksources::{FileSource, SourceOptions};
//! use gosync_packed::Encoder;
//! use gosync_publish::BuildOptions;
//! use gosync_unpack::{PackedInfo, PackedTarget, Unpack, build_file};
//! use gosync_update::{FileOptions, Seeds, Update};
//! use std::io::Read;
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name: &str| directory.path().join(name);
//! /// A gzip file with this in it.
//! fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
//!     let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
//!     Encoder::zlib(6).deflate(text.as_bytes()).read_to_end(&mut packed)?;
//!     // No reader of this example looks at the sum and the length.
//!     packed.extend([0; 8]);
//!     Ok(packed)
//! }
//!
//! # std::fs::write(at("old.gz"), gzip(&"One fish, two fish. ".repeat(1000))?)?;
//! # std::fs::write(at("new.gz"), gzip(&("Red fish, ".to_owned() + &"One fish, two fish. ".repeat(1000)))?)?;
//! // The publisher:
//! let payload = at("new.gz.gosync-payload");
//! let (options, sources) = (BuildOptions::default(), SourceOptions::default());
//! let made = build_file(&at("new.gz"), &payload.clone().into(), Unpack::IfItCan, &options, &sources, &())?;
//! let index = made.expect("a gzip file can be opened").index;
//!
//! // The user:
//! let (info, _) = PackedInfo::of(&index)?.expect("it is the index of a packed file");
//! let target = PackedTarget::new(&index, &info);
//! let seeds = Seeds::open([at("old.gz")], &target, &())?;
//! let source = FileSource::open(&payload)?;
//! let update = Update { target: &target, seeds: &seeds, source: &source, progress: &() };
//! let report = update.to_file(&at("old.gz"), &FileOptions::default())?;
//! assert_eq!(std::fs::read(at("old.gz"))?, std::fs::read(at("new.gz"))?);
//! assert!(report.report.fetched < 2000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! FORMAT.md, in the repository's root, specifies the section and the recipe.
//!
//! # Encoders that are not known
//!
//! A recipe may name encoders that a client does not have, or that make other bytes there.
//! [`packed_locations`] says where the published file may be. With [`PackedTarget::with_published`] such streams are fetched from it
//! as they are, and the report counts that ([`Finished`](gosync_update::Finished)).
//!
//! # Limitations
//!
//! A packed file is published with a payload of what is in it, which no client can do without. What is
//! packed otherwise than with deflate is not opened. `gosync-tree` opens packed files in directories.

mod as_published;
mod build;
mod error;
mod section;
mod target;

pub use as_published::packed_locations;
pub use build::{Made, PackedBuild, Unpack, build_file};
pub use error::SectionError;
pub use section::{PackedInfo, SECTION};
pub use target::PackedTarget;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
