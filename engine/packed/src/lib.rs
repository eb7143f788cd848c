//! Opens packed files (zip, jar, wheel, gz, tar.gz), and closes them again bit by bit.
//!
//! Deflate hides what two versions of a file have in common: one byte more, and all that follows
//! is packed differently. [`open`] finds the streams in a packed file and gives the file with what
//! is in each stream in its place, which can be compared, and a [`Recipe`]. With both, [`close`]
//! makes the packed file again, and it is the same to the last bit: for each stream the recipe
//! names the encoder that makes it, which was proved when the file was opened. For a stream that no
//! known encoder makes it names the nearest, and says what that one would choose otherwise.
//!
//! ```
//! use gosync_packed::{Encoder, Options, Recipe, close, open};
//! use std::io::Read;
//!
//! // A gzip file, as zlib makes it.
//! let text = b"One fish, two fish, red fish, blue fish.".repeat(100);
//! let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
//! Encoder::zlib(6).deflate(&text[..]).read_to_end(&mut packed)?;
//! packed.extend([0x6f, 0x5e, 0xa9, 0xe2, 0xa0, 0x0f, 0, 0]);
//!
//! let opened = open(&packed, &Options::default(), &())?;
//! let recipe = opened.recipe();
//! assert_eq!(recipe.encoder(&recipe.streams()[0]), Some(Encoder::zlib(6)));
//! assert_eq!(recipe.flat_len(), 10 + 4000 + 8);
//!
//! // Elsewhere, where the opened bytes were brought together from an old version.
//! let recipe = Recipe::from_bytes(&recipe.to_bytes())?;
//! let mut closed = Vec::new();
//! close(&recipe, &opened, &mut closed)?;
//! assert_eq!(closed, packed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is opened
//!
//! Zip files by their central directory, with zip64, descriptors, and whatever lies before,
//! between and behind members; gzip files of any number of members; packed files in what was
//! opened, two deep, also through tar; and packed files that lie in a zip file as they are. What is
//! not in a stream (headers, directories, signatures) stays as it is. So nothing is lost where a
//! file contradicts itself.
//!
//! # Encoders
//!
//! [`Encoder`] is zlib, written again: all its levels, sizes of memory and strategies. That is
//! Python, Java, and most of what packs. So are Chromium's zlib, which is in Node, and GNU gzip.
//! It is of use by itself, as [`Encoder::deflate`]: the bytes of zlib without C.
//!
//! A recipe has a fingerprint of each encoder that it names. If an encoder is not known where the
//! file is to be closed, or makes other bytes there, [`Recipe::unknown`] tells which streams have
//! to be had as they are, and [`Close`] takes these.
//!
//! The bytes of a recipe are specified in FORMAT.md.
//!
//! # What is trusted
//!
//! Nothing. [`Options`] has the bounds of what is opened. A recipe may have been made up: closing
//! takes time and memory by the length of what is closed, not by what the recipe says, and whether
//! the result is the published file is for its hash to tell.
//!
//! # Limitations
//!
//! For streams of other encoders (zopfli, 7-Zip, libdeflate, zlib-ng, zlib-rs, Go) a recipe is a few
//! hundredths of their length, and not some bytes. Beyond a fifth they are left as they are, as is
//! what is not deflate. What is opened lies in a temporary file.

mod as_published;
mod close;
mod closed;
mod closing;
mod container;
mod deflate;
mod encoder;
mod error;
mod flat;
mod inflate;
mod numbers;
mod open;
mod options;
mod range_reader;
mod recipe;
mod reopen;
mod spool;
mod uses;

pub use as_published::fetch_unknown;
pub use close::{Close, close};
pub use closed::Closed;
pub use container::signs::begins_packed;
pub use encoder::rebuild::Deflate;
pub use encoder::settings::{Encoder, Family, Strategy};
pub use error::{CloseError, FetchError, OpenError, RecipeError};
pub use flat::{Flat, Opened};
pub use open::{look_into, open};
pub use options::Options;
pub use recipe::{Recipe, SHORT, Stream};
pub use reopen::reopen;
pub use spool::{Plain, Spool};
pub use uses::{Use, closing_time};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
