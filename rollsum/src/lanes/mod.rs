//! The scan and the sums in vector lanes.
//!
//! Everything here is written once, over vectors of 128, 256 or 512 bits ([`Vectors`]),
//! and compiled for each level of processors. The scalar code in [`crate::rsync`],
//! [`crate::polynomial`] and [`crate::sieve`] does what does not fill a vector, and is
//! the oracle of the tests. Only [`vectors::join_blocks`] depends on how wide the vectors are.
//!
//! All functions are inlined into the one that turned the instructions on.

mod polynomial;
mod probe;
mod rsync;
mod vectors;

pub(crate) use polynomial::{roll as roll_polynomial, sum as polynomial_sum};
pub(crate) use probe::probe;
pub(crate) use rsync::{Terms as RsyncTerms, roll as roll_rsync, sum as rsync_sum};
#[cfg(test)]
pub(crate) use vectors::Wide;
pub(crate) use vectors::{Native, Vectors};
