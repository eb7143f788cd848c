//! The scan on processors with AVX-512.
//!
//! In [`crate::lanes`], each vector has positions that follow one another. Here position
//! `4j + k` of a group of 64 is in lane `j` of vector `k`. So a vector of bytes, as they lie in
//! memory, has in each lane the four that the lane's positions differ by, and one instruction
//! makes a weighted sum of them; only what is summed up to each fourth position has to run
//! through the lanes.
//!
//! A scan waits for the words of the sieve, and for sums that run through lanes. So several
//! groups are under way at once: while one is begun, the one before it is finished, the words
//! for the one before that are loaded, and those of a fourth, which have come by then, tested.

pub(crate) mod groups;
mod pipeline;
pub(crate) mod polynomial;
pub(crate) mod rsync;
mod window;

pub(crate) use pipeline::{place, tile};
