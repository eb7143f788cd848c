//! Opening what was published, and the one flow, with the targets that are here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod beginning;
mod finishing;
mod flow;
mod keeping;
mod parts;
mod repair;
mod targets;
