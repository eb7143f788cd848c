//! Brings a file from an old version to a new one by moving only what changed.
//!
//! Whoever publishes a file puts an *index* beside it: the sums of its blocks.
//! Whoever holds an old version reads the index, finds the blocks that are there
//! already and fetches the others by range, so that any static server will do.
//!
//! ```
//! use gosync::{BuildOptions, ReadOptions, Seeds, SourceOptions};
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name| directory.path().join(name);
//! # std::fs::write(at("new.txt"), "One fish, two fish, red fish, blue fish.".repeat(100))?;
//! # std::fs::write(at("old.txt"), "One fish, two fish, red fish.".repeat(100))?;
//! // The publisher:
//! let index = gosync::build(&at("new.txt"), &BuildOptions::default(), &())?;
//! gosync::write_index(&index, &at("new.txt.gosync"))?;
//!
//! // The user, whose index and source may just as well be URLs:
//! let options = SourceOptions::default();
//! let opened = gosync::open_index(&at("new.txt.gosync").into(), &ReadOptions::default(), &options)?;
//! let source = opened.default_source().expect("our own format names the target");
//! let source = gosync::open_source(&source, &options)?;
//! let seeds = Seeds::open([at("old.txt")])?;
//! let report = gosync::patch(&opened.index, &seeds, &*source, &at("old.txt"), &())?;
//!
//! assert_eq!(std::fs::read(at("old.txt"))?, std::fs::read(at("new.txt"))?);
//! assert_eq!(report.matched_bytes() + report.report.fetched, report.output_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Parts
//!
//! What one machine is too slow for can be shared out: [`publish_part`] makes the index of a
//! part of a target, wherever that can be read, and [`merge()`] makes one index of all parts,
//! with the bytes that [`build()`] would have made.
//!
//! # Signatures
//!
//! An index can be signed as minisign signs: `SecretKey::sign` (feature `sign`) signs
//! what [`Index::header_bytes`] gives, [`publish_signature`] puts the signature beside
//! the index, and [`OpenedIndex::check_signature`] refuses an index without a good one.
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

mod build;
mod error;
mod estimate;
pub mod format;
mod layers;
mod merge;
mod open;
pub mod payload;
mod repair;
pub mod report;
mod signature;
mod sums;
mod sync;
mod tier;

pub use build::{BuildOptions, build, build_compressed, build_part};
pub use error::{Error, Trouble};
pub use estimate::{Estimate, estimate, estimate_ranges};
pub use format::{
    Damage, Format, FormatError, Index, IndexPart, LayerInfo, NameError, PartError, PayloadInfo, ReadOptions, Shard,
    ShardError, TargetName, UnsuitableSums,
};
pub use layers::LayerReport;
pub use merge::{merge, publish_part};
pub use open::{
    OpenedIndex, PAYLOAD_SUFFIX, open_index, open_source, open_sources, publish_bytes, publish_index, publish_payload,
    publish_signature,
};
#[cfg(feature = "sign")]
pub use signature::SecretKey;
pub use signature::{
    KeyError, KeyId, PublicKey, SIGNATURE_SUFFIX, SignatureError, Signed, TrustedComment, check_signature,
};
pub use sync::{Comparison, PatchReport, Seeds, diff, patch, patch_to_stream, verify, write_index};
pub use tier::{TierError, use_tier};

// What the calls above take and give, so that whoever makes them needs no other crate.
#[cfg(feature = "object-store")]
pub use gosync_blocksources::ObjectSettings;
#[cfg(feature = "ssh")]
pub use gosync_blocksources::SshOptions;
#[cfg(feature = "http")]
pub use gosync_blocksources::{Credentials, Hosts, HttpOptions, Netrc, NetrcError, Proxy, RootCertificates, Secret};
pub use gosync_blocksources::{Event, Listener, Location, LocationError, Pauses, Rate, RetryOptions, SourceOptions};
pub use gosync_chunks::{ByteRange, MAX_BLOCK_SIZE, Phase, Plan, Progress, ReadAt, Source, Step, Transfer};
pub use gosync_comparer::{Statistics, UnreadableSeed};
pub use gosync_files::LocalFile;
pub use gosync_patcher::{Report, Verdict};
