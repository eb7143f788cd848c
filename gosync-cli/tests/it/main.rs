//! The real command, on real files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apart;
mod damage;
#[cfg(unix)]
mod directories;
mod edges;
mod failures;
mod guide;
mod hints;
mod hostile;
mod keeping;
#[cfg(unix)]
mod killed;
mod large;
mod layers;
mod main_job;
mod manual;
mod messages;
mod network;
mod opening;
mod packed;
mod packed_tree;
mod parts;
mod proxy;
mod publishing;
#[cfg(unix)]
mod pull;
mod rdiff;
mod resume;
mod signing;
mod support;
mod telling;
mod tiers;
mod zsync;
