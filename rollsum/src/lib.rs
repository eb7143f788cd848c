//! Rolling checksums, and a scan that finds in a buffer every place where a block of
//! an index may begin.
//!
//! rsync's matching needs a checksum of a window of bytes that can be moved on by one
//! byte in constant time. This crate has the four that delta tools use ([`Kind`]), and
//! does the moving in bulk: a whole buffer goes in, and the few candidate positions
//! come out. Nobody calls it once for every byte, so the work behind [`Scanner::scan`]
//! can be done in tiles that stay in the first-level cache.
//!
//! ```
//! use gosync_rollsum::{Kind, Scanner, SieveBuilder};
//!
//! // Which blocks are looked for: their keys go into a sieve.
//! let blocks: [&[u8]; 2] = [b"rolling ", b"checksum"];
//! let kind = Kind::RabinKarp;
//! let builder = SieveBuilder::new(blocks.len());
//! for block in blocks {
//!     builder.insert(kind.key(block));
//! }
//! let words = builder.finish();
//!
//! // Where may they begin?
//! let buffer = b"a set of rolling checksums";
//! let mut candidates = Vec::new();
//! let scanner = Scanner::new(kind, 8);
//! scanner.scan(buffer, 0..buffer.len() - 7, &words, &mut candidates);
//! let found: Vec<_> = candidates.iter().map(|found| found.position).collect();
//! assert!(found.contains(&9) && found.contains(&17));
//! assert_eq!(candidates[0].key, kind.key(b"rolling "));
//! ```
//!
//! # The sums
//!
//! For the bytes `c[0]` to `c[n-1]` of a window:
//!
//! | kind | key | used by |
//! |---|---|---|
//! | [`Kind::Rsync`] | `a = sum(c[i])`, `b = sum((n-i) * c[i])`, each mod 2^16; `b << 16 \| a` | go-sync, zsync |
//! | [`Kind::Librsync`] | the same with `c[i] + 31` for `c[i]` | librsync's rollsum |
//! | [`Kind::RabinKarp`] | `M^n + sum(c[i] * M^(n-1-i))` mod 2^32, `M = 0x08104225` | librsync since 2.2 |
//! | [`Kind::Wide`] | RabinKarp's, and beside it a *check* with another `M` | our own format |
//!
//! rsync's sum is from Tridgell's thesis, "Efficient Algorithms for Sorting and
//! Synchronization" (1999), chapter 3; the polynomial one from Karp and Rabin,
//! "Efficient randomized pattern-matching algorithms" (1987).
//!
//! # Limitations
//!
//! A candidate is a place where a key *may* be: about one position in a hundred that
//! comes out is none. Whoever scans has to look the key up, and then compare strong sums.

mod kind;
mod polynomial;
mod rsync;
mod scan;
mod sieve;

pub use kind::Kind;
pub use scan::{Candidate, Scanner};
pub use sieve::{SieveBuilder, may_contain};
