//! Our own index: layers of block sums, and the descent through them.
//!
//! A flat list of block sums costs index bytes in proportion to the file, and makes the
//! publisher guess a block size. Here coarse blocks come first, and the sums of their
//! parts are fetched only beneath blocks that no seed has, and so on down, so that index
//! bytes grow with the change and not with the file.
//!
//! - [`mod@format`]: the file. [`LayeredIndex`](format::LayeredIndex) is what its header says and a way
//!   to the rest; [`make`](format::make) writes one, [`merge`](format::merge) puts one together of parts
//!   that were made on many machines. [Sections](format::Section) say what a scheme knows beyond the
//!   sums of a flat target.
//! - [`descent`]: from the coarsest layer to the finest, what seeds have and what has to be
//!   fetched.
//! - [`choose`] and [`sums`]: which layers an index has, and the sums of all of them in one pass.
//!
//! FORMAT.md, in the repository's root, specifies every byte.
//!
//! ```
//! use gosync_layers::descent::{DescentOptions, Zeros, descend};
//! use gosync_layers::format::{Contents, LayeredIndex, ReadOptions, Section, SectionId, make};
//! use gosync_layers::{choose, sums};
//! # use gosync_chunks::{ByteRange, ReadAt};
//! # use gosync_sums::Xxh3;
//!
//! let target: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
//! let length = target.len() as u64;
//! let sizes = choose::block_sizes(length, false);
//! let (strong_len, salt) = (choose::strong_len(length, &sizes), choose::salt(length, &target[..1 << 16]));
//! let hasher = Xxh3::truncated(strong_len, salt).expect("3 to 16 bytes");
//! let summed = sums::sum_layers(&target, ByteRange::at(0, length), &sizes, &hasher, &())?;
//! let index = make(Contents {
//!     target_name: None,
//!     length,
//!     strong_len,
//!     odds: choose::ODDS,
//!     salt,
//!     layers: sizes.iter().zip(summed.records).map(|(&size, records)| (size, 0, records)).collect(),
//!     payload: None,
//!     tree: summed.nodes,
//!     sections: vec![Section { id: SectionId(77), bytes: b"whatever a scheme has to say".to_vec() }],
//! })?;
//! let mut file = Vec::new();
//! index.write(&mut file)?;
//!
//! let index = LayeredIndex::read(&*file, &ReadOptions::default())?;
//! let old = target[100_000..].to_vec();
//! let seeds: [&dyn ReadAt; 2] = [&old, &Zeros(length)];
//! let found = descend(&index, &seeds, &DescentOptions::default(), &|| Ok(()), &())?;
//! assert!(found.plan.fetched_bytes() < 101_000);
//! assert_eq!(index.section(SectionId(77))?.expect("it was written").0, b"whatever a scheme has to say");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//!
//! A target has at most 2^32 - 1 blocks of the finest layer.

pub mod choose;
pub mod descent;
mod error;
pub mod format;
pub mod sums;

pub use error::Error;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
