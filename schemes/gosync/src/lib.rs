//! Brings a file from an old version to a new one by moving only what changed.
//!
//! The publisher of a file puts an *index* beside it: the sums of its blocks. A client that
//! holds an old version reads the index, finds the blocks that are there already and
//! fetches the others by range, so that any static server will do.
//!
//! ```
//! use gosync::publish::{BuildOptions, Publisher};
//! use gosync::sources::{SourceOptions, open_source};
//! use gosync::update::{FileOptions, Seeds, Update};
//! use gosync::{Format, ReadOptions};
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name| directory.path().join(name);
//! # std::fs::write(at("new.txt"), "One fish, two fish, red fish, blue fish.".repeat(100))?;
//! # std::fs::write(at("old.txt"), "One fish, two fish, red fish.".repeat(100))?;
//! // The publisher:
//! let sources = SourceOptions::default();
//! let options = BuildOptions::default();
//! let publisher = Publisher { format: Format::Layered, options: &options, sources: &sources, progress: &() };
//! let index = publisher.build(&at("new.txt"), None)?;
//! publisher.write(&index, &at("new.txt.gosync").into())?;
//!
//! // The user, whose index and source may just as well be URLs:
//! let opened = gosync::open(&at("new.txt.gosync").into(), &ReadOptions::default(), &sources)?;
//! let source = opened.default_source().expect("our own format names the target");
//! let source = open_source(&source, &sources)?;
//! let target = opened.index.target();
//! let seeds = Seeds::open([at("old.txt")], &*target, &())?;
//! let update = Update { target: &*target, seeds: &seeds, source: &*source, progress: &() };
//! let report = update.to_file(&at("old.txt"), &FileOptions::default())?;
//!
//! assert_eq!(std::fs::read(at("old.txt"))?, std::fs::read(at("new.txt"))?);
//! assert_eq!(report.matched_bytes() + report.report.fetched, report.output_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Parts
//!
//! What one machine is too slow for can be shared out: [`Publisher::part`](publish::Publisher::part)
//! makes the index of a part of a target, wherever that can be read, and
//! [`Publisher::merge`](publish::Publisher::merge) makes one index of all parts, with the bytes of one
//! build.
//!
//! # Signatures
//!
//! An index can be signed as minisign signs: `SecretKey::sign` (feature `sign`) signs
//! what [`LayeredIndex::head`] gives, [`publish_signature`](signing::publish_signature) puts the
//! signature beside the index, and [`OpenedIndex::check_signature`] refuses an index without a
//! good one.
//!
//! # Formats
//!
//! FORMAT.md, in the repository's root, specifies every byte of our own format and of
//! go-sync's, which is read and written too; [`Index::read`] tells them apart.
//!
//! # Features
//!
//! - `http`, on by default: indexes and sources behind `http` and `https` URLs.
//! - `platform-verifier`: lets them be certified by whom the operating system trusts.
//! - `ssh`: indexes and sources behind `ssh` URLs, by the system's `ssh`.
//! - `sign`: signs indexes; verifying signatures takes no feature.
//! - `object-store`: indexes and sources behind `s3`, `gs` and `az` URLs.
//!
//! # Limitations
//!
//! An index of go-sync says neither what its target is called nor
//! what hash it has, and its MD5 sums can be forged: a target made with it is as good
//! as the place that the index came from.

mod error;
mod format;
mod go_sync;
mod index;
mod info;
mod open;
pub mod pointer;
pub mod publication;
mod publisher;
pub mod signing;
mod tier;

pub use error::Error;
pub use format::Format;
pub use go_sync::{GoSyncIndex, UnsuitableSums};
pub use gosync_chunks::frames::FrameKind;
pub use gosync_chunks::{ErrorKind, Phase, Progress};
pub use gosync_layers::format::{Damage, FormatError, LayeredIndex, ReadOptions};
pub use index::Index;
pub use info::{IndexInfo, LayerInfo, PayloadInfo};
pub use open::{OpenedIndex, open, open_reader};
pub use tier::{TierError, available_tiers, tier, use_tier};

/// Making indexes, whole and in parts, and putting them where clients find them.
pub mod publish {
    pub use crate::publisher::Publisher;
    pub use gosync_chunks::{MAX_BLOCK_SIZE, NameError, TargetName};
    pub use gosync_layers::format::{IndexPart, MergeError, PartError, Section, SectionId, Shard, ShardError};
    pub use gosync_publish::{
        Build, BuildOptions, Caching, Destination, Error, Folder, Held, PAYLOAD_SUFFIX, PayloadOut, WriteFile,
        build_file, keep_apart, open_folder, read_unchanged, within,
    };
}

/// Bringing targets about: comparing, patching, verifying, foretelling.
pub mod update {
    pub use gosync_chunks::{ByteRange, Plan, ReadAt, Step};
    pub use gosync_comparer::{Statistics, UnreadableSeed};
    pub use gosync_layers::descent::LayerReport;
    pub use gosync_patcher::{Report, Verdict};
    pub use gosync_update::*;
}

/// Where indexes and targets are, and how to reach them.
pub mod sources {
    #[cfg(feature = "object-store")]
    pub use gosync_blocksources::ObjectSettings;
    #[cfg(feature = "ssh")]
    pub use gosync_blocksources::SshOptions;
    #[cfg(feature = "http")]
    pub use gosync_blocksources::{Credentials, Hosts, HttpOptions, Netrc, Proxy, RootCertificates, Secret};
    pub use gosync_blocksources::{
        Event, Listener, Location, LocationError, Pauses, Rate, RetryOptions, SourceOptions, open_source, open_sources,
        redact,
    };
    pub use gosync_chunks::{Source, SourceError, Transfer};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
