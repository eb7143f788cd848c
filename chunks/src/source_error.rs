//! Why a source does not deliver.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::error_kind::ErrorKind;
use crate::progress::Cancelled;

/// What a sink says when it can take no more.
pub type SinkError = Box<dyn Error + Send + Sync>;

/// Why a source did not deliver. `location` is the path or URL, without credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing is there: no such file, or status 404 or 410.
    #[error("cannot find {location}: {reason}")]
    NotFound {
        /// The path or URL.
        location: String,
        /// What was said: by a server of HTTP, `status` and its number and name first, here and
        /// where it is denied or refused.
        reason: String,
    },
    /// Not everyone may have it: a file's permissions, status 401, 403 or 407. Some servers
    /// say so of what is not there too, so as not to tell.
    #[error("access to {location} is denied: {reason}")]
    Denied {
        /// The path or URL.
        location: String,
        /// What was said.
        reason: String,
    },
    /// Any other definite no, or an answer that is not what was asked for.
    #[error("{location} does not deliver: {reason}")]
    Refused {
        /// The path or URL.
        location: String,
        /// The status, or what is wrong with the answer, and what may help.
        reason: String,
    },
    /// It is longer than the caller allows.
    #[error("{location} does not deliver: it has more than {limit} bytes")]
    TooLong {
        /// The path or URL.
        location: String,
        /// The most bytes that it may have.
        limit: u64,
    },
    /// No answer, or a broken one: the name does not resolve, the connection fails, a time
    /// is over, the other end cannot prove who it is.
    #[error("cannot reach {location}")]
    Unreachable {
        /// The path or URL.
        location: String,
        /// Whether it may be reached a little later.
        is_transient: bool,
        /// What went wrong.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No bytes now, but perhaps later: the server has too much to do, or is being
    /// worked on.
    #[error("{location} has no time: {reason}")]
    Busy {
        /// The path or URL.
        location: String,
        /// What it answered.
        reason: String,
        /// How long it wants not to be asked again.
        retry_after: Option<Duration>,
    },
    /// The target was replaced since the index was made, or while it was fetched.
    #[error("{location} is no longer what it was: {reason}; make its index anew, or get the new one")]
    Changed {
        /// The path or URL.
        location: String,
        /// How it was noticed.
        reason: String,
    },
    /// The source is not as long as the target.
    #[error("{location} has {actual} bytes, but the index was made for {expected}")]
    Length {
        /// The path or URL.
        location: String,
        /// Length of the target in bytes.
        expected: u64,
        /// Length of the source in bytes.
        actual: u64,
    },
    /// What came cannot be decoded.
    #[error("{location} is damaged: {reason}")]
    Corrupt {
        /// The path or URL.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A local source cannot be read, though it is there and may be.
    #[error("cannot read {location}")]
    Read {
        /// The path.
        location: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The sink took no more.
    #[error("the fetched bytes could not be used")]
    Sink(#[source] SinkError),
    /// The caller wished to stop while the source was waited for.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl SourceError {
    /// What it means that the file at `location` cannot be opened or read.
    pub fn of_file(location: impl Into<String>, error: io::Error) -> Self {
        let location = location.into();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Self::NotFound { location, reason: error.to_string() }
            }
            io::ErrorKind::PermissionDenied => Self::Denied { location, reason: error.to_string() },
            _ => Self::Read { location, source: error },
        }
    }

    /// The status that a server of HTTP said no with: its reason begins with that.
    pub fn status(&self) -> Option<u16> {
        let (Self::NotFound { reason, .. }
        | Self::Denied { reason, .. }
        | Self::Refused { reason, .. }
        | Self::Busy { reason, .. }) = self
        else {
            return None;
        };
        let digits = reason.strip_prefix("status ")?.get(..3)?;
        digits.parse().ok()
    }

    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { is_transient: true, .. } | Self::Busy { .. })
    }

    /// The kind of trouble that this is: corrupt where the source has something, and it is
    /// not the target.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Denied { .. } => ErrorKind::Denied,
            Self::Changed { .. } | Self::Length { .. } | Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Sink(_) => ErrorKind::Output,
            Self::Cancelled(_) => ErrorKind::Cancelled,
            _ => ErrorKind::Source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_not_there_not_ours_or_broken() {
        let of = |kind: io::ErrorKind| SourceError::of_file("x", io::Error::new(kind, "no"));
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory] {
            assert_eq!(of(kind).to_string(), "cannot find x: no");
        }
        assert_eq!(of(io::ErrorKind::PermissionDenied).to_string(), "access to x is denied: no");
        let broken = of(io::ErrorKind::UnexpectedEof);
        assert!(matches!(&broken, SourceError::Read { .. }) && broken.source().is_some(), "{broken:?}");
    }

    #[test]
    fn what_may_pass_and_of_which_kind_it_is() {
        let location = || "x".to_owned();
        let unreachable =
            |is_transient| SourceError::Unreachable { location: location(), is_transient, source: "no route".into() };
        let busy = SourceError::Busy { location: location(), reason: "503".into(), retry_after: None };
        let gone = |reason: &str| SourceError::NotFound { location: location(), reason: reason.into() }.status();
        assert_eq!(
            [gone("status 410 Gone"), gone("status 799"), gone("status"), gone("410")],
            [Some(410), Some(799), None, None]
        );
        let missing = SourceError::NotFound { location: location(), reason: "404".into() };
        let short = SourceError::Length { location: location(), expected: 2, actual: 1 };
        for (error, is_transient, kind) in [
            (unreachable(true), true, ErrorKind::Source),
            (unreachable(false), false, ErrorKind::Source),
            (busy, true, ErrorKind::Source),
            (missing, false, ErrorKind::NotFound),
            (short, false, ErrorKind::Corrupt),
        ] {
            assert_eq!((error.is_transient(), error.kind()), (is_transient, kind), "{error:?}");
        }
    }
}
