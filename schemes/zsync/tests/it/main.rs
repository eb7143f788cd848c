//! Control files against zsync's own, and files that are brought about through them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod corpus;
mod debian;
mod deflate;
mod gzip;
mod hostile;
mod matching;
mod opening;
mod oracle;
mod patching;
mod support;
