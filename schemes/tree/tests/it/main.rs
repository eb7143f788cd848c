//! Directories, published and brought up to date.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod corpus;
#[cfg(unix)]
mod extras;
mod hostile;
#[cfg(unix)]
mod meanwhile;
mod packed;
mod publishing;
#[cfg(unix)]
mod scenarios;
mod sources;
mod trees;
