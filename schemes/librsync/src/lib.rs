//! librsync's signatures, deltas and patches: the same bytes, on all cores.
//!
//! The side with the old version of a file, the *basis*, sends its *signature*, which is
//! small. The side with the new version makes a *delta* with it, which copies what the basis
//! has and brings the rest. The basis *patched* with the delta is the new version.
//!
//! ```
//! use gosync_librsync::{delta, patch, signature, Signature};
//! use std::io::Cursor;
//!
//! let (basis, new) = (b"the old version of a file".repeat(99), b"the new version of a file".repeat(99));
//! let (mut sums, mut difference, mut made) = (Vec::new(), Vec::new(), Vec::new());
//! signature(basis.as_slice(), &mut sums, &Default::default())?;
//! delta(&Signature::read(sums.as_slice())?, new.as_slice(), &mut difference, &Default::default())?;
//! patch(Cursor::new(basis), difference.as_slice(), &mut made, &Default::default())?;
//! assert_eq!(made, new);
//! # Ok::<(), gosync_librsync::Error>(())
//! ```
//!
//! [`signature`] and [`delta`] read from anything, once, and work on all threads of the rayon
//! pool that they are called in; their output does not depend on how many there are.
//! [`signature_at`] and [`delta_at`] do the same of files, which all threads read at once.
//! [`SignatureJob`], [`SignatureLoader`], [`DeltaJob`] and [`CommandReader`] are the same as
//! state machines that are fed with slices, and read and write nothing.
//!
//! # The formats
//!
//! All numbers are big-endian. A signature is `magic, block_len, strong_len` (4 bytes each),
//! then for each block of the basis its rolling sum (4 bytes) and the first `strong_len` bytes
//! of its strong sum. A last block that is short is summed as it is.
//!
//! | magic | strong sum | rolling sum |
//! |---|---|---|
//! | 0x72730136 | MD4 | rollsum |
//! | 0x72730137 | BLAKE2b, digest of 32 bytes | rollsum |
//! | 0x72730146 | MD4 | RabinKarp |
//! | 0x72730147 | BLAKE2b, digest of 32 bytes | RabinKarp |
//!
//! A delta is the magic 0x72730236, then commands:
//!
//! | byte | command |
//! |---|---|
//! | 00 | the end |
//! | 01 to 40 | a literal of so many bytes |
//! | 41, 42, 43, 44 | a literal, its length in 1, 2, 4 or 8 bytes |
//! | 45 to 54 | 45 + 4p + l: a copy, its position in 2^p and its length in 2^l bytes |
//! | 55 to ff | none |
//!
//! What is written is what rdiff 2.3.2 writes: of blocks with equal sums the first is copied,
//! numbers take as few bytes as they can, adjacent copies are one, and literals have up to
//! 32,768 bytes ([`LiteralLen`]).
//!
//! # Limitations
//!
//! - A signature does not say which basis it is of, nor a delta: applied to another basis it
//!   makes a wrong file, without complaint. Hand on a [`BasisCheck`] where you can.
//! - Nothing verifies the new file. Where MD4 is used, or strong sums are cut short, an
//!   attacker who can place content in both versions can make it wrong.
//! - Blocks have 2^31 - 1 bytes at most, of which each thread holds two; there are 2^32 - 1 of them at most.

mod arguments;
mod basis;
mod command;
mod cutter;
mod delta;
mod encode;
mod encoded;
mod error;
mod gather;
mod kind;
mod lookup;
mod parse;
mod patch;
mod signature;
mod signature_job;
mod stream;

pub use arguments::{SignatureHeader, SignatureOptions, StrongLen};
pub use basis::{BasisCheck, NoBasisCheck};
pub use command::{Command, CommandReader};
pub use delta::{DeltaJob, DeltaOptions, LiteralLen, delta, delta_at, delta_between, delta_with};
pub use encode::DeltaReport;
pub use error::{Error, Stream};
pub use gosync_chunks::ReadAt;
pub use gosync_files::LocalFile;
pub use kind::{MAX_BLOCK_LEN, SignatureKind};
pub use lookup::SignatureIndex;
pub use patch::{PatchOptions, PatchReport, apply_limited, patch};
pub use signature::{Signature, SignatureLoader};
pub use signature_job::{SignatureJob, SignatureReport, signature, signature_at};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
