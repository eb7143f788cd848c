//! Rolling checksums, and a scan that finds in a buffer every place where a block of
//! an index may begin.
//!
//! rsync's matching needs a checksum of a window of bytes that can be moved on by one
//! byte in constant time. This crate has the three that delta tools use ([`RollingSum`]), and
//! does the moving in bulk: a whole buffer goes in, and the few candidate positions
//! come out. It is not called once for every byte, so the work behind [`Scanner::scan`]
//! is done in tiles that stay in the first-level cache, and in vector lanes. Data that comes a byte
//! at a time has [`RollingWindow`], which is slow and plain.
//!
//! ```
//! use gosync_rollsum::{RollingSum, Scanner, SieveBuilder};
//!
//! // Which blocks are looked for: their keys go into a sieve.
//! let blocks: [&[u8]; 2] = [b"rolling ", b"checksum"];
//! let sum = RollingSum::RabinKarp;
//! let builder = SieveBuilder::new(blocks.len());
//! for block in blocks {
//!     builder.insert(sum.key(block));
//! }
//! let sieve = builder.finish();
//!
//! // Where may they begin?
//! let buffer = b"a set of rolling checksums";
//! let mut candidates = Vec::new();
//! let scanner = Scanner::new(sum, 8);
//! scanner.scan(buffer, 0..buffer.len() - 7, &sieve, &mut candidates);
//! let found: Vec<_> = candidates.iter().map(|found| found.position).collect();
//! assert!(found.contains(&9) && found.contains(&17));
//! assert_eq!(candidates[0].key, sum.key(b"rolling "));
//! ```
//!
//! # The sums
//!
//! For the bytes `c[0]` to `c[n-1]` of a window:
//!
//! | sum | key | used by |
//! |---|---|---|
//! | [`RollingSum::Rsync`] | `a = sum(c[i])`, `b = sum((n-i) * c[i])`, each mod 2^16; `b << 16 \| a` | go-sync, zsync |
//! | [`RollingSum::Librsync`] | the same with `c[i] + 31` for `c[i]` | librsync's rollsum |
//! | [`RollingSum::RabinKarp`] | `M^n + sum(c[i] * M^(n-1-i))` mod 2^32, `M = 0x08104225` | librsync since 2.2, our own format |
//!
//! rsync's sum is from Tridgell's thesis, "Efficient Algorithms for Sorting and
//! Synchronization" (1999), chapter 3; the polynomial one from Karp and Rabin,
//! "Efficient randomized pattern-matching algorithms" (1987).
//!
//! zsync keeps only some bits of each key, and in larger files looks for two blocks that
//! follow each other, since so few bits fit nearly everywhere: [`Scanner::masked`] and
//! [`Scanner::in_pairs`].
//!
//! # How the scan works
//!
//! In tiles of 1,024 positions, for each of them in three steps, whose loops wait for
//! nothing but memory that is in the cache, save one:
//!
//! 1. *Roll*: the keys at all positions. A sum that rolls is a running sum in disguise,
//!    and running sums can be had for a whole vector of positions at once.
//! 2. *Probe*: each key's hash picks a word of the sieve, and two bits in it. The words
//!    are the loads that may miss the cache, so they have a loop of their own, in which
//!    many can be under way. What passed is noted in masks of 64 bits, not in a list: the
//!    end of a list is something to wait for.
//! 3. *Collect*: the few bits in the masks become candidates.
//!
//! # Tiers
//!
//! The work is compiled for several sets of instructions ([`Tier`]), all with the same
//! results, and the processor is asked which it has. There is no `unsafe` in this crate:
//! the vectors are those of the `fearless_simd` crate. AVX-512 has a scan of its own, of
//! several groups of positions that are under way at once; all others share one, in vectors
//! of any width. Gathers are slower than single loads: a probe in AVX2 intrinsics measured no
//! faster on Zen 3, and what the compiler made of AVX-512 a third slower on Zen 4.
//!
//! [`Scanner::with_tier`] and [`RollingSum::sum_blocks_with_tier`] force a tier. The tests walk
//! through all that the machine runs, and also sum blocks in vectors of 512 bits made of
//! narrower ones, which is what AVX-512 gets. `GOSYNC_TIER=portable cargo test`
//! tests one tier only; the library itself does not look at the environment.
//!
//! # Limitations
//!
//! A candidate is a place where a key *may* be: of the positions without a key, about one in
//! a hundred comes out too. The caller has to look the key up, and then compare strong sums.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
mod machine;
mod polynomial;
mod rolling;
mod rolling_sum;
mod rsync;
mod scan;
mod sieve;
mod tier;
mod tile;
mod window;

pub use rolling_sum::RollingSum;
pub use scan::{Candidate, Scanner, pair_key};
pub use sieve::{Sieve, SieveBuilder};
pub use tier::{Tier, UnknownTier};
pub use window::RollingWindow;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
