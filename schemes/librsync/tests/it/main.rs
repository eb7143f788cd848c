//! librsync's formats, held against real files and real programs.

#![allow(clippy::unwrap_used, reason = "what the tests share fails as they do")]

mod corpus;
mod damage;
mod fast_rsync;
mod golden;
mod jobs;
mod rdiff;
mod support;
