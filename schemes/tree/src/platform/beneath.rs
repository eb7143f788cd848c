//! What is opened by a path of several names.

/// What, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beneath {
    /// A directory, for the names in it alone.
    Directory,
    /// A file, to be read.
    File,
}
