//! The native part of the Python package `gosync`: what Python calls, over the schemes.
//!
//! The package's own modules, in `python/gosync`, are what users see; they check and
//! complete arguments and make dataclasses of the results. Here each call is one job
//! (`job`): it runs on threads without Python, while the thread that called runs
//! what is Python's: file objects, progress callbacks and signal handlers.

mod arguments;
mod built;
mod command;
mod directory;
mod error;
mod job;
mod librsync;
mod network;
mod publish;
mod published;
mod stream;
mod sync;
mod zsync;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::command::command;
    #[pymodule_export]
    use crate::directory::build_tree;
    #[pymodule_export]
    use crate::librsync::{librsync_delta, librsync_patch, librsync_signature};
    #[pymodule_export]
    use crate::publish::publish;
    #[pymodule_export]
    use crate::published::{inspect, verify};
    #[pymodule_export]
    use crate::stream::keep_apart;
    #[pymodule_export]
    use crate::sync::{build, diff, merge, patch};
    #[pymodule_export]
    use crate::zsync::{block_checksums, find_blocks};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
