//! Sources against servers: our own, nginx, sshd, moto, and some that misbehave on purpose.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, in its helpers too")]

mod conformance;
mod corpus;
mod credentials;
mod faults;
mod hostile;
mod http;
mod identity;
mod nginx;
mod objects;
mod ssh;
