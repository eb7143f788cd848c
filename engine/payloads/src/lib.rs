//! Sources that decode: a target out of compressed frames, or out of pieces of a gzip file.
//!
//! Where frames lie an index tells; [`gosync_chunks::frames`] has the words that both share.
//!
//! ```
//! use gosync_chunks::frames::PayloadLayout;
//! use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};
//! use gosync_payloads::frames::{EncodeOptions, FramedSource, Tables, encode};
//! use gosync_testkit::source::{MemorySink, MemorySource};
//!
//! let target = b"the quick brown fox jumps over the lazy dog; ".repeat(100);
//! let all = ByteRange::at(0, target.len() as u64);
//! let layout = PayloadLayout::new(all.len(), 512, 2048)?;
//! let options = EncodeOptions::default();
//! let tables = Tables::train(&target, &layout, options.level)?;
//! let mut payload = Vec::new();
//! let lengths = encode(&target, &layout, &tables, all, &options, &mut payload, &())?;
//!
//! // The client fetches frames, with what it has of the target at hand: here nothing.
//! let nothing = vec![0; target.len()];
//! let inner = MemorySource::new(payload);
//! let source = FramedSource::new(inner, lengths.extents(layout), tables.preamble().to_vec(), &nothing);
//! let wanted = [ByteRange::at(1000, 100)];
//! let sink = MemorySink::new(&wanted);
//! source.fetch(&wanted, &sink)?;
//! assert_eq!(sink.finish(), [target[1000..1100].to_vec()]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//!
//! What is decoded is not verified: a patch verifies every block of it before it is written.

pub mod frames;
pub mod gzip;
mod prior;
mod rebuilt;

pub use prior::Prior;
pub use rebuilt::Rebuilt;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
