//! Why a file cannot be put in place.

use std::io;
use std::path::PathBuf;

/// Why a file cannot be staged or put in place; the old file is untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// What is there is no file, and is not replaced by one.
    #[error("{path} is {kind}, not a file")]
    NotAFile {
        /// The target or the temporary file.
        path: PathBuf,
        /// What it is, with an article.
        kind: &'static str,
    },
    /// Another process makes the same target, or a part of this one that was told to stop
    /// and has not noticed yet.
    #[error("{path} is locked: another process is writing it, or work that was just interrupted")]
    Busy {
        /// The temporary file.
        path: PathBuf,
    },
    /// The target is open in another program, which does not let anything take its place.
    /// What is made or fetched already is kept.
    #[error("{path} is open in another program; close it there and try again")]
    InUse {
        /// The target.
        path: PathBuf,
    },
    /// Nothing can take the place of what is there: it is immutable, for example.
    #[error("{path} {why}, so nothing can take its place; give another output")]
    Irreplaceable {
        /// The target.
        path: PathBuf,
        /// Why, in words that follow its name.
        why: &'static str,
    },
    /// What is to be written is more than fits. What was made or fetched already is kept.
    #[error("{directory} has room for {free} bytes, and {path} takes {needed}; make room, or give another output")]
    NoRoom {
        /// The target.
        path: PathBuf,
        /// Where it is.
        directory: PathBuf,
        /// Bytes that are still to be written, at least.
        needed: u64,
        /// Bytes that fit.
        free: u64,
    },
    /// Another process put something else in the place of what was made.
    #[error("{path} is not the file that was written: another process replaced or moved it; run the command again")]
    Foreign {
        /// Where it should be.
        path: PathBuf,
    },
    /// Nothing can be said about the target: a directory above it may not be entered, for example.
    #[error("cannot look at {path}")]
    Target {
        /// The target.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The temporary file cannot be created: its directory is missing or read-only, for example.
    #[error("cannot create the temporary file {path}")]
    Create {
        /// The temporary file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// What an earlier run left can be neither used nor removed.
    #[error("cannot take over {path}, which an earlier run left")]
    Leftover {
        /// The temporary file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A patch into the file failed, so it is not what the target is to become.
    #[error("{path} is not complete, so it does not replace the file")]
    Unfinished {
        /// The temporary file.
        path: PathBuf,
    },
    /// The file cannot be written to disk or put in place. What was made is kept.
    #[error("cannot put {path} in place; what was made is kept as {kept}")]
    Commit {
        /// The target.
        path: PathBuf,
        /// The temporary file.
        kept: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}
