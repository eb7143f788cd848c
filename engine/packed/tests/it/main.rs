//! Opening and closing packed files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod corpus;
mod hostile;
mod properties;
mod recipes;
mod tools;
mod zip;
