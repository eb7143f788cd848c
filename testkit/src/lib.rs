//! Corpora, oracles, conformance suites and awkward sources for gosync's tests.
//!
//! The parts of gosync must not depend on each other, so what their tests share is
//! here: data made by code instead of files in the tree, slow answers to check fast
//! ones against, servers that misbehave, and one suite per seam that every implementation
//! runs. Nothing of it is published, and nothing but tests depends on it.
//!
//! ```
//! use gosync_testkit::corpus::{self, edit};
//! use gosync_testkit::oracle;
//!
//! let old = corpus::text(1, 100_000);
//! let new = edit::insert(&old, 2, 3, 100);
//! let matches = oracle::greedy_matches(&new, 1024, &old);
//! assert_eq!(oracle::false_match(&new, 1024, &old, &matches), None);
//! assert!(oracle::covered_bytes(&new, 1024, &matches) > 90_000);
//! ```
//!
//! # Limitations
//!
//! Everything panics where a library would return an error: a failed test is what it
//! is for. The oracles take time and memory in proportion to the product of what
//! they are given; a few megabytes is the most that is sensible.

pub mod conformance;
pub mod corpus;
pub mod delay;
pub mod fuzz;
#[cfg(unix)]
pub mod guard;
pub mod hostile;
pub mod moto;
pub mod nginx;
pub mod oracle;
pub mod packed;
pub mod peers;
pub mod source;
pub mod sshd;
pub mod tiers;
pub mod trees;

mod lock;
mod random;

pub use random::Random;
