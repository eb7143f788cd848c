//! Both sides over pipes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hostile;
mod pulling;
#[cfg(target_os = "linux")]
mod pushing;
mod support;
mod transcript;
