//! Spreading work over threads: the one place where it is decided who does what when.
//!
//! - [`hand_out`] gives items to idle threads of a rayon pool, [`hand_out_to`] to threads of
//!   their own.
//! - [`in_order`] does so with the pieces of a stream, which go in and come out in order.
//! - [`ahead`] has one other thread make what comes next.
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! let total = AtomicUsize::new(0);
//! gosync_work::hand_out(["a", "bc"].iter(), || (), |(), text| {
//!     total.fetch_add(text.len(), Ordering::Relaxed);
//!     Ok::<(), std::io::Error>(())
//! })?;
//! assert_eq!(total.into_inner(), 3);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Limitations
//!
//! No pool is made here: `hand_out` and `in_order` run on the pool that the caller is in.

mod ahead;
mod hand_out;
mod in_order;

pub use ahead::{Ahead, ahead};
pub use hand_out::{hand_out, hand_out_to};
pub use in_order::in_order;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
