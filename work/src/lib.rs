//! Handing out pieces of work to the threads of a rayon pool.
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
//! There is no pool in here: work runs on the pool that the caller is in.

mod hand_out;

pub use hand_out::hand_out;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
