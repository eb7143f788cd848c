//! Servers that answer as no server should, and as many do.
//!
//! [`Hostile`] serves some bytes at `/file` in one of the ways that the trackers of
//! downloaders complain about; [`Scripted`] says whatever a test wants to hear.

mod behaviour;
mod scripted;

pub use behaviour::{Behaviour, Hostile, Otherwise};
pub use scripted::{Asked, Say, Scripted};
