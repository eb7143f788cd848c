//! Guards the architecture: arrows between packages, what comes with each part, and files that
//! need each other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod circles;
mod dependencies;
mod packages;

use std::path::{Path, PathBuf};

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_owned()
}
