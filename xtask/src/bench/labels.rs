//! What works and cases are called, where several tables look for them.

pub(crate) const BUILD: &str = "build";
pub(crate) const DIFF: &str = "diff";
pub(crate) const PATCH: &str = "patch";

/// The work of the section `wire`, and ours there.
pub(crate) const WIRE: &str = "bytes on the wire";
pub(crate) const DEFAULT: &str = "gosync";
pub(crate) const COMPRESSED: &str = "gosync, compressed";

/// The end of the name of a case whose tier is not the machine's best.
pub(crate) const FORCED: &str = " forced";

/// The case `label` with one thread.
pub(crate) fn one_thread(label: &str) -> String {
    format!("{label}, 1 thread")
}

/// The case `label` with one thread that uses the instructions of `tier`.
pub(crate) fn forced(label: &str, tier: &str) -> String {
    format!("{label}, 1 thread, {tier}{FORCED}")
}
