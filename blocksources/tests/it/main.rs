//! Sources against servers: our own, nginx, and some that misbehave on purpose.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, in its helpers too")]

mod conformance;
mod faults;
mod http;
mod nginx;
mod server;
mod server_ranges;
mod wire;
